/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OrderLintTest {
    private static final String DEFAULT_ORDER =
            "deadline fallback stale-cache retry hedge circuit-breaker gate throttle bulkhead timeout chaos";

    @Test
    void theDefaultOrderHurtsNobody() {
        assertThat(check(DEFAULT_ORDER)).isEmpty();
        assertThat(check("")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "retry fallback, fallback-inside-retry",
        "circuit-breaker fallback, fallback-inside-circuit-breaker",
        "stale-cache fallback, fallback-inside-stale-cache",
        "retry stale-cache, stale-cache-inside-retry",
        "circuit-breaker stale-cache, stale-cache-inside-circuit-breaker",
        "circuit-breaker retry, retry-inside-circuit-breaker",
        "throttle circuit-breaker, circuit-breaker-inside-throttle",
        "bulkhead circuit-breaker, circuit-breaker-inside-bulkhead",
        "gate hedge, hedge-inside-gate",
        "gate circuit-breaker, circuit-breaker-inside-gate",
        "throttle gate, gate-inside-throttle",
        "bulkhead gate, gate-inside-bulkhead",
        "timeout gate, gate-inside-timeout",
        "gate stale-cache, gate-outside-stale-cache",
        "gate retry, gate-outside-retry",
        "gate gate, two-gates",
        "throttle stale-cache, throttle-outside-stale-cache",
        "throttle retry, throttle-outside-retry",
        "bulkhead stale-cache, bulkhead-outside-stale-cache",
        "bulkhead retry, bulkhead-outside-retry",
        "timeout retry, timeout-outside-retry",
        "circuit-breaker hedge, hedge-inside-circuit-breaker",
        "throttle hedge, hedge-inside-throttle",
        "bulkhead hedge, hedge-inside-bulkhead",
        "timeout hedge, hedge-inside-timeout",
        "hedge retry, hedge-outside-retry",
        "hedge stale-cache, hedge-outside-stale-cache",
        "hedge fallback, hedge-outside-fallback",
        "chaos retry, chaos-outside-retry",
        "chaos hedge, chaos-outside-hedge",
        "retry deadline, deadline-not-outermost",
        "retry other retry, two-retries",
        "circuit-breaker circuit-breaker, two-circuit-breakers",
        "stale-cache stale-cache, two-stale-caches",
        "deadline deadline, two-deadlines",
    })
    void anOrderThatHurtsIsNamedWithReasonAndWayOut(String order, String rule) {
        assertThat(check(order)).singleElement().asString().matches(rule + ": .+; (put the|keep) .+");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"throttle throttle", "bulkhead bulkhead", "fallback fallback", "retry timeout timeout", "x x"})
    void twoOfAKindAreFineWhereTheyServe(String order) {
        assertThat(check(order)).isEmpty();
    }

    @Test
    void anOuterTwinIsSeenBehindAnInnerOne() {
        assertThat(check("timeout retry timeout")).singleElement().asString().startsWith("timeout-outside-retry: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "throttle retry throttle",
                "chaos retry chaos",
                "chaos hedge chaos",
                "throttle hedge throttle",
                "bulkhead hedge bulkhead"
            })
    void whatIsMissingInsideIsNotMissedIfASecondOneIsThere(String order) {
        assertThat(check(order)).isEmpty();
    }

    @Test
    void aSecondOneThatIsOutsideTooMendsNothing() {
        assertThat(check("throttle throttle retry")).singleElement().asString().startsWith("throttle-outside-retry: ");
    }

    @Test
    void whatADeadlineDoesNotBoundIsNamed() {
        assertThat(check("fallback retry deadline timeout"))
                .containsExactly("deadline-not-outermost: it does not bound what fallback, retry does outside it;"
                        + " put the deadline first");
    }

    @Test
    void aTimeoutMustBeShorterThanTheDeadline() {
        assertThat(check(DeadlinePolicy.of(ofMillis(251)), TimeoutPolicy.of(ofMillis(250))))
                .isEmpty();
        assertThat(check(DeadlinePolicy.of(ofMillis(250)), TimeoutPolicy.of(ofMillis(250))))
                .singleElement()
                .asString()
                .startsWith("timeout-not-below-deadline: an attempt may take 250ms of a call's 250ms");
    }

    @Test
    void everyRuleTurnsTheDefaultOrderIntoItself() {
        // Whoever follows the advice to swap ends in the default order: no two rules contradict each other.
        List<String> wanted = List.of(DEFAULT_ORDER.split(" "));
        Pattern advice = Pattern.compile("put the (\\S+) outside the (\\S+)$");
        List<String> reversed = new ArrayList<>(wanted);
        Collections.reverse(reversed);

        List<String> warnings = check(String.join(" ", reversed));

        assertThat(warnings).hasSize(30);
        for (String warning : warnings) {
            Matcher swap = advice.matcher(warning);
            if (swap.find()) {
                assertThat(wanted.indexOf(swap.group(1))).as(warning).isLessThan(wanted.indexOf(swap.group(2)));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bulkhead", "circuit-breaker", "stale-cache"})
    void oneInstanceThatWouldWaitForItselfIsRefused(String name) {
        Policy policy = named(name);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> check(policy, named("timeout"), policy))
                .withMessageStartingWith("pipeline 'inventory' has the same " + name + " twice and can never work: ");
    }

    @Test
    void twoPoliciesThatDecideWithOneObjectAreTheSame() {
        Object shared = new Object();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> check(decidingWith(shared), decidingWith(shared)))
                .withMessageStartingWith("pipeline 'inventory' has the same bulkhead twice and can never work: ");
        assertThat(check(decidingWith(shared), decidingWith(new Object()))).isEmpty();
    }

    private static Policy decidingWith(Object other) {
        return new Policy("bulkhead", Policy.ENTER) {
            @Override
            public Object decidesWith() {
                return other;
            }
        };
    }

    @Test
    void moreThan64PoliciesAreRefused() {
        Policy policy = named("x");

        assertThat(check(Collections.nCopies(64, policy).toArray(new Policy[0])))
                .isEmpty();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> check(Collections.nCopies(65, policy).toArray(new Policy[0])))
                .withMessage("pipeline 'inventory' has 65 policies but may have at most 64");
    }

    private static List<String> check(String order) {
        return check(Arrays.stream(order.split(" "))
                .filter(name -> !name.isEmpty())
                .map(OrderLintTest::named)
                .toArray(Policy[]::new));
    }

    private static List<String> check(Policy... outermostFirst) {
        return OrderLint.check("inventory", List.of(outermostFirst));
    }

    private static Policy named(String name) {
        return new Policy(name, Policy.ENTER) {};
    }
}
