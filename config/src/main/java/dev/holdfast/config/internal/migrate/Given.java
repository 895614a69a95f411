/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A setting as it is written.
 *
 * @param name with the spelling of the file
 * @param text with the values of its placeholders, where they are known
 * @param config the config that it comes from; empty if it is the instance's own
 * @param written the text with its placeholders
 * @param part where it stands
 * @param others for a comment: the values that its placeholders have elsewhere; empty if there are none
 */
record Given(String name, String text, String config, String written, Part part, String others) {
    /** A text that is only a placeholder, with a name that a variable of the environment can have, and a default. */
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{([A-Za-z_][A-Za-z0-9_]{0,99}):([^{}$]*+)\\}");

    /** A text that is only a placeholder without a default, as a file of pipelines may have one. */
    private static final Pattern UNKNOWN = Pattern.compile("\\$\\{([A-Za-z_][A-Za-z0-9_.-]{0,99})\\}");

    /** A whole number as Spring reads it, too. */
    private static final Pattern HEX = Pattern.compile("([+-]?)(?:0[xX]|#)([0-9a-fA-F]{1,8})");

    private static final Set<String> LISTS =
            Set.of("recordexceptions", "ignoreexceptions", "retryexceptions", "contextpropagators");

    private static final Pattern SIMPLE = Pattern.compile("([+-]?[0-9]{1,18})([a-z]{0,2})");
    private static final int LONGEST_NUMBER = 30;
    private static final Duration A_CENTURY = Duration.ofDays(36_500);

    private static final Map<String, ChronoUnit> UNITS = Map.of(
            "ns", ChronoUnit.NANOS,
            "us", ChronoUnit.MICROS,
            "ms", ChronoUnit.MILLIS,
            "", ChronoUnit.MILLIS,
            "s", ChronoUnit.SECONDS,
            "m", ChronoUnit.MINUTES,
            "h", ChronoUnit.HOURS,
            "d", ChronoUnit.DAYS);

    String canonical() {
        return Text.canonical(name);
    }

    /** Name and text, and where they come from. */
    String shown() {
        String value = text.equals(written) ? "" : ", which is " + orBlank(text);
        return Text.shown(name) + " = " + orBlank(written) + value + origin() + others;
    }

    private static String orBlank(String text) {
        return text.isEmpty() ? "(blank)" : Text.shown(text);
    }

    /** Whether Spring makes nothing of it: a blank value is none. But a list without items is one. */
    boolean isNothing() {
        return text.isEmpty() && !LISTS.contains(canonical());
    }

    /** The comment on what {@link #isNothing}. */
    String nothing() {
        return "left out: " + shown() + "; for Spring a blank value is none"
                + variable()
                        .map(set -> ". If " + set + " is set where you run it, write its value here")
                        .orElse("");
    }

    /** What the comment on it begins with, if it becomes an option with the same value. */
    String kept() {
        return part.isConditional() ? "added" : "kept";
    }

    /** As what the instance inherits from a config. */
    Given of(String config) {
        return new Given(name, text, config, written, part, others);
    }

    /** The variable of the environment that is the value, if it is one and the files do not give it another value. */
    Optional<String> variable() {
        Matcher matcher = VARIABLE.matcher(written);
        return matcher.matches() && matcher.group(2).strip().equals(text)
                ? Optional.of(matcher.group(1))
                : Optional.empty();
    }

    /** The placeholder that is the value, if it has no default and the files do not give it a value. */
    Optional<String> unknown() {
        Matcher matcher = UNKNOWN.matcher(text);
        return matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty();
    }

    /** The text, as the default of the variable if the setting is one. */
    String placed(String text) {
        return variable().map(name -> "${" + name + ":" + text + "}").orElse(text);
    }

    /** For a comment: what becomes of a placeholder that is replaced by its value; empty if there is none. */
    String replaced() {
        return text.equals(written) ? "" : "; the value replaces the placeholder";
    }

    String origin() {
        return part.origin(config);
    }

    /** A time in one of Spring's forms; a number without a unit is milliseconds. At most a century. */
    Optional<Duration> duration() {
        String lower = text.toLowerCase(Locale.ROOT);
        Matcher matcher = SIMPLE.matcher(lower);
        try {
            if (!matcher.matches()) {
                return lower.length() > LONGEST_NUMBER ? Optional.empty() : Optional.of(most(Duration.parse(lower)));
            }
            ChronoUnit unit = UNITS.get(matcher.group(2));
            return Optional.ofNullable(unit).map(known -> most(Duration.of(Long.parseLong(matcher.group(1)), known)));
        } catch (DateTimeException | ArithmeticException e) {
            return Optional.empty();
        }
    }

    private static Duration most(Duration value) {
        return value.compareTo(A_CENTURY) > 0 ? A_CENTURY : value;
    }

    Optional<BigDecimal> number() {
        try {
            String digits = text.length() > LONGEST_NUMBER ? "" : text.replaceAll("[_\\s]", "");
            Matcher hex = HEX.matcher(digits);
            BigDecimal value = hex.matches()
                    ? new BigDecimal(new BigInteger(hex.group(1) + hex.group(2), 16))
                    : new BigDecimal(digits);
            return Math.abs(value.scale()) > LONGEST_NUMBER ? Optional.empty() : Optional.of(value);
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    Optional<Boolean> flag() {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true", "on", "yes", "1" -> Optional.of(true);
            case "false", "off", "no", "0" -> Optional.of(false);
            default -> Optional.empty();
        };
    }
}
