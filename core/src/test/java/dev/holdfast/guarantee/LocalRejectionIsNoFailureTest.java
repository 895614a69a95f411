/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.guarantee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Probe;
import dev.holdfast.contract.Step;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import org.apache.hc.core5.util.DeadlineTimeoutException;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Guarantee 2: what was turned away locally never reached the dependency, and every layer around is told so. */
@ThreadKind.Each
class LocalRejectionIsNoFailureTest {

    private static List<String> settlements(Lab lab) {
        return lab.log.stream().filter(line -> line.contains("settle")).toList();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void rejectionOnTheWayInIsSettledAsNotStarted(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(
                    lab.probe("outer"),
                    lab.probe("inner"),
                    lab.probe("gate").entering(passage -> Decision.REJECT),
                    lab.probe("unreached"));
            assertThat(lab.run(way, Step.value("never")).end())
                    .isEqualTo(new Lab.End("rejected by gate: OTHER", 0, Lab.millis(0)));
            assertThat(settlements(lab))
                    .containsExactly("inner settle REJECTED not started", "outer settle REJECTED not started");
            assertThat(lab.log).noneMatch(line -> line.startsWith("unreached"));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void clientsPoolWithoutAFreeConnectionIsARejection(Way way) {
        for (Exception full : List.of(
                new DeadlineTimeoutException("Deadline: 3 MINUTES"),
                new ConnectionRequestTimeoutException("Timeout deadline: 3 MINUTES"),
                new ConnectionPoolTimeoutException("Timeout waiting for connection from pool"),
                new InterruptedIOException("executor rejected"),
                new IOException("too many concurrent streams"),
                new IOException("of a client", new ConnectionRequestTimeoutException("Timeout deadline: 3 MINUTES")))) {
            try (Lab lab = new Lab()) {
                lab.layers(lab.probe("breaker"));
                assertThat(lab.run(way, Step.error(full)).error()).isSameAs(full);
                assertThat(settlements(lab)).containsExactly("breaker settle REJECTED");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void layerThatRejectsIsAskedNothingMore(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("gate").entering(passage -> Decision.REJECT));
            lab.run(way, Step.value("never"));
            assertThat(lab.log).containsExactly("gate enter");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void layerThatAdmitsNoMoreAfterAWaitIsSettledAsNotStarted(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(
                    lab.probe("outer"),
                    lab.probe("breaker").admitting(passage -> Decision.REJECT),
                    lab.probe("throttle").entering(passage -> Decision.pause(10)));
            assertThat(lab.run(way, Step.value("never")).end())
                    .isEqualTo(new Lab.End("rejected by breaker: OTHER", 0, Lab.millis(10)));
            assertThat(lab.log)
                    .containsExactly(
                            "outer enter",
                            "breaker enter",
                            "throttle enter",
                            "outer still admits",
                            "breaker still admits",
                            "throttle settle REJECTED not started",
                            "throttle ended",
                            "breaker settle REJECTED not started",
                            "breaker ended",
                            "outer settle REJECTED not started",
                            "outer ended");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void onlyLayersOutsideOfTheOneThatWaitedAreAskedAgain(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(
                    lab.probe("outer"),
                    lab.probe("throttle").entering(passage -> Decision.pause(10)),
                    lab.probe("inner"));
            assertThat(lab.run(way, Step.value("done")).end().what()).isEqualTo("done from LIVE");
            assertThat(lab.log)
                    .filteredOn(line -> line.endsWith("still admits"))
                    .containsExactly("outer still admits");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void layerOutsideOfARetryIsAskedAgainAfterItsBackoff(Way way) {
        try (Lab lab = new Lab()) {
            IOException failed = new IOException("failed");
            lab.layers(
                    lab.probe("breaker").admitting(passage -> Decision.REJECT),
                    RetryPolicy.of(r -> r.initialBackoff(Duration.ofMillis(10))));
            Lab.Running running = lab.run(way, Step.error(failed), Step.value("never"));
            assertThat(running.script.started()).isOne();
            assertThat(running.error()).isSameAs(failed);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void withoutAWaitNobodyIsAskedAgain(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("breaker").admitting(passage -> Decision.REJECT), lab.probe("inner"));
            assertThat(lab.run(way, Step.value("done")).end().what()).isEqualTo("done from LIVE");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void waitThatDoesNotFitIsSettledAsNotStarted(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(
                    DeadlinePolicy.of(Lab.millis(5)),
                    lab.probe("outer"),
                    lab.probe("queue").entering(passage -> Decision.pause(10)));
            assertThat(lab.run(way, Step.value("never")).end())
                    .isEqualTo(new Lab.End("rejected by deadline: DEADLINE_EXCEEDED", 0, Lab.millis(0)));
            assertThat(lab.log)
                    .containsExactly(
                            "outer enter",
                            "queue enter",
                            "queue abandon",
                            "outer settle REJECTED not started",
                            "outer ended");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void startedIsToldToEachLayerByItself(Way way) {
        // The outer layer holds both tries, the first of which ran; the inner one was entered anew for the second.
        try (Lab lab = new Lab()) {
            Probe retrying = lab.probe("retrying")
                    .settling(passage -> passage.outcome() == Outcome.FAILURE ? Decision.retry(1) : Decision.GO_ON);
            Probe gate =
                    lab.probe("gate").entering(passage -> passage.attempts() == 1 ? Decision.REJECT : Decision.GO_ON);
            lab.layers(lab.probe("outer"), retrying, lab.probe("inner"), gate);
            lab.run(way, Step.error(new IOException("first")));
            assertThat(settlements(lab))
                    .containsExactly(
                            "gate settle FAILURE",
                            "inner settle FAILURE",
                            "retrying settle FAILURE",
                            "inner settle REJECTED not started",
                            "retrying settle REJECTED",
                            "outer settle FAILURE");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void secondTryGivenUpJustBeforeItStartsLeavesTheFirstOneStarted(Way way) {
        try (Lab lab = new Lab()) {
            AtomicReference<Lab.Running> running = new AtomicReference<>();
            Probe retrying = lab.probe("retrying")
                    .settling(passage -> passage.outcome() == Outcome.FAILURE ? Decision.retry(1) : Decision.GO_ON);
            Probe quitting = lab.probe("quitting").entering(passage -> {
                if (passage.attempts() == 1) {
                    running.get().giveUp();
                }
                return Decision.GO_ON;
            });
            lab.layers(lab.probe("outer"), retrying, quitting);
            running.set(lab.start(
                    way,
                    Step.error(new IOException("first")),
                    Step.value("second").after(1)));
            lab.time.run();
            assertThat(settlements(lab))
                    .last()
                    .asString()
                    .startsWith("outer settle")
                    .doesNotContain("not started");
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void rejectionOfAnInnerPipelineIsARejectionHereToo(Way way) {
        try (Lab lab = new Lab()) {
            CallRejectedException inner =
                    new CallRejectedException(Reason.CIRCUIT_OPEN, "other", "circuit-breaker", "open", -1, null);
            lab.layers(lab.probe("outer"));
            assertThat(lab.run(way, Step.error(inner)).error()).isSameAs(inner);
            assertThat(settlements(lab)).containsExactly("outer settle REJECTED");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void rejectionNamesPipelinePolicyAndReasonAndHasNoStack(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("gate").entering(passage -> Decision.REJECT));
            CallRejectedException rejection =
                    (CallRejectedException) lab.run(way, Step.value("never")).error();
            assertThat(rejection.pipeline()).isEqualTo("lab");
            assertThat(rejection.policy()).isEqualTo("gate");
            assertThat(rejection.reason()).isEqualTo(Reason.OTHER);
            assertThat(rejection.retryAfter()).isEmpty();
            assertThat(rejection.getStackTrace()).isEmpty();
        }
    }
}
