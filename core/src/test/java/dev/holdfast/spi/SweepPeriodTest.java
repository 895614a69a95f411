/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.timeout.TimeoutPolicy;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Delayed;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * How late a limit strikes on the system's time is the machine's affair; that it is looked at every millisecond is ours. The
 * timers have one thread. What runs there runs beside no sweep, so the next one is among the timers that are set, and how
 * far away it is only grows less while that is looked at: no load can make this fail.
 */
class SweepPeriodTest {
    private static final int LOOKS = 200;

    @Test
    void nextSweepIsNeverMoreThanAMillisecondAwayWhileALimitedCallIsInFlight() throws Exception {
        try (Pipeline pipeline = Pipeline.of("p", TimeoutPolicy.of(Duration.ofMinutes(1)))) {
            CompletableFuture<Object> call = pipeline.callAsync(CompletableFuture::new);
            for (int look = 0; look < LOOKS; look++) {
                assertThat(nearestTimerNanos()).as("look " + look).isLessThanOrEqualTo(1_000_000);
            }
            assertThat(call).isNotDone();
            call.cancel(true);
        }
    }

    private static long nearestTimerNanos() throws Exception {
        ScheduledThreadPoolExecutor timers = timers();
        return timers.submit(() -> timers.getQueue().stream()
                        .mapToLong(task -> ((Delayed) task).getDelay(TimeUnit.NANOSECONDS))
                        .min()
                        .orElse(Long.MAX_VALUE))
                .get(10, TimeUnit.SECONDS);
    }

    /** Nothing else tells when the next sweep is due. */
    private static ScheduledThreadPoolExecutor timers() throws ReflectiveOperationException {
        Field timers = SystemTime.class.getDeclaredField("timers");
        timers.setAccessible(true);
        return (ScheduledThreadPoolExecutor) timers.get(SystemTime.INSTANCE);
    }
}
