/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class RecordingObserverTest {

    @Test
    void eachEventIsALineWithItsTime() {
        try (VirtualTime time = new VirtualTime()) {
            RecordingObserver log = new RecordingObserver(time);
            long start = time.nanos();
            Pipeline pipeline = Pipeline.builder("stock")
                    .policies(RetryPolicy.of(r -> r.maxAttempts(2).jitter(Jitter.NONE)))
                    .observer(log)
                    .time(time)
                    .build();
            assertThat(catchThrowable(
                            () -> pipeline.operation("look-up").unkeyed().call(attempt -> {
                                throw new IOException("ill");
                            })))
                    .hasMessage("ill");
            pipeline.close();
            long later = start + 50_000_000;
            assertThat(log.lines())
                    .containsExactly(
                            start + " stock opened",
                            start + " stock/look-up attempt 1 FAILURE in 0 ns",
                            start + " stock/look-up retry after 1 attempts in 50000000 ns",
                            later + " stock/look-up attempt 2 FAILURE in 0 ns",
                            later + " stock/look-up no retry after 2 attempts: EXHAUSTED",
                            later + " stock/look-up call FAILURE from LIVE after 2 attempts in 50000000 ns",
                            later + " stock closed");
        }
    }

    @Test
    void withoutATimeThereIsNoneInTheLines() {
        RecordingObserver log = new RecordingObserver();
        log.rejected("stock", null, "bulkhead", Reason.BULKHEAD_FULL);
        log.stateChanged("stock", "circuit-breaker", "closed", "open", "6 of 10 calls failed");
        log.overrun("stock", "look-up", 7);
        log.writtenOff("stock", null, "bulkhead");
        log.backgroundSettled("stock", null, dev.holdfast.Outcome.SUCCESS, 3);
        log.retryRefused("stock", null, 1, Refusal.BUDGET);
        log.note("a line of the test's own");
        assertThat(log.text()).isEqualTo("""
                        stock rejected by bulkhead: BULKHEAD_FULL
                        stock circuit-breaker closed > open: 6 of 10 calls failed
                        stock/look-up overrun of 7 ns
                        stock written off by bulkhead
                        stock background call SUCCESS in 3 ns
                        stock no retry after 1 attempts: BUDGET
                        a line of the test's own
                        """);
    }
}
