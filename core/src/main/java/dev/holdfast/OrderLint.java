/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.internal.engine.Engine;
import dev.holdfast.internal.keyed.InUse;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Finds orders that hurt, by the names of the policies. Each warning begins with the name of its rule. */
final class OrderLint {
    /**
     * An order that hurts. The way out is always to swap the two.
     *
     * @param missing whether it hurts because the outer one does nothing inside the inner one: a second one there mends it
     */
    private record Rule(String name, String outer, String inner, String why, boolean missing) {
        boolean brokenBy(List<String> names) {
            int outermost = names.indexOf(outer);
            int innermost = names.lastIndexOf(inner);
            boolean mended = missing && names.lastIndexOf(outer) > innermost;
            return outermost >= 0 && outermost < innermost && !mended;
        }

        Rule unlessTwice() {
            return new Rule(name, outer, inner, why, true);
        }

        String warning() {
            return name + ": " + why + "; put the " + inner + " outside the " + outer;
        }
    }

    private static final List<Rule> ORDERS = List.of(
            inside("fallback", "retry", "the fallback answers after the first failure, so that nothing is retried"),
            inside("fallback", "circuit-breaker", "the breaker hears the fallback's answers and never opens"),
            inside("fallback", "stale-cache", "the fallback answers a failure before an older value can"),
            inside("stale-cache", "retry", "an old value answers after the first failure, so that nothing is retried"),
            inside(
                    "stale-cache",
                    "circuit-breaker",
                    "while the breaker is open nothing is served from the cache, and what the cache serves counts as the"
                            + " dependency's success"),
            inside("retry", "circuit-breaker", "the breaker counts one outcome for several attempts and opens late"),
            inside("hedge", "circuit-breaker", "the breaker counts one outcome for several attempts"),
            inside("hedge", "throttle", "hedges are not throttled, so that the dependency gets more than the limit")
                    .unlessTwice(),
            inside("hedge", "bulkhead", "hedges need no permit, so that more attempts run at once than the limit")
                    .unlessTwice(),
            inside("hedge", "timeout", "a hedge has only the time that the slow attempt before it has left"),
            outside("hedge", "retry", "retries run beside a hedge that has not ended, so that the attempts add up"),
            outside("hedge", "stale-cache", "a hedge would join the load that it is to overtake, and is turned away"),
            outside("hedge", "fallback", "an attempt that fails fast wins the race with its fallback"),
            inside("circuit-breaker", "throttle", "calls wait for the throttle only to be rejected by an open breaker"),
            inside("circuit-breaker", "bulkhead", "calls queue for a permit only to be rejected by an open breaker"),
            inside("hedge", "gate", "hedges start although the dependency has asked for time"),
            inside(
                    "circuit-breaker",
                    "gate",
                    "the breaker does not see that the gate obeys a pushback, and is held open by it, too"),
            inside("gate", "throttle", "calls wait for their turn only to be rejected by a closed gate"),
            inside("gate", "bulkhead", "a call holds its permit while it waits for the gate"),
            inside("gate", "timeout", "the wait for the gate uses up the time of the attempt"),
            outside("gate", "stale-cache", "a closed gate rejects calls that the cache could answer"),
            outside("gate", "retry", "retries start although the dependency has asked for time"),
            outside("adaptive-throttle", "stale-cache", "it rejects calls that the cache could answer"),
            outside("adaptive-throttle", "retry", "it counts one outcome for several attempts"),
            outside("throttle", "stale-cache", "answers from the cache use up the rate of the dependency"),
            outside("throttle", "retry", "retries are not throttled, so that the dependency gets more than the limit")
                    .unlessTwice(),
            outside("bulkhead", "stale-cache", "answers from the cache need a permit of the dependency"),
            outside("bulkhead", "retry", "a call holds its permit while it waits for its next attempt"),
            outside("timeout", "retry", "all attempts share its time, and the whole call is limited by a deadline"),
            outside("chaos", "retry", "only the first attempt of a call is ever troubled")
                    .unlessTwice(),
            outside("chaos", "hedge", "an attempt beside a slow one is never troubled")
                    .unlessTwice());

    /** Of which a second one hurts, and why. */
    private static final Map<String, String> ONE_IS_ENOUGH = Map.of(
            "retry", "two-retries: the attempts multiply; keep one",
            "circuit-breaker",
                    "two-circuit-breakers: both count the same attempts, and the first to open blinds the other; keep one",
            "stale-cache", "two-stale-caches: the outer one keeps what was already old in the inner one; keep one",
            "gate", "two-gates: both obey the same pushbacks; keep one",
            "deadline", "two-deadlines: only the shorter one is ever felt; keep that one");

