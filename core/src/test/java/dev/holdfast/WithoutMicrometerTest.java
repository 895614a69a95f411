/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URL;
import java.net.URLClassLoader;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

class WithoutMicrometerTest {

    @Test
    void coreWorksWithoutMicrometerOnTheClassPath() throws Exception {
        URL[] alone = {locationOf(Pipeline.class), locationOf(WithoutMicrometerTest.class), locationOf(NullMarked.class)
        };
        try (URLClassLoader loader = new URLClassLoader(alone, ClassLoader.getPlatformClassLoader())) {
            assertThatThrownBy(() -> loader.loadClass("io.micrometer.core.instrument.MeterRegistry"))
                    .isInstanceOf(ClassNotFoundException.class);
            assertThatThrownBy(() -> loader.loadClass("io.micrometer.context.ContextRegistry"))
                    .isInstanceOf(ClassNotFoundException.class);
            assertThat(loader.getResource("META-INF/services/dev.holdfast.spi.CallContext"))
                    .as("names what needs it")
                    .isNotNull();
            Object answer =
                    loader.loadClass(Caller.class.getName()).getMethod("call").invoke(null);
            assertThat(answer).isEqualTo("alone: deadline > retry > timeout > call answered");
            assertThat(loader.loadClass(Caller.class.getName())
                            .getMethod("callAsync")
                            .invoke(null))
                    .isEqualTo("carried");
        }
    }

    private static URL locationOf(Class<?> type) {
        return type.getProtectionDomain().getCodeSource().getLocation();
    }

    /** Runs inside the bare class loader; also without resilience4j, whose interval function is an option. */
    public static final class Caller {
        private Caller() {}

        public static String call() {
            try (Pipeline pipeline = Pipeline.of(
                    "alone",
                    dev.holdfast.deadline.DeadlinePolicy.of(java.time.Duration.ofHours(5)),
                    dev.holdfast.retry.RetryPolicy.ofDefaults(),
                    dev.holdfast.timeout.TimeoutPolicy.of(java.time.Duration.ofHours(1)))) {
                return pipeline + " " + pipeline.call(() -> "answered");
            }
        }

        /** With a context of the user's own. */
        public static String callAsync() {
            ThreadLocal<String> own = new ThreadLocal<>();
            try (Pipeline pipeline = Pipeline.builder("own")
                    .context(() -> {
                        String captured = own.get();
                        return () -> {
                            own.set(captured);
                            return own::remove;
                        };
                    })
                    .build()) {
                own.set("carried");
                CompletableFuture<String> stage = new CompletableFuture<>();
                CompletableFuture<String> answer =
                        pipeline.callAsync(() -> stage).thenApply(v -> own.get());
                own.remove();
                stage.complete("v");
                return answer.join();
            }
        }
    }
}
