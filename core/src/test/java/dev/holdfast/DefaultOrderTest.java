/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.testcalls.PlainPolicyFactory;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class DefaultOrderTest {

    private static PolicyFactory<?> factory(String key, int position) {
        return new PlainPolicyFactory(key, position, () -> policy(key));
    }

    private static Policy policy(String name) {
        return new Policy(name, 0) {};
    }

    // ---- what is on the class path

    @Test
    void twoFactoriesOfOneNameAreRefused() {
        PolicyFactory<?> intruder = new PlainPolicyFactory("retry", 1, () -> policy("retry")) {};
        assertThatIllegalStateException()
                .isThrownBy(() -> new DefaultOrder(List.of(factory("retry", 400), intruder)))
                .withMessage("two policies on the class path claim the name retry: "
                        + intruder.getClass().getName() + " and " + PlainPolicyFactory.class.getName());
    }

    @Test
    void standardPipelineHasItsPoliciesWhateverElseIsOnTheClassPath() {
        List<PolicyFactory<?>> factories = List.of(
                factory("timeout", 800),
                factory("mine", 1),
                factory("bulkhead", 700),
                factory("deadline", 100),
                factory("throttle", 600),
                factory("circuit-breaker", 500),
                factory("retry", 400));
        assertThat(new DefaultOrder(factories).standard())
                .extracting(Policy::name)
                .containsExactly("deadline", "retry", "circuit-breaker", "bulkhead", "timeout");
    }

    @Test
    void standardPipelineWithoutOneOfItsModulesIsRefused() {
        assertThatIllegalStateException()
                .isThrownBy(() -> Pipeline.standard("p"))
                .withMessage(
                        "pipeline 'p': the standard pipeline needs holdfast-bulkhead and holdfast-circuitbreaker on"
                                + " the class path; or say without(\"bulkhead\") and without(\"circuit-breaker\")");
        assertThatIllegalStateException()
                .isThrownBy(() ->
                        Pipeline.builder("p").standard().without("bulkhead").build())
                .withMessage(
                        "pipeline 'p': the standard pipeline needs holdfast-circuitbreaker on the class path; or say"
                                + " without(\"circuit-breaker\")");
    }

    // ---- the builder

    private static Pipeline.Builder standard() {
        return Pipeline.builder("p").standard().without("circuit-breaker").without("bulkhead");
    }

    @Test
    void policyStandsAtItsPlaceInTheDefaultOrder() {
        assertThat(standard().with(FallbackPolicy.value("x")).build())
                .hasToString("p: deadline > fallback > retry > timeout > call");
        assertThat(Pipeline.builder("p")
                        .with(TimeoutPolicy.of(Duration.ofSeconds(1)))
                        .with(RetryPolicy.ofDefaults())
                        .build())
                .hasToString("p: retry > timeout > call");
    }

    @Test
    void policyTakesThePlaceOfTheOneOfItsKind() {
        TimeoutPolicy mine = TimeoutPolicy.of(Duration.ofMillis(7));
        Pipeline pipeline = standard().with(mine).build();
        assertThat(pipeline).hasToString("p: deadline > retry > timeout > call");
        assertThat(pipeline.policies()).contains(mine);
        assertThat(Pipeline.builder("p")
                        .policies(policy("own"), TimeoutPolicy.of(Duration.ofSeconds(1)), policy("other"))
                        .with(mine)
                        .build())
                .hasToString("p: own > timeout > other > call");
    }

    @Test
    void policyWithoutAPlaceOrWithSeveralOfItsKindIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> standard().with(policy("gate")))
                .withMessage("the default order has no place for gate, since no factory on the class path has this"
                        + " name; use policies()");
        TimeoutPolicy timeout = TimeoutPolicy.of(Duration.ofSeconds(1));
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> Pipeline.builder("p").policies(timeout, timeout).with(timeout))
                .withMessage("there are 2 policies of the kind timeout in [timeout > timeout], and which one to replace"
                        + " is not known; use policies()");
    }

    @Test
    void policyIsLeftOut() {
        assertThat(standard().without("retry").build()).hasToString("p: deadline > timeout > call");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> standard().without("rettry"))
                .withMessage("there is no policy of the kind rettry in [deadline > retry > timeout]");
    }

    @Test
    void whatWasPutInIsNotLostBehindItsBack() {
        Policy retry = RetryPolicy.ofDefaults();
        List<Supplier<Pipeline.Builder>> twice = List.of(
                () -> Pipeline.builder("p").with(retry).standard(),
                () -> Pipeline.builder("p").with(retry).policies(retry),
                () -> Pipeline.builder("p").policies(retry).standard(),
                () -> Pipeline.builder("p").standard().policies(retry),
                () -> Pipeline.builder("p").policies(retry).policies(List.of()));
        for (Supplier<Pipeline.Builder> builder : twice) {
            assertThatIllegalStateException()
                    .isThrownBy(builder::get)
                    .withMessage("pipeline 'p': policies() or standard() comes once, and before with() and without();"
                            + " nothing is replaced");
        }
    }
}
