/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CheckedFunction;
import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testing.RecordingObserver;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A hundred blocking and a hundred asynchronous calls contend for ten permits: the seed says all that happens. */
class SameSeedSameLogTest {
    private static final int CALLERS = 100;
    private static final int PERMITS = 10;

    private static String log(long seed) {
        try (VirtualTime time = VirtualTime.seeded(seed)) {
            RecordingObserver log = new RecordingObserver(time);
            Random random = new Random(seed);
            BulkheadPolicy bulkhead = BulkheadPolicy.of(
                    b -> b.maxConcurrentCalls(PERMITS).maxWaitingCalls(150).maxWait(Duration.ofMillis(80)));
            Pipeline pipeline = Pipeline.builder("contended")
                    .policies(
                            RetryPolicy.of(
                                    r -> r.maxAttempts(2).retryRejections(true).seed(seed)),
                            bulkhead,
                            TimeoutPolicy.of(Duration.ofMillis(12)))
                    .observer(log)
                    .time(time)
                    .build();
            int[] running = new int[1];
            int[] most = new int[1];
            List<CompletableFuture<?>> ends = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                String blocking = "blocking " + i;
                Duration start = Duration.ofNanos(random.nextInt(20_000_000));
                ends.add(time.spawn(() -> {
                            time.sleep(start);
                            return pipeline.call(() -> {
                                most[0] = Math.max(most[0], ++running[0]);
                                try {
                                    time.sleep(Duration.ofNanos(random.nextInt(15_000_000)));
                                    return answer(random);
                                } finally {
                                    running[0]--;
                                }
                            });
                        })
                        .handle((value, error) -> note(log, blocking, value, error)));
                String async = "async " + i;
                Supplier<CompletableFuture<String>> action = () -> {
                    most[0] = Math.max(most[0], ++running[0]);
                    CompletableFuture<String> work = new CompletableFuture<>();
                    time.schedule(random.nextInt(15_000_000), () -> complete(work, random));
                    // The work itself is returned: cancelling what is derived from it would not reach it.
                    var unused = work.whenComplete((value, error) -> running[0]--);
                    return work;
                };
                time.schedule(
                        random.nextInt(20_000_000),
                        () -> ends.add(
                                pipeline.callAsync(action).handle((value, error) -> note(log, async, value, error))));
            }
            time.run();
            assertThat(ends).hasSize(2 * CALLERS).allMatch(CompletableFuture::isDone);
            assertThat(most[0]).as("seed %d: calls at once", seed).isEqualTo(PERMITS);
            assertThat(bulkhead.inFlight()).as("seed %d: permits out", seed).isZero();
            assertThat(bulkhead.waiting()).as("seed %d: waiting", seed).isZero();
            return log.text();
        }
    }

    private static String answer(Random random) throws IOException {
        if (random.nextInt(4) == 0) {
            throw new IOException("ill");
        }
        return "well";
    }

    private static void complete(CompletableFuture<String> work, Random random) {
        CheckedFunction<Random, String, IOException> answer = SameSeedSameLogTest::answer;
        try {
            work.complete(answer.apply(random));
        } catch (IOException ill) {
            work.completeExceptionally(ill);
        }
    }

    private static String note(RecordingObserver log, String caller, String value, Throwable error) {
        log.note(caller + " got " + (error == null ? value : error.getClass().getSimpleName()));
        return caller;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 42, 20_261_125})
    void sameSeedGivesTheSameLogByteForByte(long seed) {
        byte[] once = log(seed).getBytes(UTF_8);
        byte[] again = log(seed).getBytes(UTF_8);
        assertThat(again).as("log of seed %d", seed).isEqualTo(once);
    }

    @Test
    void logTellsOfEveryCallAndOfContention() {
        String log = log(7);
        assertThat(log.lines().filter(line -> line.contains(" call ")).count()).isEqualTo(2 * CALLERS);
        assertThat(log.lines().filter(line -> line.contains(" got ")).count()).isEqualTo(2 * CALLERS);
        assertThat(log).contains("retry after").contains("TIMEOUT");
    }

    @Test
    void anotherSeedGivesAnotherLog() {
        assertThat(log(1)).isNotEqualTo(log(2));
    }
}
