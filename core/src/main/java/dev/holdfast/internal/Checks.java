/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.InvalidSettingsException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Collects the problems of settings, so that {@code build()} reports all of them at once.
 *
 * <pre>{@code
 * new Checks("bulkhead")
 *         .range("maxConcurrentCalls", maxConcurrentCalls, 1, 1_000_000)
 *         .range("maxWait", maxWait, Duration.ZERO, Duration.ofDays(1))
 *         .done();
 * }</pre>
 */
public final class Checks {
    // Of a policy that has only a limit.
    public static final Duration LEAST_LIMIT = Duration.ofMillis(1);
    public static final Duration MOST_LIMIT = Duration.ofDays(1);

    private static final long MILLISECOND = 1_000_000;
    private static final long TENTH = 100 * MILLISECOND;
    private static final long SECOND = 10 * TENTH;

    private final String policy;
    private final List<InvalidSettingsException.Problem> problems = new ArrayList<>();

    public Checks(String policy) {
        this.policy = policy;
    }

    /** Checks the limit of a policy that has only a limit. */
    public static void limit(String policy, Duration limit) {
        new Checks(policy)
                .range("limit", Objects.requireNonNull(limit, "limit"), LEAST_LIMIT, MOST_LIMIT)
                .done();
    }

    /** A whole number within a range, both ends included. */
    public Checks range(String option, long value, long least, long most) {
        boolean within = value >= least && value <= most;
        return within ? this : wrong(option, value, number(least) + " to " + number(most));
    }

    /** A number within a range, both ends included; NaN is in none. */
    public Checks range(String option, double value, double least, double most) {
        boolean within = value >= least && value <= most;
        return within ? this : wrong(option, value, number(least) + " to " + number(most));
    }

    /** A time within a range, both ends included. */
    public Checks range(String option, Duration value, Duration least, Duration most) {
        boolean within = value.compareTo(least) >= 0 && value.compareTo(most) <= 0;
        return within ? this : wrong(option, text(value), text(least) + " to " + text(most));
    }

    /** Not above another option's value. Says nothing if one of the two is wrong by itself. */
    public Checks atMost(String option, long value, String other, long most) {
        boolean holds = value <= most || isWrong(option) || isWrong(other);
        return holds ? this : wrong(option, value, "at most " + other + ", which is " + number(most));
    }

    /** Not below another option's value. Says nothing if one of the two is wrong by itself. */
    public Checks atLeast(String option, long value, String other, long least) {
        boolean holds = value >= least || isWrong(option) || isWrong(other);
        return holds ? this : wrong(option, value, "at least " + other + ", which is " + number(least));
    }

    public Checks atLeast(String option, Duration value, String other, Duration least) {
        boolean holds = value.compareTo(least) >= 0 || isWrong(option) || isWrong(other);
        return holds ? this : wrong(option, text(value), "at least " + other + ", which is " + text(least));
    }

    private boolean isWrong(String option) {
        return problems.stream().anyMatch(problem -> problem.option().equals(option));
    }

    /** Any other condition. */
    public Checks that(boolean holds, String option, Object value, String expected) {
        return holds ? this : wrong(option, value, expected);
    }

    // The words of a problem are made only if there is one: they cost more than all else that is done for an option of
    // a file.
    private Checks wrong(String option, Object value, String expected) {
        problems.add(new InvalidSettingsException.Problem(option, String.valueOf(value), expected));
        return this;
    }

    /** Throws if something was wrong. The message names each option, its value and its range. */
    public void done() {
        if (!problems.isEmpty()) {
            throw new InvalidSettingsException(policy, problems);
        }
    }

    /** A time that is left or was measured, as a message tells it: {@code 359 ms}, {@code 4.2 s}. Rounded up: a wait is over then. */
    public static String time(long nanos) {
        if (nanos < SECOND) {
            return parts(nanos, MILLISECOND) + " ms";
        }
        long tenths = parts(nanos, TENTH);
        return tenths / 10 + "." + tenths % 10 + " s";
    }

    private static long parts(long nanos, long part) {
        return nanos / part + (nanos % part > 0 ? 1 : 0);
    }

    /** A number as people write it: {@code 10,000}, {@code 0.1}. */
    public static String number(Number value) {
        double number = value.doubleValue();
        boolean whole = number == Math.rint(number) && Math.abs(number) < 1e15;
        return whole ? String.format(Locale.ROOT, "%,d", value.longValue()) : value.toString();
    }

    /** A time of settings, as people write it: {@code 250ms}, {@code 5s}, {@code 2m}, {@code -10us}. */
    public static String text(Duration value) {
        if (value.isZero()) {
            return "0s";
        }
        long seconds = value.getSeconds();
        if (value.isNegative()) {
            return seconds == Long.MIN_VALUE ? value.toString() : "-" + text(value.negated());
        }
        int nanos = value.getNano();
        if (nanos % 1_000_000 != 0) {
            boolean micros = nanos % 1_000 == 0;
            return seconds != 0 ? value.toString() : micros ? nanos / 1_000 + "us" : nanos + "ns";
        }
        if (nanos != 0) {
            return seconds > 86_400 ? value.toString() : value.toMillis() + "ms";
        }
        if (seconds % 86_400 == 0) {
            return seconds / 86_400 + "d";
        }
        if (seconds % 3_600 == 0) {
            return seconds / 3_600 + "h";
        }
        return seconds % 60 == 0 ? seconds / 60 + "m" : seconds + "s";
    }
}
