/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.headers;

import dev.holdfast.Classifier;
import dev.holdfast.Verdict;
import dev.holdfast.spi.TimeSource;
import java.math.BigInteger;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads how long a server asks its clients to wait, for a {@link Classifier}.
 *
 * <pre>{@code
 * Classifier http = (value, error) -> value instanceof HttpResponse<?> r && r.statusCode() == 429
 *         ? RetryAfter.http(name -> r.headers().firstValue(name).orElse(null))
 *         : Classifier.DEFAULT.classify(value, error);
 * }</pre>
 *
 * <p>{@code Retry-After} is read as in RFC 9110 §10.2.3: whole seconds, or a date in any of the three forms of §5.6.7. A day
 * of one digit may lack its zero or blank, as in {@code Tue, 1 Dec 2026 05:47:05 GMT}: {@code DateTimeFormatter.RFC_1123_DATE_TIME} of
 * Java writes it so.
 */
public final class RetryAfter {
    /** A longer value is malformed. No date needs half of it, and a value from outside may be of any length. */
    private static final int LONGEST = 64;

    /** More seconds count as this many, as RFC 9111 §1.2.2 says. */
    private static final BigInteger MOST_SECONDS = BigInteger.ONE.shiftLeft(31);

    private static final Pattern SECONDS = Pattern.compile("[0-9]+");
    private static final Pattern GRPC = Pattern.compile("-?[0-9]{1,10}");

