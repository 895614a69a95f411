/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is done keeps nothing alive. */
class LetGoTest {
    private final ExecutorService idle = Executors.newSingleThreadExecutor();

    @AfterEach
    void end() {
        idle.shutdown();
    }

    private static void assertGoes(String what, WeakReference<?> reference) {
        long end = System.nanoTime() + Duration.ofMinutes(5).toNanos();
        while (reference.get() != null && System.nanoTime() - end < 0) {
            System.gc();
            Thread.onSpinWait();
        }
        assertThat(reference.get()).as(what).isNull();
    }

    private static CompletableFuture<Integer> called(Pipeline pipeline, byte[] request) {
        return pipeline.callAsync(() -> CompletableFuture.supplyAsync(() -> request.length));
    }

    @Test
    void futureThatIsDoneKeepsNothingOfItsCall() throws Exception {
        try (Pipeline pipeline = Pipeline.of("p", RetryPolicy.ofDefaults(), TimeoutPolicy.of(Duration.ofHours(1)))) {
            byte[] request = new byte[1 << 20];
            WeakReference<?> requestOfCall = new WeakReference<>(request);
            CompletableFuture<Integer> answer = called(pipeline, request);
            request = null;
            assertThat(answer.get()).isEqualTo(1 << 20);
            assertGoes("what the action captured", requestOfCall);
            assertThat(answer).isDone();
        }
    }

    @Test
    void futureThatWasCancelledKeepsNothingOfItsCall() {
        try (Pipeline pipeline = Pipeline.of("p", RetryPolicy.ofDefaults())) {
            byte[] request = new byte[1 << 20];
            WeakReference<?> requestOfCall = new WeakReference<>(request);
            CompletableFuture<Integer> answer = never(pipeline, request);
            request = null;
            answer.cancel(true);
            assertGoes("what the action captured", requestOfCall);
            assertThat(answer).isCancelled();
        }
    }

    private static CompletableFuture<Integer> never(Pipeline pipeline, byte[] request) {
        return pipeline.callAsync(() -> new CompletableFuture<Integer>().thenApply(i -> i + request.length));
    }

    /** Of a client that hangs, and that knows of no cancellation. */
    private static final class Hung extends CompletableFuture<byte[]> {
        @Override
        public boolean cancel(boolean mayInterrupt) {
            return false;
        }
    }

    @Test
    void attemptThatNeverEndsKeepsNothingOfItsCall() {
        try (Pipeline pipeline = Pipeline.of("p", RetryPolicy.ofDefaults())) {
            byte[] request = new byte[1 << 20];
            WeakReference<?> requestOfCall = new WeakReference<>(request);
            Hung hung = new Hung();
            hungCall(pipeline, request, hung).cancel(true);
            request = null;
            assertGoes("what the action captured", requestOfCall);
            assertThat(hung).isNotDone();
        }
    }

    private static CompletableFuture<byte[]> hungCall(Pipeline pipeline, byte[] request, Hung hung) {
        return pipeline.callAsync(() -> request.length > 0 ? hung : null);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void attemptThatNeverEndsKeepsNoAnswerOfTheOneBesideIt(int hanging) {
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline = Pipeline.builder("p")
                        .policies(HedgePolicy.of(
                                h -> h.delay(Duration.ofMillis(10)).budgetEnabled(false)))
                        .time(time)
                        .build()) {
            Hung hung = new Hung();
            WeakReference<?> answer = answeredBeside(pipeline, time, hung, hanging);
            assertGoes("the answer", answer);
            assertThat(hung).isNotDone();
        }
    }

    private static WeakReference<?> answeredBeside(Pipeline pipeline, VirtualTime time, Hung hung, int hanging) {
        CompletableFuture<byte[]> late = new CompletableFuture<>();
        CompletableFuture<byte[]> answer = pipeline.<byte[]>operation("o")
                .unkeyed()
                .callAsync(attempt -> attempt.number() == hanging ? hung : late);
        time.advance(Duration.ofMillis(20));
        late.complete(new byte[1 << 20]);
        time.run();
        return new WeakReference<>(answer.join());
    }

