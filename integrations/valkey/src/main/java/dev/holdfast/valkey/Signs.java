/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.valkey.RollCall.Count;
import io.lettuce.core.ScriptOutputType;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;

/** The list of the processes that have announced themselves under one name. */
final class Signs implements RollCall.Book {
    /**
     * Who has signed when, and since when there is such a list. Both keys go with the last sign. Returns how many are alive, and the
     * age of the list.
     */
    private static final String SIGN = """
            local time = redis.call('TIME')
            local now = time[1] * 1000 + math.floor(time[2] / 1000)
            local alive = tonumber(ARGV[2])
            redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - alive)
            redis.call('ZADD', KEYS[1], now, ARGV[1])
            redis.call('PEXPIRE', KEYS[1], alive)
            redis.call('SET', KEYS[2], now, 'NX')
            redis.call('PEXPIRE', KEYS[2], alive)
            return {redis.call('ZCARD', KEYS[1]), now - tonumber(redis.call('GET', KEYS[2]))}
            """;

    private final Connector connector;
    private final byte[] me;
    private final byte[][] keys;

    /**
     * The list of one name.
     *
     * @param me what stands in the list for this process
     */
    Signs(Connector connector, String name, byte[] me) {
        this.connector = connector;
        this.me = me;
        // The braces put both keys on one node of a cluster.
        String key = "holdfast:replicas:{" + name + "}";
        keys = new byte[][] {key.getBytes(StandardCharsets.UTF_8), (key + ":since").getBytes(StandardCharsets.UTF_8)};
    }

    @Override
    public CompletionStage<Count> sign() {
        Connector.Link present = connector.usable();
        if (present == null) {
            var unused = connector.connect();
            return CompletableFuture.failedStage(connector.noConnection());
        }
        byte[] alive = Long.toString(RollCall.ALIVE).getBytes(StandardCharsets.UTF_8);
        CompletionStage<List<Long>> answer = connector.unlessClosed(
                () -> present.connection().async().<List<Long>>eval(SIGN, ScriptOutputType.MULTI, keys, me, alive));
        if (answer == null) {
            return CompletableFuture.failedStage(connector.noConnection()); // else it would come after the goodbye
        }
        try {
            connector.dropIfSilent(present, answer.toCompletableFuture());
        } catch (IllegalStateException closedMeanwhile) {
            return CompletableFuture.failedStage(closedMeanwhile);
        }
        var unused = answer.whenComplete((told, error) -> connector.dropUnsound(present, error));
        return answer.thenApply(told -> new Count(told.get(0), told.get(1) >= RollCall.ALIVE));
    }

    @Override
    public void later(long nanos, Runnable task) {
        connector.later(nanos, task);
    }

    @Override
    public long nanos() {
        return System.nanoTime();
    }

    @Override
    public double random() {
        return ThreadLocalRandom.current().nextDouble();
    }

    /** This process is not counted any more. */
    CompletableFuture<?> takeOff(Connector.Link last) {
        return last.connection().async().zrem(keys[0], me).toCompletableFuture();
    }
}
