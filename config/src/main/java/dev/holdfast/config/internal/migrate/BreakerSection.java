/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import dev.holdfast.internal.Checks;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Makes the circuit breaker. */
final class BreakerSection {
    private static final String MULTIPLIER = "exponential-backoff-multiplier";
    private static final String MOST = "exponential-max-wait-duration-in-open-state";
    private static final int DEFAULT_PROBES = 5;
    private static final Duration A_LONG_WAIT = Duration.ofSeconds(2);
    private static final Duration LONG_FOR_A_CALLER = Duration.ofSeconds(5);
    /** The default: resilience4j has no such option. */
    private static final Duration MAX_RETRY_AFTER = Duration.ofSeconds(30);

    private final Settings settings;
    private final long permits;
    private final boolean retried;
    private final Section section;
    private final List<String> unwritten = new ArrayList<>();

    private BreakerSection(Settings settings, long permits, boolean retried) {
        this.settings = settings;
        this.permits = permits;
        this.retried = retried;
        this.section = new Section(settings);
    }

    /** The permits are those of a bulkhead inside, and it is retried if there is a retry outside. */
    static Section of(Settings settings, long permits, boolean retried) {
        return new BreakerSection(settings, permits, retried).make();
    }

    private Section make() {
        if (settings.text("allow-health-indicator-to-fail").equals("true")) {
            section.comment(
                    "trap: with allow-health-indicator-to-fail an open breaker takes the whole application DOWN");
        }
        Optional<BigDecimal> threshold = section.decimal("failure-rate-threshold", 1, 100);
        unwritten("failure-rate-threshold", "there 50, here 90");
        if (threshold.filter(percent -> percent.intValue() <= 50).isPresent()) {
            section.comment(
                    "trap: at such a threshold the breaker takes away the other half of the answers, too. The default"
                            + " here is 90 (page \"Circuit breaker\")");
        }
        section.decimal("slow-call-rate-threshold", 1, 100);
        section.duration("slow-call-duration-threshold", Section.SHORTEST, Section.LONGEST);
        window();
        section.add("outage-duration-threshold", "0s", "resilience4j has no such rule");
        probes();
        String most = "max-wait-duration-in-half-open-state";
        boolean endless = settings.given(most)
                .flatMap(Given::duration)
                .filter(Duration::isZero)
                .isPresent();
        section.duration(most, endless ? Duration.ZERO : Section.SHORTEST, Section.LONGEST);
        section.word("transition-to-state-after-wait-duration", "open", "closed");
        waits();
        section.flag("automatic-transition-from-open-to-half-open-enabled");
        section.word("initial-state", "closed", "open", "half-open", "forced-open", "disabled", "metrics-only");
        section.comment(
                "not written: what resilience4j does not have. A Retry-After holds the breaker open for up to 10s"
                        + " (max-pushback-hold), and a call that still runs may count as slow (page \"Circuit breaker\")");
        if (!unwritten.isEmpty()) {
            section.comment("not written: " + String.join(", ", unwritten)
                    + ". The defaults here cost fewer answers (page \"Circuit breaker\")");
        }
        return section.end();
    }

    private void unwritten(String option, String defaults) {
        if (!section.has(option)) {
            unwritten.add(option + " (" + defaults + ")");
        }
    }

    private void probes() {
        String option = "permitted-number-of-calls-in-half-open-state";
        section.whole(option, 1, 1_000, option, "ring-buffer-size-in-half-open-state");
        if (permits < DEFAULT_PROBES) {
            section.add(option, Long.toString(permits), "there 10, here 5, and the bulkhead has no more permits");
        }
        unwritten(option, "there 10, here " + DEFAULT_PROBES);
    }

    private void window() {
        section.word("sliding-window-type", "count-based", "time-based");
        boolean byTime = section.value("sliding-window-type").equals("time-based");
        String name = "sliding-window-size";
        Optional<Long> size =
                section.whole(name, 1, byTime ? 3_600 : 100_000, name, "ring-buffer-size-in-closed-state");
        boolean minimum = settings.has("minimum-number-of-calls");
        if (!section.has(name) && !minimum) {
            unwritten(name, "there 100, here 50");
            unwritten("minimum-number-of-calls", "there 100, here 20");
            return;
        }
        boolean unknown = section.isUnknown(name);
        section.add(name, "100", "resilience4j's default");
        long most = byTime ? 1_000_000 : size.orElse(unknown ? 100_000L : 100L);
        section.whole("minimum-number-of-calls", 1, most);
        boolean small = !byTime && (unknown || most <= 100);
        String variables = small ? section.variables(name) : "";
        section.add(
                "minimum-number-of-calls",
                small ? section.value(name) : "100",
                "resilience4j's default, 100, or the size of a smaller count window"
                        + (variables.isEmpty() ? "" : "; if " + variables + " is above 100, write 100"));
        if (!byTime) {
            section.compared("minimum-number-of-calls", name, "it must be at most");
        }
    }

    private void waits() {
        String option = "wait-duration-in-open-state";
        boolean grows = settings.given("enable-exponential-backoff")
                .flatMap(Given::flag)
                .orElse(false);
        if (grows && !settings.has(MULTIPLIER)) {
            section.leaveOut("resilience4j ignores it without " + MULTIPLIER, MOST);
        }
        Optional<Duration> wait = section.firstWait(
                option,
                Section.SHORTEST,
                grows ? settings.given(MOST) : Optional.empty(),
                option,
                "wait-interval",
                "wait-duration-in-open-state-millis");
        boolean written = section.has(option);
        unwritten(option, "there 60s, here 100ms at first, growing to 2s");
        if (wait.filter(time -> time.compareTo(A_LONG_WAIT) > 0).isPresent()) {
            section.comment(
                    "trap: so long the breaker rejects everything, also if the dependency is back. The default here is"
                            + " 100ms at first, growing to 2s (page \"Circuit breaker\")");
        }
        if (retried && written) {
            callersWait(grows ? settings.given(MOST).flatMap(Given::duration) : wait);
        }
        Optional<Given> enabled = settings.take("enable-exponential-backoff");
        enabled.ifPresent(given -> section.commentFlag(given, written));
        if (written && grows) {
            section.decimal("wait-multiplier-in-open-state", 1, 10, MULTIPLIER);
            section.add("wait-multiplier-in-open-state", "1.5", "resilience4j's default");
            String most = "max-wait-duration-in-open-state";
            section.duration(most, wait.orElse(Section.SHORTEST), Section.LONGEST, MOST);
            if (section.has(most)) {
                section.compared(most, option, "it has no effect below");
            } else {
                section.add(most, "1d", "resilience4j's wait has no limit. Choose a much shorter one");
            }
        } else if (written) {
            section.add("wait-multiplier-in-open-state", "1", "resilience4j's wait does not grow");
        }
        section.leaveOut("resilience4j ignores it without enable-exponential-backoff and a wait", MULTIPLIER, MOST);
    }

    /** Where the pipeline itself warns of it, too. */
    private void callersWait(Optional<Duration> open) {
        Duration most = open.filter(time -> time.compareTo(MAX_RETRY_AFTER) < 0).orElse(MAX_RETRY_AFTER);
        if (most.compareTo(LONG_FOR_A_CALLER) > 0) {
            section.comment(
                    "trap: a call that failed waits for its next attempt until the breaker allows one, for up to "
                            + Checks.text(most)
                            + ". In resilience4j it does not wait for the breaker. Add a deadline (page"
                            + " \"Deadline\")");
        }
    }
}