    /** Of which one instance cannot be in a pipeline twice, and why. */
    private static final Map<String, String> NEVER_TWICE = Map.of(
            "bulkhead", "a call that holds a permit waits for another one of the same, and when all do so none goes on",
            "circuit-breaker", "a half-open probe is rejected by the breaker that sent it, which then never closes",
            "stale-cache", "a call that loads a key waits for itself to load it");

    static final String KEY_WITHOUT_IDEMPOTENCE = "key-without-idempotence";

    /** What policies of other modules say of themselves. */
    private static final Set<String> OF_POLICIES = Set.of(
            "chaos-enabled", "resilience4j-predicates", "resilience4j-unused-option", "resilience4j-blocking-wait");

    private OrderLint() {}

    static Set<String> rules() {
        Set<String> rules = new TreeSet<>(Set.of("deadline-not-outermost", KEY_WITHOUT_IDEMPOTENCE, "unknown-rule"));
        rules.addAll(OF_POLICIES);
        ORDERS.forEach(rule -> rules.add(rule.name));
        ONE_IS_ENOUGH.values().forEach(warning -> rules.add(warning.substring(0, warning.indexOf(':'))));
        return rules;
    }

    private static Rule inside(String inner, String outer, String why) {
        return new Rule(inner + "-inside-" + outer, outer, inner, why, false);
    }

    private static Rule outside(String outer, String inner, String why) {
        return new Rule(outer + "-outside-" + inner, outer, inner, why, false);
    }

    /**
     * What is known to hurt in this order.
     *
     * @throws IllegalArgumentException as {@link #rejectImpossible}
     */
    static List<String> check(String pipeline, List<Policy> outermostFirst) {
        rejectImpossible(pipeline, outermostFirst);
        // One in shadow changes nothing, wherever it stands, and what counts the calls of an instance is not the
        // user's.
        List<String> names = outermostFirst.stream()
                .filter(policy -> !(AroundPolicy.behind(policy) instanceof ShadowPolicy) && !(policy instanceof InUse))
                .map(Policy::name)
                .toList();
        List<String> warnings = new ArrayList<>();
        ORDERS.stream().filter(rule -> rule.brokenBy(names)).map(Rule::warning).forEach(warnings::add);
        names.stream()
                .distinct()
                .filter(name -> names.indexOf(name) < names.lastIndexOf(name))
                .flatMap(name -> Optional.ofNullable(ONE_IS_ENOUGH.get(name)).stream())
                .forEach(warnings::add);
        checkDeadline(names, warnings);
        warnings.addAll(NumberLint.check(outermostFirst));
        return warnings;
    }

    static boolean caches(List<Policy> policies) {
        return policies.stream().anyMatch(policy -> policy.name().equals("stale-cache"));
    }

    /** A rule of use, for operations that are made later than the pipeline. */
    static String keyedInVain(String operation) {
        return KEY_WITHOUT_IDEMPOTENCE + ": calls of '" + operation
                + "' have a key, but are not idempotent, so that the"
                + " stale-cache passes them by: none is joined or answered from memory; leave the key out if that is meant";
    }

    /**
     * Asks the policies what they are, and changes nothing.
     *
     * @throws IllegalArgumentException if they can never work together: more than 64, one instance twice that would wait for
     *     itself, or two of a kind of which there can be only one
     */
    static void rejectImpossible(String pipeline, List<Policy> policies) {
        // The interpreter keeps a bit for each layer.
        if (policies.size() > Long.SIZE) {
            throw new IllegalArgumentException(
                    "pipeline '" + pipeline + "' has " + policies.size() + " policies but may have at most 64");
        }
        for (int i = 0; i < policies.size(); i++) {
            Policy policy = ShadowPolicy.inside(policies.get(i));
            Object decides = policy.decidesWith();
            String why = NEVER_TWICE.get(policy.name());
            if (why != null
                    && policies.subList(0, i).stream()
                            .anyMatch(earlier -> ShadowPolicy.inside(earlier).decidesWith() == decides)) {
                throw new IllegalArgumentException("pipeline '" + pipeline + "' has the same " + policy.name()
                        + " twice and can never work: " + why);
            }
        }
        Engine.rejectImpossible(pipeline, policies);
    }

    private static void checkDeadline(List<String> names, List<String> warnings) {
        int first = names.indexOf("deadline");
        if (first > 0) {
            warnings.add("deadline-not-outermost: it does not bound what " + String.join(", ", names.subList(0, first))
                    + " does outside it; put the deadline first");
        }
    }
}