    private static final String DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
    private static final String LONG_DAY = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)";
    private static final String MONTH = "(?<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
    private static final String TIME = "(?<hour>[0-9]{2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})";
    private static final List<String> MONTHS =
            List.of("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec");

    /** IMF-fixdate, RFC 850 and asctime; each also with a day of one digit, as Java's own formatter writes it. */
    private static final List<Pattern> DATES = List.of(
            Pattern.compile(DAY + ", (?<day>[0-9]{1,2}) " + MONTH + " (?<year>[0-9]{4}) " + TIME + " GMT"),
            Pattern.compile(LONG_DAY + ", (?<day>[0-9]{1,2})-" + MONTH + "-(?<year>[0-9]{2}) " + TIME + " GMT"),
            Pattern.compile(DAY + " " + MONTH + " (?<day>[0-9]{1,2}| [0-9]) " + TIME + " (?<year>[0-9]{4})"));

    private RetryAfter() {}

    /**
     * A pushback for the time in the {@code Retry-After} of a response; if it is missing or malformed, for the time after which a
     * quota of its {@code RateLimit} that has nothing left ({@code r=0}) is filled again ({@code t}, or else {@code w} of its
     * {@code RateLimit-Policy}). Without a time if none of them says one; {@linkplain Verdict#withUnreadableRetryAfter unreadable}
     * if that is because one is malformed.
     *
     * @param headers the first value of a header of the response, or null; asked for {@code Retry-After}, {@code Date}, {@code
     *     RateLimit} and {@code RateLimit-Policy}. The latter two are lists: if there are several values, all of them, with commas
     */
    public static Verdict http(Function<? super String, @Nullable String> headers) {
        String retryAfter = headers.apply("Retry-After");
        if (retryAfter == null) {
            return quota(Verdict.PUSHBACK, headers);
        }
        Optional<Duration> wait = parse(retryAfter, headers.apply("Date"));
        return wait.isPresent()
                ? Verdict.pushback(wait.get())
                : quota(Verdict.PUSHBACK.withUnreadableRetryAfter(), headers);
    }

    /**
     * The verdict on a 503, or another 5xx that asks for less: that of {@link #http} if it says a time to wait, and else {@link
     * Verdict#FAILURE}. A gateway sends a 503 also after the work was done, and a service may write {@code RateLimit} into all its answers: only the time says that nothing
     * was done, so that also a call that is not idempotent may be repeated.
     *
     * @param headers as for {@link #http}
     */
    public static Verdict unavailable(Function<? super String, @Nullable String> headers) {
        Verdict said = http(headers);
        if (said.retryAfterNanos() >= 0) {
            return said;
        }
        return said.retryAfterNanos() == Verdict.UNREADABLE
                ? Verdict.FAILURE.withUnreadableRetryAfter()
                : Verdict.FAILURE;
    }

    /**
     * This verdict on a response, with the time for which its {@code RateLimit} says that there is nothing left: of a success, too.
     * So a gate holds the next calls before the server has to turn one away. The same verdict if the field says no such time;
     * {@linkplain Verdict#withUnreadableRetryAfter unreadable} if it is malformed.
     *
     * @param headers all values of a header of the response, with commas, or null; asked for {@code RateLimit} and {@code
     *     RateLimit-Policy}
     */
    public static Verdict quota(Verdict verdict, Function<? super String, @Nullable String> headers) {
        long seconds = RateLimit.seconds(headers);
        if (seconds >= 0) {
            return verdict.withRetryAfter(Duration.ofSeconds(seconds));
        }
        return seconds == RateLimit.MALFORMED ? verdict.withUnreadableRetryAfter() : verdict;
    }

    /**
     * The verdict of {@code grpc-retry-pushback-ms} in a failed call's trailers (gRPC proposal A6): a pushback for so many
     * milliseconds; {@link Verdict#STOP} if it is negative or unreadable; {@link Verdict#FAILURE} if there is none.
     */
    public static Verdict grpc(@Nullable String pushbackMillis) {
        if (pushbackMillis == null) {
            return Verdict.FAILURE;
        }
        if (!GRPC.matcher(pushbackMillis).matches()) {
            return Verdict.STOP;
        }
        long millis = Long.parseLong(pushbackMillis);
        return millis < 0 || millis > Integer.MAX_VALUE ? Verdict.STOP : Verdict.pushback(Duration.ofMillis(millis));
    }

    /** As {@link #parse(String, String, Instant)}, for a response that has just been received. */
    public static Optional<Duration> parse(String retryAfter, @Nullable String date) {
        return parse(retryAfter, date, Instant.ofEpochMilli(TimeSource.system().millis()));
    }

    /**
     * The time that {@code Retry-After} asks to wait: zero for a date in the past, empty if it is malformed or has more than
     * 64 characters. A date is measured against the response's own {@code Date}, so that the two clocks need not agree.
     *
     * @param retryAfter the value of {@code Retry-After}
     * @param date the value of the response's {@code Date}; null, or malformed: a date is measured against {@code received}
     * @param received when the response came, by our own clock
     */
    public static Optional<Duration> parse(String retryAfter, @Nullable String date, Instant received) {
        String text = trimmed(retryAfter);
        if (SECONDS.matcher(text).matches()) {
            BigInteger seconds = new BigInteger(text).min(MOST_SECONDS);
            return Optional.of(Duration.ofSeconds(seconds.longValueExact()));
        }
        return date(text, received).map(until -> {
            Instant sent = date == null ? received : date(date, received).orElse(received);
            Duration wait = Duration.between(sent, until);
            return wait.isNegative() ? Duration.ZERO : wait;
        });
    }

    /** Removes spaces and tabs around a field's value (RFC 9110 §5.5). Empty if the value is too long. */
    private static String trimmed(String value) {
        int end = value.length() > LONGEST ? 0 : value.length();
        int begin = 0;
        while (begin < end && isBlank(value.charAt(begin))) {
            begin++;
        }
        while (begin < end && isBlank(value.charAt(end - 1))) {
            end--;
        }
        return value.substring(begin, end);
    }

    private static boolean isBlank(char character) {
        return character == ' ' || character == '\t';
    }

    /**
     * A date of HTTP, in any of the three forms of RFC 9110 §5.6.7; empty if it is malformed.
     *
     * @param received when the response came, by our own clock: it says the century of a year in two digits
     */
    public static Optional<Instant> date(String value, Instant received) {
        String text = trimmed(value);
        for (Pattern form : DATES) {
            Matcher date = form.matcher(text);
            if (date.matches()) {
                return instant(date, received);
            }
        }
        return Optional.empty();
    }

    private static Optional<Instant> instant(Matcher date, Instant now) {
        int second = number(date, "second");
        boolean fourDigits = date.group("year").length() == 4;
        try {
            int year = fourDigits ? number(date, "year") : nearYear(date, now);
            LocalDateTime minute = firstOfMonth(date, year).withDayOfMonth(number(date, "day"));
            // The grammar has a leap second, and java.time has none. So the second is added at the end.
            return second > 60
                    ? Optional.empty()
                    : Optional.of(minute.toInstant(ZoneOffset.UTC).plusSeconds(second));
        } catch (DateTimeException noSuchTime) {
            return Optional.empty();
        }
    }

    /** A year in two digits is the last one that is at most 50 years in the future (RFC 9110 §5.6.7). */
    private static int nearYear(Matcher date, Instant now) {
        LocalDateTime latest = LocalDateTime.ofInstant(now, ZoneOffset.UTC).plusYears(50);
        int year = latest.getYear() - latest.getYear() % 100 + number(date, "year");
        // Adds days, because a year of the wrong century may lack the 29th of February.
        LocalDateTime asGiven = firstOfMonth(date, year).plusDays(number(date, "day") - 1L);
        return asGiven.isAfter(latest) ? year - 100 : year;
    }

    private static LocalDateTime firstOfMonth(Matcher date, int year) {
        int month = MONTHS.indexOf(date.group("month")) + 1;
        return LocalDateTime.of(year, month, 1, number(date, "hour"), number(date, "minute"));
    }

    private static int number(Matcher date, String group) {
        return Integer.parseInt(date.group(group).trim());
    }
}
