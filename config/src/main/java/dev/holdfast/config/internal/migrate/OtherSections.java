/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import dev.holdfast.internal.Checks;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Optional;

/** Makes the throttle, the bulkhead and the timeout. */
final class OtherSections {
    private static final Duration DEFAULT_PERIOD = Duration.ofNanos(500);

    private static final long DEFAULT_PERMITS = 25;

    private OtherSections() {}

    static Section throttle(Settings settings) {
        Section section = new Section(settings);
        section.comment(
                "trap: resilience4j counts in fixed periods, and lets twice the limit through around the end of one. So does"
                        + " a burst of the whole limit after a quiet time. Here further calls are spaced, and a smaller burst, by"
                        + " default a tenth of the limit and at least 5, spares the dependency (page \"Throttle\")");
        Optional<Duration> period = settings.given("limit-refresh-period").flatMap(Given::duration);
        Optional<Duration> per = section.duration("per", Section.SHORTEST, Section.LONGEST, "limit-refresh-period");
        if (!section.has("per")) {
            section.comment(
                    "trap: without limit-refresh-period, resilience4j's period is 500ns: the limit limits nothing. If you"
                            + " meant a second, write the limit of the file here, and per: 1s");
            inAPeriodOfHere(settings, section, DEFAULT_PERIOD, Section.SHORTEST);
            section.add("per", "1ms", "no period is written");
        } else if (period.filter(OtherSections::isTooShort).isPresent()) {
            inAPeriodOfHere(settings, section, period.get(), Section.SHORTEST);
        } else if (period.filter(given -> given.compareTo(Section.LONGEST) > 0).isPresent()) {
            inAPeriodOfHere(settings, section, period.get(), Section.LONGEST);
        } else {
            long most = Math.min(1_000_000_000, per.orElse(Section.LONGEST).toNanos());
            section.whole("limit", 1, most, "limit-for-period");
            section.add("limit", "50", "resilience4j's default");
        }
        section.add("burst", section.value("limit"), "resilience4j lets the whole limit start at once");
        section.duration("max-wait", Duration.ZERO, Duration.ofHours(1), "timeout-duration");
        section.add("max-wait", "5s", "resilience4j's default. Callers wait that long; the default here is 0s");
        return section.end();
    }

    private static boolean isTooShort(Duration period) {
        return period.compareTo(Duration.ZERO) > 0 && period.compareTo(Section.SHORTEST) < 0;
    }

    /** Writes the limit for the least or the longest period that there is here, at the rate that it has in another one, or less. */
    private static void inAPeriodOfHere(Settings settings, Section section, Duration period, Duration here) {
        Optional<Given> written = settings.take("limit-for-period");
        Optional<Given> limit = written.filter(given -> given.number().isPresent());
        double calls = limit.flatMap(Given::number).map(BigDecimal::doubleValue).orElse(50.0);
        double most = Math.min(1_000_000_000, here.toNanos());
        double scaled = Math.max(1, calls) * here.toNanos() / seconds(period) / 1e9;
        boolean shorter = here.compareTo(period) < 0;
        // A quota is not to be exceeded.
        double whole = shorter ? Math.floor(scaled) : Math.rint(scaled);
        String value = Long.toString((long) Math.max(1, Math.min(most, whole)));
        String in = "in " + Checks.text(period);
        String end = shorter ? "longest" : "least";
        limit.ifPresentOrElse(
                given -> section.changed(
                        "limit",
                        value,
                        given,
                        in + ", and the " + end + " period here is " + Checks.text(here) + "; "
                                + (scaled > most
                                        ? "the most here"
                                        : scaled < 1 ? "the least here, a higher rate" : "the rate stays")),
                () -> section.add("limit", value, "resilience4j's default, 50 " + in));
        written.filter(given -> limit.isEmpty())
                .ifPresent(given -> section.comment("left out: " + given.shown() + "; it is no number"));
    }

