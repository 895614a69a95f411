/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.guarantee;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.contract.Around;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Probe;
import dev.holdfast.contract.Step;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Guarantee 4: a wait that does not fit into the remaining time is not begun. */
@ThreadKind.Each
class NoFutileWaitingTest {

    /** Each wait is a millisecond longer than it is to be. */
    private static TimeSource late(TimeSource time) {
        long late = millis(1).toNanos();
        return new Around(time) {
            @Override
            public Timer schedule(long delayNanos, Runnable task) {
                return super.schedule(delayNanos + late, task);
            }

            @Override
            public void park(Object blocker, long nanos) {
                super.park(blocker, nanos + late);
            }
        };
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void pauseThatDoesNotFitIsARejectionAtOnce(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("queue").entering(passage -> Decision.pause(6)));
            assertThat(lab.run(way, call -> call.deadline(millis(5)), Step.value("never"))
                            .end())
                    .isEqualTo(new Lab.End("rejected by call: DEADLINE_EXCEEDED", 0, millis(0)));
            assertThat(lab.log).containsExactly("queue enter", "queue abandon");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void pauseThatFitsIsKept(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("queue").entering(passage -> Decision.pause(5)));
            assertThat(lab.run(way, call -> call.deadline(millis(6)), Step.value("done"))
                            .end())
                    .isEqualTo(new Lab.End("done from LIVE", 1, millis(5)));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void attemptThatHasNoTimeLeftIsNotStarted(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(b -> b.time(late(lab.time)));
            lab.layers(lab.probe("queue").entering(passage -> Decision.pause(4)));
            assertThat(lab.run(way, call -> call.deadline(millis(5)), Step.value("never"))
                            .end())
                    .isEqualTo(new Lab.End("rejected by call: DEADLINE_EXCEEDED", 0, millis(5)));
            assertThat(lab.log).endsWith("queue settle REJECTED not started", "queue ended");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void retryThatDoesNotFitEndsWithTheLastError(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(RetryPolicy.of(r -> r.initialBackoff(millis(50)).jitter(Jitter.NONE)));
            IOException failed = new IOException("failed");
            Lab.Running running = lab.run(way, call -> call.deadline(millis(40)), Step.error(failed));
            assertThat(running.error()).isSameAs(failed);
            assertThat(running.end()).isEqualTo(new Lab.End("IOException: failed", 1, millis(0)));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void everyWaitOfACallCountsAgainstItsDeadline(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(
                    DeadlinePolicy.of(millis(100)),
                    RetryPolicy.of(r -> r.maxAttempts(9).jitter(Jitter.NONE)));
            // 10 + 50 + 10 are spent; the second wait would be 100.
            assertThat(lab.run(way, Step.error(new IOException("ill")).after(10))
                            .end())
                    .isEqualTo(new Lab.End("IOException: ill", 2, millis(70)));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void awaitEndsWithTheDeadlineAndIsAbandoned(Way way) {
        try (Lab lab = new Lab()) {
            Completion never = new Completion();
            lab.layers(lab.probe("outer"), lab.probe("queue").entering(passage -> Decision.await(never)));
            assertThat(lab.run(way, call -> call.deadline(millis(5)), Step.value("never"))
                            .end())
                    .isEqualTo(new Lab.End("rejected by call: DEADLINE_EXCEEDED", 0, millis(5)));
            assertThat(never.waiting()).isZero();
            assertThat(lab.log).contains("queue abandon", "outer settle REJECTED not started");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void awaitWithoutTimeLeftIsNotBegun(Way way) {
        try (Lab lab = new Lab()) {
            Completion never = new Completion();
            lab.building(b -> b.time(late(lab.time)));
            Probe slow = lab.probe("slow").entering(passage -> Decision.pause(4));
            lab.layers(slow, lab.probe("queue").entering(passage -> Decision.await(never)));
            assertThat(lab.run(way, call -> call.deadline(millis(5)), Step.value("never"))
                            .end())
                    .isEqualTo(new Lab.End("rejected by call: DEADLINE_EXCEEDED", 0, millis(5)));
            assertThat(lab.log).contains("queue abandon");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void awaitWithItsOwnShorterMaximumIsAskedAgain(Way way) {
        try (Lab lab = new Lab()) {
            Completion never = new Completion();
            Probe queue = lab.probe("queue")
                    .entering(passage -> passage.expired() ? Decision.REJECT : Decision.await(never, 3));
            lab.layers(queue);
            assertThat(lab.run(way, call -> call.deadline(millis(5)), Step.value("never"))
                            .end())
                    .isEqualTo(new Lab.End("rejected by queue: OTHER", 0, millis(3)));
            assertThat(lab.log).containsExactly("queue enter", "queue enter expired");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void waitOutsideATimeoutIsNotLimitedByIt(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("queue").entering(passage -> Decision.pause(10)), TimeoutPolicy.of(millis(5)));
            assertThat(lab.run(way, Step.value("done").after(4)).end())
                    .isEqualTo(new Lab.End("done from LIVE", 1, millis(14)));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void fallbackThatTakesTimeEndsWithTheDeadline(Way way) {
        try (Lab lab = new Lab()) {
            IOException ill = new IOException("ill");
            lab.layers(lab.probe("fallback").settling(passage -> Decision.stage(error -> new CompletableFuture<>())));
            Lab.Running running = lab.run(way, call -> call.deadline(millis(5)), Step.error(ill));
            assertThat(running.after()).isEqualTo(millis(5));
            assertThat(running.error()).isSameAs(ill);
            lab.assertLivesOver();
        }
    }
}
