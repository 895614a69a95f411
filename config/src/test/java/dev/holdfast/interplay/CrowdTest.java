/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CheckedSupplier;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.throttling.ThrottlePolicy;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Callers by the thousand, each blocked on a thread of its own: they are served, and no virtual one holds a carrier meanwhile. */
class CrowdTest {
    private static final int PERMITS = 50;
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    @TempDir
    Path folder;

    static Stream<ThreadKind> kinds() {
        return ThreadKind.ofThisJvm().stream();
    }

    private static int crowd(ThreadKind kind) {
        return kind == ThreadKind.VIRTUAL ? 10_000 : 300;
    }

    /** How often a virtual thread could not let go of its carrier while it waited, as the JVM itself tells. */
    private long pinned(CheckedSupplier<?, Exception> action) throws Exception {
        Path file = folder.resolve("recording.jfr");
        try (Recording recording = new Recording()) {
            recording.enable("jdk.VirtualThreadPinned").withoutThreshold().withStackTrace();
            recording.start();
            action.get();
            recording.stop();
            recording.dump(file);
        }
        return pinnedIn(file);
    }

    private static long pinnedIn(Path file) throws IOException {
        return RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().equals("jdk.VirtualThreadPinned"))
                .count();
    }

    /** A thread that waits for another to initialize a class is pinned, whatever a pipeline does. */
    private static void makeReady(Pipeline pipeline) throws Exception {
        pipeline.call(() -> "ready");
    }

    /** Everybody calls at once; the answers are to come. */
    private static List<CompletableFuture<String>> crowdAt(
            Pipeline pipeline, ThreadKind kind, CheckedSupplier<String, Exception> action) {
        List<CompletableFuture<String>> answers = new ArrayList<>();
        for (int i = 0; i < crowd(kind); i++) {
            CompletableFuture<String> answer = new CompletableFuture<>();
            answers.add(answer);
            kind.newThread(() -> {
                        try {
                            answer.complete(pipeline.call(action));
                        } catch (Throwable thrown) {
                            answer.completeExceptionally(thrown);
                        }
                    })
                    .start();
        }
        return answers;
    }

    private static void assertServed(List<CompletableFuture<String>> answers) {
        CompletableFuture<Void> all = CompletableFuture.allOf(answers.toArray(new CompletableFuture<?>[0]));
        assertThat(all).succeedsWithin(PATIENCE);
        assertThat(answers).allMatch(answer -> answer.join().equals("served"));
    }

    private static void awaitPatiently(BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - start).isLessThan(PATIENCE.toNanos());
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aBulkheadsQueueIsServedAndPinsNobody(ThreadKind kind) throws Exception {
        BulkheadPolicy bulkhead = BulkheadPolicy.of(
                b -> b.maxConcurrentCalls(PERMITS).maxWaitingCalls(crowd(kind)).maxWait(PATIENCE));
        AtomicInteger running = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        CountDownLatch allAreThere = new CountDownLatch(1);
        try (Pipeline pipeline = Pipeline.of("crowd", bulkhead)) {
            makeReady(pipeline);
            assertThat(pinned(() -> {
                        List<CompletableFuture<String>> answers = crowdAt(pipeline, kind, () -> {
                            most.accumulateAndGet(running.incrementAndGet(), Math::max);
                            allAreThere.await();
                            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
                            running.decrementAndGet();
                            return "served";
                        });
                        awaitPatiently(() -> bulkhead.waiting() == crowd(kind) - PERMITS && running.get() == PERMITS);
                        allAreThere.countDown();
                        assertServed(answers);
                        return null;
                    }))
                    .isZero();
        }
        assertThat(most).hasValue(PERMITS);
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aThrottlesWaitersAreServedAtItsPaceAndPinNobody(ThreadKind kind) throws Exception {
        int crowd = crowd(kind);
        ThrottlePolicy throttle = ThrottlePolicy.of(
                t -> t.limit(crowd).per(Duration.ofSeconds(1)).burst(crowd / 10).maxWait(PATIENCE));
        long start = System.nanoTime();
        try (Pipeline pipeline = Pipeline.of("crowd", throttle)) {
            makeReady(pipeline);
            assertThat(pinned(() -> {
                        assertServed(crowdAt(pipeline, kind, () -> "served"));
                        return null;
                    }))
                    .isZero();
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(890));
    }

    /** Its initializer waits, which is native code's to call: one of the things for which a carrier is held. */
    private static final class Pinning {
        static final long WAITED = wait50ms();

        private static long wait50ms() {
            long start = System.nanoTime();
            do {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
            } while (System.nanoTime() - start < TimeUnit.MILLISECONDS.toNanos(50));
            return System.nanoTime() - start;
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aThreadThatIsPinnedWouldHaveBeenSeen(ThreadKind kind) throws Exception {
        CompletableFuture<Long> waited = new CompletableFuture<>();
        long seen = pinned(() -> {
            kind.newThread(() -> waited.complete(kind == ThreadKind.VIRTUAL ? Pinning.WAITED : 0))
                    .start();
            return waited.get(5, TimeUnit.MINUTES);
        });
        assertThat(seen > 0).isEqualTo(kind == ThreadKind.VIRTUAL);
    }
}
