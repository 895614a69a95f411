/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static dev.holdfast.internal.Checks.number;
import static dev.holdfast.internal.Checks.text;

import dev.holdfast.spi.Policy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds settings that contradict one another. Each warning has the name of its rule, the numbers, and a remedy. Says nothing where
 * the numbers alone do not prove it, and nothing of policies whose order is wrong: {@link OrderLint} does.
 */
final class NumberLint {
    private static final Duration LONG_WAIT = Duration.ofSeconds(5);

    static final List<String> RULES = List.of(
            "timeout-not-below-deadline",
            "attempts-beyond-deadline",
            "retry-waits-without-deadline",
            "gate-waits-beyond-deadline",
            "throttle-waits-beyond-deadline",
            "bulkhead-waits-beyond-deadline",
            "probes-above-permits",
            "burst-of-one",
            "hedge-after-timeout",
            "cache-that-never-answers");

    private final SettingsOf settings;
    private final List<String> warnings = new ArrayList<>();

    private NumberLint(List<Policy> outermostFirst) {
        settings = new SettingsOf(outermostFirst);
    }

    static List<String> check(List<Policy> outermostFirst) {
        NumberLint lint = new NumberLint(outermostFirst);
        lint.attempts();
        lint.retryWaits();
        lint.waits("gate", "so that one that would have to wait so long is rejected at once");
        lint.waits("throttle", "so that one whose turn comes so late is rejected at once and never waits so long");
        lint.bulkheadWaits();
        lint.probes();
        lint.burst();
        lint.hedge();
        lint.cache();
        return lint.warnings;
    }

    private void warn(String rule, String why, String remedy) {
        warnings.add(rule + ": " + why + "; " + remedy);
    }

    // ---- rules

    private void attempts() {
        Optional<Duration> deadline = settings.time("deadline", "limit");
        Optional<Duration> timeout = settings.time("timeout", "limit");
        boolean retries = settings.has("retry");
        boolean inOrder = retries
                ? settings.isOutside("deadline", "retry") && settings.isOutside("retry", "timeout")
                : settings.isOutside("deadline", "timeout");
        if (deadline.isEmpty() || timeout.isEmpty() || !inOrder) {
            return;
        }
        if (timeout.get().compareTo(deadline.get()) >= 0) {
            warn(
                    "timeout-not-below-deadline",
                    "an attempt may take " + text(timeout.get()) + " of a call's " + text(deadline.get())
                            + ", so that the timeout never strikes and no time is left for another attempt",
                    "make the timeout shorter, or the deadline longer");
            return;
        }
        int attempts = settings.count("retry", "max-attempts").orElse(1);
        Duration all = timeout.get().multipliedBy(attempts);
        if (all.compareTo(deadline.get()) > 0) {
            warn(
                    "attempts-beyond-deadline",
                    number(attempts) + " attempts of " + text(timeout.get()) + " take " + text(all)
                            + ", and the deadline is " + text(deadline.get())
                            + ", so that a slow dependency is never tried so often",
                    "make the timeout shorter, the attempts fewer, or the deadline longer");
        }
    }

    /** A retry waits for an open breaker. With a function of the user's, the other waits say nothing. */
    private void retryWaits() {
        String breaker = "circuit-breaker";
        if (settings.has("deadline")
                || settings.isOutside("timeout", "retry")
                || !settings.isOutside("retry", breaker)
                || settings.count("retry", "max-attempts").orElse(1) == 1
                || settings.says(breaker, "wait-interval-function-in-open-state")) {
            return;
        }
        Stream.of("wait-duration-in-open-state", "max-wait-duration-in-open-state")
                .flatMap(option -> settings.time(breaker, option).stream())
                .max(Comparator.naturalOrder())
                .flatMap(open ->
                        settings.time("retry", "max-retry-after").map(most -> most.compareTo(open) < 0 ? most : open))
                .filter(wait -> wait.compareTo(LONG_WAIT) > 0)
                .ifPresent(wait -> warn(
                        "retry-waits-without-deadline",
                        "a failed call may wait as long as the circuit breaker is open, up to " + text(wait)
                                + " before each further attempt",
                        "add a deadline, or make the breaker's wait shorter"));
    }

    private void bulkheadWaits() {
        // Without a queue, max-wait says nothing.
        if (settings.count("bulkhead", "max-waiting-calls").orElse(0) > 0) {
            waits("bulkhead", "so that one that waits so long is never made");
        }
    }

    private void waits(String kind, String why) {
        Optional<Duration> wait = settings.time(kind, "max-wait");
        settings.time("deadline", "limit")
                .filter(deadline -> wait.isPresent() && wait.get().compareTo(deadline) >= 0)
                .filter(deadline -> settings.isOutside("deadline", kind))
                .ifPresent(deadline -> warn(
                        kind + "-waits-beyond-deadline",
                        "a call may wait " + text(wait.get()) + " for the " + kind + ", and its deadline is "
                                + text(deadline) + ", " + why,
                        "make max-wait much shorter than the deadline"));
    }

    private void probes() {
        Optional<Integer> probes = settings.count("circuit-breaker", "permitted-number-of-calls-in-half-open-state");
        settings.count("bulkhead", "max-concurrent-calls")
                .filter(permits -> settings.isOutside("circuit-breaker", "bulkhead") && probes.orElse(0) > permits)
                .ifPresent(permits -> warn(
                        "probes-above-permits",
                        "the half-open circuit breaker sends " + number(probes.get())
                                + " probes at once, and the bulkhead has " + number(permits) + " permits",
                        "make the probes fewer, or the bulkhead larger"));
    }

    private void burst() {
        int processes = settings.count("throttle", "replicas").orElse(1);
        boolean one = settings.count("throttle", "burst")
                .filter(burst -> burst / processes <= 1)
                .isPresent();
        if (one && settings.time("throttle", "max-wait").equals(Optional.of(Duration.ZERO))) {
            warn(
                    "burst-of-one",
                    "of two calls that come at the same moment the second one is turned away, however low the rate is",
                    "give the throttle a max-wait, or a burst of some calls for each process");
        }
    }

    private void hedge() {
        Optional<Duration> delay = settings.time("hedge", "delay");
        settings.time("timeout", "limit")
                .filter(limit -> delay.isPresent() && delay.get().compareTo(limit) >= 0)
                .filter(limit -> settings.isOutside("hedge", "timeout"))
                .filter(limit -> !settings.has("retry") || settings.isOutside("retry", "hedge"))
                .ifPresent(limit -> warn(
                        "hedge-after-timeout",
                        "a hedge begins after " + text(delay.get()) + ", and the attempt has ended after "
                                + text(limit),
                        "make the delay much shorter than the timeout"));
    }

    private void cache() {
        Stream<String> times = Stream.of("fresh", "stale-while-revalidate", "stale-if-error", "fresh-if-ignored");
        boolean valuesSay = settings.is("stale-cache", "freshness", "given");
        if (!valuesSay
                && times.allMatch(time -> settings.time("stale-cache", time).equals(Optional.of(Duration.ZERO)))) {
            warn(
                    "cache-that-never-answers",
                    "fresh, stale-while-revalidate and stale-if-error are all 0s, so that a value which brings no times of"
                            + " its own is never given",
                    "give it a stale-if-error, or leave it out");
        }
    }
}