    @Test
    void futureThatIsDoneKeepsNoPipeline() throws Exception {
        Pipeline pipeline = Pipeline.of("p", RetryPolicy.ofDefaults());
        CompletableFuture<Integer> answer = called(pipeline, new byte[1]);
        assertThat(answer.get()).isOne();
        WeakReference<?> closed = new WeakReference<>(pipeline);
        pipeline.close();
        pipeline = null;
        assertGoes("the pipeline", closed);
        assertThat(answer).isDone();
    }

    @Test
    void threadThatIdlesKeepsNoClosedPipeline() throws Exception {
        WeakReference<?> closed = idle.submit(() -> {
                    Pipeline pipeline =
                            Pipeline.of("p", RetryPolicy.ofDefaults(), TimeoutPolicy.of(Duration.ofHours(1)));
                    assertThat(pipeline.<Integer, RuntimeException>call(() -> 1))
                            .isOne();
                    assertThat(pipeline.<String>operation("o").key("k").<RuntimeException>call(attempt -> "v"))
                            .isEqualTo("v");
                    pipeline.close();
                    return new WeakReference<>(pipeline);
                })
                .get();
        assertGoes("the pipeline", closed);
        assertThat(idle.submit(() -> 1).get()).as("the thread still lives").isOne();
    }

    @Test
    void threadThatIdlesKeepsNoClassLoader() throws Exception {
        assertGoes("the class loader", new WeakReference<>(calledInALoaderOfItsOwn()));
        assertThat(idle.submit(() -> 1).get()).as("the thread still lives").isOne();
    }

    /** As an application in a container, which brings this library along. */
    private ClassLoader calledInALoaderOfItsOwn() throws Exception {
        URL[] classes = {
            Pipeline.class.getProtectionDomain().getCodeSource().getLocation(),
            org.jspecify.annotations.Nullable.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
        };
        ClassLoader application = new URLClassLoader(classes, ClassLoader.getPlatformClassLoader());
        idle.submit(() -> {
                    Class<?> pipelines = application.loadClass(Pipeline.class.getName());
                    Class<?> policies = application.loadClass("dev.holdfast.spi.Policy");
                    Class<?> suppliers = application.loadClass("dev.holdfast.CheckedSupplier");
                    Object none = java.lang.reflect.Array.newInstance(policies, 0);
                    Object pipeline = pipelines
                            .getMethod("of", String.class, none.getClass())
                            .invoke(null, "p", none);
                    Object action = java.lang.reflect.Proxy.newProxyInstance(
                            application, new Class<?>[] {suppliers}, (proxy, method, arguments) -> 1);
                    assertThat(pipelines.getMethod("call", suppliers).invoke(pipeline, action))
                            .isEqualTo(1);
                    pipelines.getMethod("close").invoke(pipeline);
                    return null;
                })
                .get();
        return application;
    }

    @Test
    void deadlineThatIsBoundToAThreadOutlivesTheGarbageCollector() throws Exception {
        idle.submit(() -> {
                    Deadline.Binding of = Deadline.within(Duration.ofHours(1), Deadline.Binding::current);
                    Deadline.Binding.set(of);
                    return null;
                })
                .get();
        for (int i = 0; i < 3; i++) {
            WeakReference<?> garbage = new WeakReference<>(new byte[1]);
            assertGoes("garbage", garbage);
        }
        assertThat(idle.submit(Deadline::remaining).get()).isPresent();
        idle.submit(() -> Deadline.Binding.restore(null)).get();
        assertThat(idle.submit(Deadline::remaining).get()).isEmpty();
    }

    @Test
    void attemptThatIsBoundToAThreadOutlivesTheGarbageCollector() throws Exception {
        Deadline.Binding of;
        try (Pipeline outer = Pipeline.of("outer")) {
            of = outer.call(Deadline.Binding::current);
        }
        idle.submit(() -> Deadline.Binding.set(of)).get();
        for (int i = 0; i < 3; i++) {
            WeakReference<?> garbage = new WeakReference<>(new byte[1]);
            assertGoes("garbage", garbage);
        }
        assertThat(idle.submit(() -> Deadline.Binding.current() != null).get()).isTrue();
        idle.submit(() -> Deadline.Binding.restore(null)).get();
        assertThat(idle.submit(() -> Deadline.Binding.current() != null).get()).isFalse();
    }
}
