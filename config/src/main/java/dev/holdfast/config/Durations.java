/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.internal.Checks;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads times: {@code 250ms}, {@code 5s}, {@code 2m}, {@code 1h}, {@code 1d}, {@code 10us}, {@code 100ns}, and ISO-8601. */
final class Durations {
    static final String EXPECTED = "a duration such as 250ms, 5s or PT1M30S";

    private static final Duration LONGEST = Duration.ofDays(36_500);
    private static final Pattern SHORT = Pattern.compile("(-?[0-9]+)(ns|us|ms|s|m|h|d)");
    private static final Pattern NEARLY = Pattern.compile("([0-9][0-9_]*(?:\\.[0-9]+)?)\\s*(\\p{L}+)");

    private static final Map<String, ChronoUnit> UNITS = Map.of(
            "ns", ChronoUnit.NANOS,
            "us", ChronoUnit.MICROS,
            "ms", ChronoUnit.MILLIS,
            "s", ChronoUnit.SECONDS,
            "m", ChronoUnit.MINUTES,
            "h", ChronoUnit.HOURS,
            "d", ChronoUnit.DAYS);

    /** Other spellings of a unit, by their beginning. Of two beginnings that fit, the longer one stands first. */
    private static final Pattern LOOSE_UNIT = Pattern.compile("(?<ns>ns|nan.*)|(?<us>us|[µμ]s|mic.*)|(?<ms>ms.*|mil.*)"
            + "|(?<s>s|se.*)|(?<m>m|mi.*)|(?<h>h.*)|(?<d>d.*)");

    private Durations() {}

    /** The time, if it is well written and at most 100 years. A negative one passes; the range of the option excludes it. */
    static Optional<Duration> parse(String text) {
        return anyLength(text)
                .filter(found -> found.compareTo(LONGEST) <= 0 && found.compareTo(LONGEST.negated()) >= 0);
    }

    private static Optional<Duration> anyLength(String text) {
        if (text.length() > Bounds.WORD) {
            return Optional.empty();
        }
        try {
            Matcher matcher = SHORT.matcher(text);
            return Optional.of(
                    matcher.matches()
                            ? Duration.of(Long.parseLong(matcher.group(1)), unit(matcher.group(2)))
                            : Duration.parse(text));
        } catch (DateTimeException | ArithmeticException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** Whether only the size of the time is wrong. */
    static boolean isTooLong(String text) {
        return text.length() <= Bounds.WORD
                && (SHORT.matcher(text).matches() || anyLength(text).isPresent())
                && parse(text).isEmpty();
    }

    /** The text that was probably meant: {@code 5s} for {@code 5 sec}, {@code 1500ms} for {@code 1.5s}. */
    static Optional<String> nearest(String text) {
        if (text.length() > Bounds.WORD) {
            return Optional.empty();
        }
        Matcher matcher = NEARLY.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        String amount = matcher.group(1).replace("_", "");
        return looseUnit(matcher.group(2))
                .flatMap(unit -> amount.contains(".") ? whole(amount, unit) : Optional.of(amount + unit))
                .filter(found -> parse(found).isPresent());
    }

    private static Optional<String> looseUnit(String text) {
        Matcher matcher = LOOSE_UNIT.matcher(text.toLowerCase(Locale.ROOT));
        return matcher.matches()
                ? UNITS.keySet().stream()
                        .filter(unit -> matcher.group(unit) != null)
                        .findFirst()
                : Optional.empty();
    }

    private static Optional<String> whole(String amount, String unit) {
        try {
            BigDecimal nanos = new BigDecimal(amount)
                    .multiply(BigDecimal.valueOf(unit(unit).getDuration().toNanos()));
            return Optional.of(Checks.text(Duration.ofNanos(nanos.longValueExact())));
        } catch (ArithmeticException e) {
            return Optional.empty();
        }
    }

    private static ChronoUnit unit(String name) {
        ChronoUnit unit = UNITS.get(name);
        if (unit == null) {
            throw new IllegalArgumentException("no unit " + name);
        }
        return unit;
    }
}
