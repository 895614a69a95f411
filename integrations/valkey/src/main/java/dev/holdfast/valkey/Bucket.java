/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.BucketState;
import io.github.bucket4j.VerboseResult;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;

/** The permits of one limit, in a bucket of Bucket4j. */
final class Bucket implements PermitStore {
    private final Connector connector;
    private final ServerTime time;
    private final byte[] key;
    private final BucketConfiguration limit;

    Bucket(Connector connector, ServerTime time, byte[] key, BucketConfiguration limit) {
        this.connector = connector;
        this.time = time;
        this.key = key;
        this.limit = limit;
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
        boolean known = time.isFresh();
        CompletableFuture<?> taking = (known ? CompletableFuture.completedFuture(null) : readTime(present))
                .thenCompose(read -> present.buckets()
                        .builder()
                        .build(key, () -> CompletableFuture.completedFuture(limit))
                        .asVerbose()
                        .tryConsumeAsMuchAsPossible(most))
                .whenComplete((taken, error) -> {
                    connector.dropUnsound(present, error);
                    if (error == null) {
                        if (taken.getValue() == 0) {
                            keepUp(taken, !known);
                        }
                        answer.taken(taken.getValue(), untilNext(taken));
                    } else {
                        answer.failed(connector.why(error));
                    }
                });
        connector.dropIfSilent(present, taking);
    }

    private CompletableFuture<?> readTime(Connector.Link present) {
        long asked = time.nanos();
        return present.connection()
                .async()
                .time()
                .thenAccept(told -> time.read(asked, number(told.get(0)) * 1_000_000_000 + number(told.get(1)) * 1_000))
                .toCompletableFuture();
    }

    @Override
    public void later(long nanos, Runnable task) {
        connector.onReader(nanos, task);
    }

    private static long number(byte[] digits) {
        return Long.parseLong(new String(digits, StandardCharsets.US_ASCII));
    }

    /**
     * An empty bucket may be ahead: the server's clock has gone back, or a process with another clock has written it. It is not
     * followed before the server was asked for its time in the same question, since this process may be behind.
     */
    private void keepUp(VerboseResult<Long> none, boolean justRead) {
        long lead = lead(none);
        if (lead > 0 && justRead) {
            time.follow(none.getOperationTimeNanos() + lead);
        } else if (lead > 0) {
            time.forget();
        }
    }

    /** How far the bucket is ahead, as Bucket4j tells nobody; 0 if it is less than the times of two processes may differ. */
    private static long lead(VerboseResult<Long> none) {
        long next = none.getOperationTimeNanos() + untilNext(none);
        long low = ServerTime.FRESH_NANOS;
        if (hasPermit(none, next + low)) {
            return 0;
        }
        long high = Long.MAX_VALUE - next;
        while (high - low > 1) {
            long lead = low + (high - low) / 2;
            if (hasPermit(none, next + lead)) {
                high = lead;
            } else {
                low = lead;
            }
        }
        return high;
    }

    private static boolean hasPermit(VerboseResult<Long> seen, long then) {
        BucketState later = seen.getState().copy();
        later.refillAllBandwidth(then);
        return later.getAvailableTokens() > 0;
    }

    private static long untilNext(VerboseResult<Long> taken) {
        return taken.getState()
                .calculateDelayNanosAfterWillBePossibleToConsume(1, taken.getOperationTimeNanos(), false);
    }

    @Override
    public String toString() {
        return connector.toString();
    }
}
