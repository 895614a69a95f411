/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static java.time.Duration.ofNanos;

import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToDoubleBiFunction;

/**
 * A process whose limit heeds losses, in virtual time: so many calls a second, at random, with this timeout.
 *
 * @param ofErrors what the errors of the dependency are
 */
record OneProcess(int perSecond, Duration timeout, Verdict ofErrors) {
    /** What takes so many seconds hangs. */
    static final double FOR_EVER = Double.POSITIVE_INFINITY;

    OneProcess(int perSecond, Duration timeout) {
        this(perSecond, timeout, Verdict.FAILURE);
    }

    /**
     * Of the calls that neither hang nor fail, how many are answered between two seconds.
     *
     * @param seconds how long a call takes that is made in this second; of one that fails then, this is negative
     */
    double answered(long seed, int from, int end, ToDoubleBiFunction<Double, Random> seconds) {
        try (VirtualTime time = VirtualTime.seeded(seed)) {
            Pipeline pipeline = Pipeline.builder("inventory")
                    .policies(
                            BulkheadPolicy.of(b -> b.limit(BulkheadSettings.LimitAlgorithm.LOSSES)),
                            TimeoutPolicy.of(timeout))
                    .classifier((value, error) -> error == null ? Verdict.SUCCESS : ofErrors)
                    .time(time)
                    .build();
            Random random = new Random(seed);
            int[] calls = new int[1];
            int[] answers = new int[1];
            for (double now = 0; now < end; ) {
                double wait = -Math.log(1 - random.nextDouble()) / perSecond;
                now += wait;
                time.advance(ofNanos((long) (wait * 1e9)));
                double takes = seconds.applyAsDouble(now, random);
                boolean counts = now > from && takes >= 0 && takes < FOR_EVER;
                calls[0] += counts ? 1 : 0;
                var unused = pipeline.<String>callAsync(() -> {
                            CompletableFuture<String> answer = new CompletableFuture<>();
                            if (takes < FOR_EVER) {
                                time.schedule((long) (Math.abs(takes) * 1e9), () -> end(answer, takes >= 0));
                            }
                            return answer;
                        })
                        .whenComplete((value, error) -> answers[0] += counts && error == null ? 1 : 0);
            }
            time.advance(timeout.plusSeconds(1));
            pipeline.close();
            return (double) answers[0] / calls[0];
        }
    }

    private static void end(CompletableFuture<String> answer, boolean well) {
        if (well) {
            answer.complete("12");
        } else {
            answer.completeExceptionally(new IOException("500"));
        }
    }
}
