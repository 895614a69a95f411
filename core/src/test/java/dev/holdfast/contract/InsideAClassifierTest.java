/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallTimeoutException;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A classifier that asks another pipeline does so within the call's limits, and its question is not the attempt's work. */
@ThreadKind.Each
class InsideAClassifierTest {
    private static final Step BUSY = Step.error(new IllegalStateException("busy"));

    private final List<Exception> thrown = new ArrayList<>();
    private final Lab lab = new Lab();
    private final Pipeline flags =
            Pipeline.builder("flags").policies(retry()).time(lab.time).build();
    private CheckedSupplier<Object, Exception> question = () -> "on";

    @AfterEach
    void close() {
        lab.close();
    }

    private static RetryPolicy retry() {
        return RetryPolicy.of(
                r -> r.maxAttempts(2).initialBackoff(Duration.ofMillis(1)).budgetEnabled(false));
    }

    private Lab asking() {
        return lab.building(b -> b.classifier((value, error) -> {
            try {
                flags.call(question);
            } catch (Exception e) {
                thrown.add(e);
            }
            return error == null ? Verdict.SUCCESS : Verdict.PUSHBACK;
        }));
    }

    @ParameterizedTest
    @EnumSource
    void deadlineHoldsForItToo(Way way) {
        question = () -> {
            lab.time.sleep(Duration.ofSeconds(30));
            return "at last";
        };
        asking().layers(DeadlinePolicy.of(Duration.ofMillis(500)));
        Lab.Running call = lab.run(way, Step.value("answer").after(20));
        assertThat(thrown).singleElement().isInstanceOf(CallTimeoutException.class);
        assertThat(call.after()).isEqualTo(Duration.ofMillis(500));
    }

    @ParameterizedTest
    @EnumSource
    void callThatIsNotIdempotentIsRetriedAllTheSame(Way way) {
        asking().notIdempotent().layers(retry());
        assertThat(lab.run(way, BUSY).script.started()).isEqualTo(2);
    }

    /** As a fallback, it is no attempt. */
    @ParameterizedTest
    @EnumSource
    void whatItAsksIsRetriedAlsoAfterASecondAttempt(Way way) {
        Script noFlags = lab.script(BUSY);
        question = () -> noFlags.act(null);
        asking().layers(retry());
        assertThat(lab.run(way, BUSY).script.started()).isEqualTo(2);
        assertThat(noFlags.started()).isEqualTo(4);
    }
}
