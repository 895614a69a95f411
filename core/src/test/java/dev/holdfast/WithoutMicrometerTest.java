/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URL;
import java.net.URLClassLoader;
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
            Object answer =
                    loader.loadClass(Caller.class.getName()).getMethod("call").invoke(null);
            assertThat(answer).isEqualTo("alone: deadline > retry > timeout > call answered");
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
                    dev.holdfast.deadline.DeadlinePolicy.of(java.time.Duration.ofSeconds(5)),
                    dev.holdfast.retry.RetryPolicy.ofDefaults(),
                    dev.holdfast.timeout.TimeoutPolicy.of(java.time.Duration.ofSeconds(1)))) {
                return pipeline + " " + pipeline.call(() -> "answered");
            }
        }
    }
}
