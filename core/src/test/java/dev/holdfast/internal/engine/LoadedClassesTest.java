/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A call that is given up where the stack is nearly full must give back what it holds. There is room for its walk up, but not for
 * loading a class on the way.
 */
@Logs("hedge-outside-retry")
class LoadedClassesTest {

    /** Loads the library once more, and can tell what it loads. */
    private static final class Recording extends ClassLoader {
        private final List<String> loaded = new ArrayList<>();

        Recording() {
            super(LoadedClassesTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith("dev.holdfast.")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> known = findLoadedClass(name);
                return known == null ? define(name) : known;
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                byte[] bytes = in.readAllBytes();
                loaded.add(name);
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException unreadable) {
                throw new UncheckedIOException(unreadable);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"attempt", "attempt that goes on", "nested", "retry", "pause", "await", "hedge", "fallback"})
    void givingACallUpLoadsNoClass(String what) throws ReflectiveOperationException {
        Recording loader = new Recording();
        Constructor<?> program =
                Class.forName(Program.class.getName(), true, loader).getDeclaredConstructor();
        program.setAccessible(true);
        @SuppressWarnings("unchecked")
        BiConsumer<String, Runnable> run = (BiConsumer<String, Runnable>) program.newInstance();
        run.accept(what, loader.loaded::clear);
        // If a policy has no room for a class of its own, the walk catches what that throws.
        assertThat(loader.loaded)
                .filteredOn(name -> !name.startsWith("dev.holdfast.fallback."))
                .isEmpty();
    }

    /** Where the stack is nearly full, its initializer might find no room. Then it could never be used again. */
    @ParameterizedTest
    @ValueSource(classes = {CompletableFuture.class, CallFuture.class})
    void futuresOfCallsAreInitializedBeforeTheFirstCall(Class<?> future) throws Exception {
        Process jvm = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xlog:class+init=info",
                        "-cp",
                        System.getProperty("java.class.path"),
                        NoCall.class.getName())
                .redirectErrorStream(true)
                .start();
        String said = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(jvm.waitFor()).as(said).isZero();
        assertThat(said).contains("Initializing '" + future.getName().replace('.', '/') + "'");
    }

    /** The program of another JVM. */
    static final class NoCall {
        public static void main(String[] arguments) {
            Pipeline.of("p");
        }
    }

    /** Runs in a class loader of its own. Takes what a call is given up in, and what is run just before. */
    static final class Program implements BiConsumer<String, Runnable> {
        private static final Completion NEVER = new Completion();

        @Override
        public void accept(String what, Runnable before) {
            try (VirtualTime time = new VirtualTime()) {
                Pipeline pipeline = Pipeline.builder("p")
                        .policies(policies(what))
                        .time(time)
                        .build();
                CompletableFuture<String> call = pipeline.callAsync(action(what));
                time.advance(Duration.ofMillis(20));
                before.run();
                call.cancel(true);
            }
        }

        private static List<Policy> policies(String what) {
            List<Policy> policies = new ArrayList<>(List.of(new Holding("outer", what)));
            if (what.equals("hedge")) {
                policies.add(HedgePolicy.of(h -> h.delay(Duration.ofMillis(10)).budgetEnabled(false)));
            }
            if (what.equals("fallback")) {
                policies.add(FallbackPolicy.ofAsync(error -> new CompletableFuture<>()));
            }
            policies.add(
                    RetryPolicy.of(r -> r.initialBackoff(Duration.ofMinutes(1)).maxBackoff(Duration.ofMinutes(1))));
            policies.add(new Holding("inner", what));
            policies.add(TimeoutPolicy.of(Duration.ofMinutes(1)));
            return policies;
        }

        private static Supplier<CompletableFuture<String>> action(String what) {
            return switch (what) {
                case "attempt that goes on" -> GoesOn::new;
                case "nested" -> () -> Pipeline.of("in").callAsync(CompletableFuture::new);
                case "retry", "fallback" -> () -> CompletableFuture.failedFuture(new IOException("down"));
                default -> CompletableFuture::new;
            };
        }
    }

    private static final class GoesOn extends CompletableFuture<String> {
        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            return false;
        }
    }

    private static final class Holding extends Policy {
        private final String what;

        Holding(String name, String what) {
            super(name, ENTER | SUCCESS | FAILURE | ENDED);
            this.what = what;
        }

        @Override
        public int enter(Passage passage) {
            return switch (what) {
                case "pause" -> passage.pause(Long.MAX_VALUE);
                case "await" -> passage.await(Program.NEVER, Long.MAX_VALUE);
                default -> PROCEED;
            };
        }

        @Override
        public int settle(Passage passage) {
            return KEEP;
        }

        @Override
        public void ended(Passage passage) {}

        @Override
        public long lease() {
            return Duration.ofMinutes(1).toNanos();
        }
    }
}
