/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import dev.holdfast.internal.Checks;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Makes the retry. */
final class RetrySection {
    private static final String MULTIPLIER = "exponential-backoff-multiplier";
    private static final String MOST = "exponential-max-wait-duration";

    private RetrySection() {}

    /**
     * The rejections are those that the list of exceptions names.
     *
     * @param inside whether a policy that makes one of them is inside the retry
     */
    static Section of(Settings settings, Set<String> rejections, boolean inside) {
        Section section = new Section(settings);
        section.comment(
                "trap: resilience4j has no budget for retries: in an outage each call has all its attempts. Here a"
                        + " budget is on, and only successes fill it (page \"Retry\")");
        long attempts = section.whole("max-attempts", 1, 1_000_000_000, "max-attempts", "max-retry-attempts")
                .orElse(3L);
        if (inside) {
            section.add(
                    "retry-rejections",
                    "true",
                    "retry-exceptions names " + names(rejections)
                            + ". It holds for the rejections of all policies inside the retry (page \"Retry\")");
        } else if (!rejections.isEmpty()) {
            section.comment("note: retry-exceptions names " + names(rejections)
                    + ", and no policy that rejects so is inside the retry here. A classifier is not asked for rejections: if"
                    + " you add such a policy, write `retry-rejections: true` (page \"Retry\")");
        }
        Optional<Given> enabled = settings.take("enable-exponential-backoff");
        boolean effect = settings.has("wait-duration");
        enabled.ifPresent(given -> section.commentFlag(given, effect));
        boolean grows = enabled.flatMap(Given::flag).orElse(false);
        if (grows) {
            ignoreMost(settings, section);
        }
        Optional<Given> most = grows ? settings.given(MOST) : Optional.empty();
        Optional<Duration> wait = section.firstWait("backoff.initial", Duration.ZERO, most, "wait-duration");
        if (!section.has("backoff.initial")) {
            String why = "resilience4j ignores it without a wait-duration";
            section.leaveOut(why, MULTIPLIER, MOST, "enable-randomized-wait", "randomized-wait-factor");
            section.comment("not written: wait-duration. resilience4j waits exactly 500ms each time; here the wait is"
                    + " up to 50ms at first, at random, and grows to at most 1s");
            return section.end();
        }
        if (grows) {
            growth(section, wait.orElse(Duration.ZERO), attempts);
        } else {
            section.add("backoff.multiplier", "1", "resilience4j's wait does not grow");
            section.add("backoff.max", section.value("backoff.initial"), "the same");
        }
        jitter(settings, section);
        section.leaveOut("resilience4j ignores it without enable-exponential-backoff", MULTIPLIER, MOST);
        return section.end();
    }

    private static String names(Set<String> classes) {
        return classes.stream()
                .map(name -> name.substring(name.lastIndexOf('.') + 1))
                .collect(Collectors.joining(", "));
    }

    /** Leaves the longest wait out if resilience4j does. */
    private static void ignoreMost(Settings settings, Section section) {
        boolean random =
                settings.given("enable-randomized-wait").flatMap(Given::flag).orElse(false);
        if (!settings.has(MULTIPLIER)) {
            section.leaveOut("resilience4j ignores it without " + MULTIPLIER, MOST);
        } else if (random && !settings.has("randomized-wait-factor")) {
            section.leaveOut("resilience4j ignores it with enable-randomized-wait and no randomized-wait-factor", MOST);
        }
    }

    private static void growth(Section section, Duration wait, long attempts) {
        Optional<BigDecimal> multiplier = section.decimal("backoff.multiplier", 1, 100, MULTIPLIER);
        section.add("backoff.multiplier", "1.5", "resilience4j's default");
        section.duration("backoff.max", wait, Section.LONGEST, MOST);
        if (section.has("backoff.max")) {
            section.compared("backoff.max", "backoff.initial", "it must be at least");
        } else {
            double factor = multiplier.map(BigDecimal::doubleValue).orElse(1.5);
            double longest = (double) wait.toMillis() * Math.pow(factor, Math.max(0, attempts - 2.0));
            Duration most = Duration.ofMillis(Math.round(Math.min(longest, (double) Section.LONGEST.toMillis())));
            String longestWait = Checks.text(most.compareTo(wait) < 0 ? wait : most);
            String[] options = {"max-attempts", "backoff.initial", "backoff.multiplier"};
            String variables = section.variables(options);
            String why = "resilience4j's wait has no limit; ";
            if (variables.isEmpty()) {
                section.add("backoff.max", longestWait, why + "this is the longest of " + attempts + " attempts");
            } else {
                why += Stream.of(options).anyMatch(section::isUnknown)
                        ? "it depends on " + variables
                        : "with the default of " + variables + " the longest of " + attempts + " attempts is "
                                + longestWait;
                section.add("backoff.max", Checks.text(Section.LONGEST), why);
            }
        }
    }

    private static void jitter(Settings settings, Section section) {
        Optional<Given> enabled = settings.take("enable-randomized-wait");
        if (enabled.flatMap(Given::flag).orElse(false)) {
            Optional<Given> factor = settings.take("randomized-wait-factor");
            boolean wide =
                    factor.flatMap(Given::number).map(BigDecimal::doubleValue).orElse(0.5) > 0.5;
            section.changed(
                    "backoff.jitter",
                    wide ? "full" : "equal",
                    factor.orElse(enabled.get()),
                    "resilience4j's wait is random on both sides of the written one; here it is "
                            + (wide
                                    ? "a random time between zero and the written one"
                                    : "half of the written one to all of it"));
            factor.ifPresent(given -> section.comment(enabled.get().kept() + ": "
                    + enabled.get().shown() + enabled.get().replaced()));
            return;
        }
        section.add(
                "backoff.jitter",
                "full",
                "resilience4j waits exactly the written time, so that clients that fail together come back together; here"
                        + " the wait is a random time between zero and the written one. With `jitter: none`"
                        + " the wait is exactly the written one");
        enabled.ifPresent(given -> section.comment("left out: " + given.shown() + "; here the wait has jitter"));
        section.leaveOut("resilience4j ignores it without enable-randomized-wait", "randomized-wait-factor");
    }
}