    /** Also of a century, which is more nanoseconds than a long has. */
    private static double seconds(Duration period) {
        return period.toSeconds() + period.toNanosPart() / 1e9;
    }

    static Section bulkhead(Settings settings) {
        Section section = new Section(settings);
        section.whole("max-concurrent-calls", 1, 1_000_000, "max-concurrent-calls", "max-concurrent-call");
        section.add(
                "max-concurrent-calls",
                Long.toString(DEFAULT_PERMITS),
                "resilience4j's default; without a number, the limit adapts here");
        section.duration("max-wait", Duration.ZERO, Section.LONGEST, "max-wait-duration", "max-wait-time");
        if (!section.has("max-wait")) {
            section.comment("not written: max-wait-duration. resilience4j rejects at once; here up to 100 calls wait"
                    + " for up to 100ms (page \"Bulkhead\")");
        }
        return section.end();
    }

    /** The permits of a bulkhead or a thread pool, without taking them. */
    static long permits(Settings settings) {
        return new Section(settings.copy())
                .whole(
                        "max-concurrent-calls",
                        1,
                        1_000_000,
                        "max-concurrent-calls",
                        "max-concurrent-call",
                        "max-thread-pool-size")
                .orElse(DEFAULT_PERMITS);
    }

    /** The limit is the {@link #timeLimit} of the same pipeline, if it has one. */
    static Section threadPool(Settings settings, Optional<String> limit) {
        Section section = new Section(settings);
        Optional<Given> core = settings.take("core-thread-pool-size");
        Optional<Long> most = section.whole("max-concurrent-calls", 1, 1_000_000, "max-thread-pool-size");
        if (!section.has("max-concurrent-calls")) {
            section.comment("not written: max-thread-pool-size. resilience4j's default is the number of processors."
                    + " Without a number, the limit adapts here");
            section.add("max-concurrent-calls", Long.toString(DEFAULT_PERMITS), "write how many calls may run at once");
        }
        core.ifPresent(
                given -> section.comment("left out: " + given.shown() + "; threads are made as calls need them"));
        if (core.isPresent()
                && most.isPresent()
                && !core.get().text().equals(most.get().toString())) {
            section.comment(
                    "trap: resilience4j's pool has " + Text.shown(core.get().text())
                            + " threads until its queue is full, and only then up to " + most.get()
                            + ". Here calls wait only if " + most.get() + " run");
        }
        section.whole("max-waiting-calls", 0, 1_000_000, "queue-capacity");
        section.add(
                "max-wait",
                limit.orElse("1d"),
                limit.isPresent()
                        ? "resilience4j's TimeLimiter also limits the wait in the queue"
                        : "resilience4j's queue has no limit of time. Choose a much shorter one");
        section.add("dedicated-threads", "true", "as in a thread pool");
        return section.end();
    }

    /** The limit of a time limiter, without taking it; resilience4j's default if none is written that is a time. */
    static String timeLimit(Settings settings) {
        Section timeout = new Section(settings.copy());
        timeout.duration("limit", Section.SHORTEST, Section.LONGEST, "timeout-duration", "timeout");
        return timeout.has("limit") ? timeout.value("limit") : "1s";
    }

    static Section timeout(Settings settings) {
        Section section = new Section(settings);
        Optional<Given> cancels = settings.take("cancel-running-future");
        section.duration("limit", Section.SHORTEST, Section.LONGEST, "timeout-duration", "timeout");
        section.add("limit", "1s", "resilience4j's default; here it is 3s");
        cancels.ifPresent(given -> section.comment(
                given.flag().orElse(true)
                        ? given.kept() + ": " + given.shown()
                        : "changed: " + given.shown() + "; work is always cancelled or interrupted"));
        section.comment(
                "trap: resilience4j's TimeLimiter knows futures only, and leaves a blocking call alone. Here the thread of a"
                        + " blocking call is interrupted, too (page \"Timeout\")");
        return section.end();
    }
}
