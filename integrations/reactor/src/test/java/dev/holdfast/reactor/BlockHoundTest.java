/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.reactor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.retry.RetryPolicy;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import reactor.blockhound.BlockHound;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** A service whose tests run with BlockHound: on a thread that must not block, whoever blocks gets an error. */
class BlockHoundTest {

    /** In a process of its own: BlockHound changes classes of the JDK, and asks for an option of the JVM. */
    static final class Program {
        private Program() {}

        public static void main(String[] args) throws InterruptedException, ExecutionException {
            BlockHound.install();
            System.out.println("a lock: " + waitingFor(new ReentrantLock()));
            System.out.println("a short lock: " + waitingFor(new ShortLock()));
            Pipeline pipeline = Pipeline.of("inventory", RetryPolicy.ofDefaults());
            Mono<String> call = ReactiveCall.<String>of(pipeline)
                    .mono(attempt -> Mono.just("answered"))
                    .subscribeOn(Schedulers.parallel());
            System.out.println("a first call: " + call.block());
        }

        /** What comes of a thread that must not block, and finds the lock taken. */
        @SuppressWarnings("LockNotBeforeTry") // between the two nothing can throw
        private static String waitingFor(ReentrantLock lock) throws InterruptedException, ExecutionException {
            AtomicReference<@Nullable Thread> waiter = new AtomicReference<>();
            lock.lock();
            CompletableFuture<@Nullable String> taken = Mono.fromCallable(() -> {
                        waiter.set(Thread.currentThread());
                        lock.lock();
                        lock.unlock();
                        return "taken";
                    })
                    .subscribeOn(Schedulers.parallel())
                    .onErrorResume(error -> Mono.just(error.getClass().getSimpleName()))
                    .toFuture();
            while (!isParked(waiter.get()) && !taken.isDone()) {
                Thread.onSpinWait();
            }
            lock.unlock();
            return String.valueOf(taken.get());
        }
    }

    private static boolean isParked(@Nullable Thread thread) {
        return thread != null && thread.getState() == Thread.State.WAITING;
    }

    @Test
    void whatIsAllowedIsThere() throws ClassNotFoundException {
        for (Map.Entry<String, String> allowed : HoldfastBlockHoundIntegration.ALLOWED.entrySet()) {
            assertThat(Class.forName(allowed.getKey()).getDeclaredMethods())
                    .extracting(Method::getName)
                    .contains(allowed.getValue());
        }
    }

    @Test
    void aPipelineMayTakeItsShortLocksWhereNobodyMayBlock() throws IOException, InterruptedException {
        Process program = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+AllowRedefinitionToAddDeleteMethods",
                        "-Ddev.holdfast.straight-after=0", // the first call reads classes, and not the thousandth
                        "-cp",
                        System.getProperty("java.class.path"),
                        Program.class.getName())
                .redirectErrorStream(true)
                .start();
        String said = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(program.waitFor()).as(said).isZero();
        assertThat(said).contains("a lock: BlockingOperationError", "a short lock: taken", "a first call: answered");
    }
}
