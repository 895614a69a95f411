/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import io.lettuce.core.ScriptOutputType;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The permits of one limit: a token bucket that the server fills by its own clock. A question is one script, so questions of any
 * number of processes do not get into each other's way.
 */
final class Bucket implements PermitStore {
    /** So long after it would be full again, a bucket is let go of. */
    private static final Duration KEPT = Duration.ofDays(1);

    /**
     * Takes as many permits as there are. The key holds how many there were, and when, in seconds and microseconds. A clock that
     * has gone back brings nothing and takes nothing. Returns how many were taken, and the microseconds until there is another one.
     * It always writes: a server that takes no writes is none that answers.
     */
    private static final String TAKE = """
            local time = redis.call('TIME')
            local burst = tonumber(ARGV[2])
            local perMicro = tonumber(ARGV[3]) / tonumber(ARGV[4]) * 1000
            local permits = burst
            local kept = redis.call('GET', KEYS[1])
            if kept then
                local had, seconds, micros = string.match(kept, '^(%S+) (%d+) (%d+)$')
                had = tonumber(had)
                if not (had and had >= 0 and had <= burst) then
                    return redis.error_reply('WRONGTYPE ' .. KEYS[1] .. ' holds something else than permits')
                end
                local passed = (time[1] - seconds) * 1000000 + (time[2] - micros)
                permits = math.min(burst, had + math.max(0, passed) * perMicro)
            end
            local taken = math.min(tonumber(ARGV[1]), math.floor(permits))
            permits = permits - taken
            local value = string.format('%.17g', permits) .. ' ' .. time[1] .. ' ' .. time[2]
            local full = math.ceil((burst - permits) / perMicro / 1000)
            redis.call('SET', KEYS[1], value, 'PX', string.format('%d', full + tonumber(ARGV[5])))
            return {taken, permits < 1 and math.ceil((1 - permits) / perMicro) or 0}
            """;

    private final Connector connector;
    private final byte[] key;
    private final byte[] burst;
    private final byte[] limit;
    private final byte[] perNanos;

    Bucket(Connector connector, byte[] key, SharedThrottleSettings settings) {
        this.connector = connector;
        this.key = key;
        burst = digits(settings.burst());
        limit = digits(settings.limit());
        perNanos = digits(settings.per().toNanos());
    }

    private static byte[] digits(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public void take(long most, Answer answer) {
        Connector.Link present = connector.usable();
        if (present != null) {
            take(most, answer, present);
            return;
        }
        // The question waits for the connection. If it failed, the next one would come up to a second later. The
        // other processes may be back at the store by then.
        var unused = connector.connect().whenComplete((connected, refused) -> {
            Connector.Link made = connector.usable();
            if (made != null) {
                take(most, answer, made);
            } else {
                answer.failed(connector.noConnection());
            }
        });
    }

    private void take(long most, Answer answer, Connector.Link present) {
        try {
            ask(most, answer, present);
        } catch (Throwable thrown) {
            // Nobody else hears of it where the question has waited for the connection.
            answer.failed(connector.why(thrown));
        }
    }

    private void ask(long most, Answer answer, Connector.Link present) {
        CompletableFuture<Object> taking = present.connection()
                .async()
                .eval(
                        TAKE,
                        ScriptOutputType.MULTI,
                        new byte[][] {key},
                        digits(most),
                        burst,
                        limit,
                        perNanos,
                        digits(KEPT.toMillis()))
                .toCompletableFuture();
        var unused = taking.whenComplete((taken, error) -> {
            connector.dropUnsound(present, error);
            if (error != null) {
                answer.failed(connector.why(error));
            } else if (taken instanceof List<?> both
                    && both.size() == 2
                    && both.get(0) instanceof Long permits
                    && both.get(1) instanceof Long micros) {
                answer.taken(permits, micros * 1_000);
            } else {
                // A proxy, or another service at this address.
                answer.failed(new IllegalStateException("the answer is none of a store: expected two numbers"));
            }
        });
        connector.dropIfSilent(present, taking);
    }

    @Override
    public void later(long nanos, Runnable task) {
        connector.onReader(nanos, task);
    }

    @Override
    public String toString() {
        return connector.toString();
    }
}
