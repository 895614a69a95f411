/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.headers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.Verdict;
import dev.holdfast.spi.Passage;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.TextStyle;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RetryAfterTest {
    private static final Instant RECEIVED = Instant.parse("2026-11-25T12:00:00Z");

    private static @Nullable Duration parsed(String value, @Nullable String date) {
        return RetryAfter.parse(value, date, RECEIVED).orElse(null);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1, 1",
        "120, 120",
        "007, 7",
        "2147483647, 2147483647",
        "2147483648, 2147483648",
        "2147483649, 2147483648",
        "00000000000000000000000000000000000005, 5",
        "99999999999999999999999999999999999999, 2147483648"
    })
    void secondsAreRead(String value, long seconds) {
        assertThat(parsed(value, null)).isEqualTo(Duration.ofSeconds(seconds));
        assertThat(parsed(" \t" + value + "\t ", "anything")).isEqualTo(Duration.ofSeconds(seconds));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Sun, 06 Nov 1994 08:49:37 GMT",
                "Sunday, 06-Nov-94 08:49:37 GMT",
                "Sun Nov  6 08:49:37 1994",
            })
    void allThreeFormsOfADateMeanTheSameInstant(String date) {
        String sent = "Sun, 06 Nov 1994 08:49:00 GMT";
        assertThat(parsed(date, sent)).isEqualTo(Duration.ofSeconds(37));
        assertThat(parsed(" " + date + " ", sent)).isEqualTo(Duration.ofSeconds(37));
        // And the same as the response's own date.
        assertThat(parsed("Sun, 06 Nov 1994 08:50:00 GMT", date)).isEqualTo(Duration.ofSeconds(23));
    }

    /** It is no form of HTTP, but its meaning is plain, and servers of Java's write it. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Sun, 6 Nov 1994 08:49:37 GMT",
                "Sunday, 6-Nov-94 08:49:37 GMT",
                "Sun Nov 6 08:49:37 1994",
            })
    void aDayOfOneDigitIsRead(String date) {
        assertThat(parsed(date, "Sun, 6 Nov 1994 08:49:00 GMT")).isEqualTo(Duration.ofSeconds(37));
        assertThat(parsed("Sun, 06 Nov 1994 08:50:00 GMT", date)).isEqualTo(Duration.ofSeconds(23));
    }

    @Test
    void whatJavasOwnFormatterWritesIsRead() {
        LocalDateTime until = LocalDateTime.of(2026, 12, 1, 5, 47, 5);
        String date = DateTimeFormatter.RFC_1123_DATE_TIME.format(until.atOffset(ZoneOffset.UTC));
        assertThat(RetryAfter.date(date, RECEIVED)).contains(until.toInstant(ZoneOffset.UTC));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "-1",
                "+1",
                "1.5",
                "1e3",
                "0x10",
                "12 s",
                "1 2",
                "60, 120",
                "\u0661\u0662",
                "\u00a05",
                "soon",
                "Sun, 06 Nov 94 08:49:37 GMT",
                "Sun, 06 Nov 1994 08:49:37 UTC",
                "Sun, 06 Nov 1994 08:49:37 +0000",
                "Sun, 06 Nov 1994 08:49:37",
                "Sun, 06 Nov 1994 08:49 GMT",
                "Sun, 06 Nov 1994 24:00:00 GMT",
                "Sun, 06 Nov 1994 08:60:37 GMT",
                "Sun, 06 Nov 1994 08:49:61 GMT",
                "Sun, 31 Nov 1994 08:49:37 GMT",
                "Sun, 29 Feb 2023 08:49:37 GMT",
                "Sun, 00 Nov 1994 08:49:37 GMT",
                "Sun, 0 Nov 1994 08:49:37 GMT",
                "Sun, 006 Nov 1994 08:49:37 GMT",
                "Sun, 06 Brumaire 1994 08:49:37 GMT",
                "sun, 06 Nov 1994 08:49:37 GMT",
                "Sun, 06 nov 1994 08:49:37 GMT",
                "Sun 06 Nov 1994 08:49:37 GMT",
                "Sun,  06 Nov 1994 08:49:37 GMT",
                "Someday, 06-Nov-94 08:49:37 GMT",
                "Sun, 06-Nov-94 08:49:37 GMT",
                "Sunday, 06-Nov-1994 08:49:37 GMT",
                "Sunday, 06 Nov 94 08:49:37 GMT",
                "Sun Nov   6 08:49:37 1994",
                "Sun Nov  6 08:49:37 94",
                "Sun Nov  6 08:49:37 1994 GMT",
                "1994-11-06T08:49:37Z",
            })
    void whatIsMalformedSaysNothing(String value) {
        assertThat(parsed(value, null)).isNull();
        assertThat(parsed(value, "Sun, 06 Nov 1994 08:49:00 GMT")).isNull();
    }

    @Test
    void aDateIsMeasuredAgainstTheResponsesOwnDate() {
        String retryAfter = "Wed, 25 Nov 2026 13:30:00 GMT";
        // The server's clock is an hour ahead of ours.
        assertThat(parsed(retryAfter, "Wed, 25 Nov 2026 13:00:00 GMT")).isEqualTo(Duration.ofMinutes(30));
        assertThat(parsed(retryAfter, null)).isEqualTo(Duration.ofMinutes(90));
        assertThat(parsed(retryAfter, "an hour ago")).isEqualTo(Duration.ofMinutes(90));
    }

    @Test
    void aDateInThePastIsZero() {
        assertThat(parsed("Wed, 25 Nov 2026 11:59:59 GMT", null)).isEqualTo(Duration.ZERO);
        assertThat(parsed("Wed, 25 Nov 2026 12:00:00 GMT", null)).isEqualTo(Duration.ZERO);
        assertThat(parsed("Thu, 01 Jan 1970 00:00:00 GMT", "Wed, 25 Nov 2026 12:00:00 GMT"))
                .isEqualTo(Duration.ZERO);
    }

    @Test
    void aLeapSecondIsASecond() {
        assertThat(parsed("Sat, 31 Dec 2016 23:59:60 GMT", "Sat, 31 Dec 2016 23:59:59 GMT"))
                .isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void aWrongNameOfTheDayLeavesTheDateAsItIs() {
        assertThat(parsed("Mon, 25 Nov 2026 12:00:10 GMT", null)).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void aYearInTwoDigitsIsAtMostFiftyYearsAhead() {
        // In 2026: 76 is ahead until the same day, and 1976 after it.
        assertThat(parsed("Wednesday, 25-Nov-76 12:00:00 GMT", null)).isGreaterThan(Duration.ofDays(18_000));
        assertThat(parsed("Thursday, 26-Nov-76 12:00:00 GMT", null)).isEqualTo(Duration.ZERO);
        assertThat(parsed("Thursday, 31-Dec-99 23:59:59 GMT", null)).isEqualTo(Duration.ZERO);
        // At the end of a century the next one is meant.
        assertThat(RetryAfter.parse("Friday, 01-Jan-00 00:00:01 GMT", null, Instant.parse("2099-12-31T23:59:59Z")))
                .contains(Duration.ofSeconds(2));
        // 2100 has no 29th of February, and 2000, which is meant, had one.
        assertThat(RetryAfter.parse("Tuesday, 29-Feb-00 00:00:01 GMT", null, Instant.parse("2000-02-29T00:00:00Z")))
                .contains(Duration.ofSeconds(1));
        assertThat(RetryAfter.parse("Tuesday, 29-Feb-00 00:00:01 GMT", null, Instant.parse("2049-12-31T00:00:00Z")))
                .contains(Duration.ZERO);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void anyInstantIsReadBackFromAllThreeForms(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 2_000; i++) {
            Instant sent = RECEIVED.plusSeconds(random.nextInt(1_000_000_000) - 500_000_000L);
            long wait = random.nextInt(random.nextBoolean() ? 100 : 1_000_000_000);
            LocalDateTime until = LocalDateTime.ofInstant(sent.plusSeconds(wait), ZoneOffset.UTC);
            String where = "seed " + seed + ", sent " + sent + ", until " + until;
            String date = imf(LocalDateTime.ofInstant(sent, ZoneOffset.UTC));
            assertThat(parsed(imf(until), date)).as(where).isEqualTo(Duration.ofSeconds(wait));
            assertThat(parsed(asctime(until), date)).as(where).isEqualTo(Duration.ofSeconds(wait));
            assertThat(parsed(rfc850(until), date)).as(where).isEqualTo(Duration.ofSeconds(wait));
        }
    }

    private static String imf(LocalDateTime time) {
        return DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US)
                .format(time);
    }

    private static String rfc850(LocalDateTime time) {
        return time.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.US)
                + DateTimeFormatter.ofPattern(", dd-MMM-yy HH:mm:ss 'GMT'", Locale.US)
                        .format(time);
    }

    private static String asctime(LocalDateTime time) {
        return DateTimeFormatter.ofPattern("EEE MMM ppd HH:mm:ss yyyy", Locale.US)
                .format(time);
    }

    @Test
    void againstOurOwnClockADateOfLongAgoIsZero() {
        assertThat(RetryAfter.parse("Sun, 06 Nov 1994 08:49:37 GMT", null)).contains(Duration.ZERO);
        assertThat(RetryAfter.parse("Fri, 06 Nov 2995 08:49:37 GMT", null))
                .hasValueSatisfying(wait -> assertThat(wait).isGreaterThan(Duration.ofDays(300_000)));
    }

    @Test
    void aResponseIsAPushbackWithOrWithoutATime() {
        assertThat(http("Retry-After", "7").retryAfterNanos()).isEqualTo(7_000_000_000L);
        assertThat(http("Retry-After", "99999999999").retryAfterNanos())
                .isEqualTo(Duration.ofDays(1).toNanos());
        assertThat(http("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT", "Date", "Sun, 06 Nov 1994 08:49:36 GMT")
                        .retryAfterNanos())
                .isEqualTo(1_000_000_000L);
        assertThat(http("Retry-After", "later").outcome()).isEqualTo(Outcome.PUSHBACK);
        assertThat(http("Retry-After", "later").retryAfterNanos()).isEqualTo(Verdict.UNREADABLE);
        assertThat(http("Retry-After", "later", "RateLimit", "\"a\";r=0;t=5").retryAfterNanos())
                .as("what is malformed is as if it were missing")
                .isEqualTo(5_000_000_000L);
        assertThat(http()).isSameAs(Verdict.PUSHBACK);
    }

    private static Verdict http(String... headers) {
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < headers.length; i += 2) {
            map.put(headers[i], headers[i + 1]);
        }
        return RetryAfter.http(map::get);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 1", "25, 25", "2147483647, 86400000", "0000000001, 1"})
    void grpcsPushbackIsInMilliseconds(String value, long millis) {
        Verdict verdict = RetryAfter.grpc(value);
        assertThat(verdict.outcome()).isEqualTo(Outcome.PUSHBACK);
        assertThat(verdict.retryAfterNanos()).isEqualTo(millis * 1_000_000);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-1",
                "-2147483648",
                "2147483648",
                "99999999999",
                "",
                " ",
                "5 ",
                "+5",
                "1.5",
                "x",
                "\u0661",
                "--1"
            })
    void grpcsPushbackThatIsNegativeOrUnreadableMeansStop(String value) {
        assertThat(RetryAfter.grpc(value)).isSameAs(Verdict.STOP);
    }

    @Test
    void withoutPushbackAFailureOfGrpcIsAFailure() {
        assertThat(RetryAfter.grpc(null)).isSameAs(Verdict.FAILURE);
        assertThat(Verdict.STOP.retryAfterNanos()).isEqualTo(Passage.NEVER);
        assertThat(Verdict.STOP).hasToString("PUSHBACK(no retry)");
    }

    @ParameterizedTest(name = "text {index}")
    @MethodSource("dev.holdfast.headers.Nasty#texts")
    void whatIsLongIsMalformedWhateverItIs(String text) throws Exception {
        assertThat(Nasty.quickly(() -> RetryAfter.parse(text, null, RECEIVED))).isEmpty();
        assertThat(Nasty.quickly(() -> RetryAfter.parse(text, text, RECEIVED))).isEmpty();
        assertThat(Nasty.quickly(() -> RetryAfter.parse("Wed, 25 Nov 2026 12:00:10 GMT", text, RECEIVED)))
                .contains(Duration.ofSeconds(10));
        assertThat(Nasty.quickly(() -> RetryAfter.http(name -> text)).outcome()).isEqualTo(Outcome.PUSHBACK);
        assertThat(Nasty.quickly(() -> RetryAfter.http(name -> text)).retryAfterNanos())
                .isEqualTo(Verdict.UNREADABLE);
        assertThat(Nasty.quickly(() -> RetryAfter.grpc(text))).isSameAs(Verdict.STOP);
    }

    @Test
    void sixtyFourCharactersAreReadAndOneMoreIsNot() {
        assertThat(parsed("0".repeat(63) + "5", null)).isEqualTo(Duration.ofSeconds(5));
        assertThat(parsed(" ".repeat(63) + "5", null)).isEqualTo(Duration.ofSeconds(5));
        assertThat(parsed("0".repeat(64) + "5", null)).isNull();
        assertThat(parsed(" ".repeat(64) + "5", null)).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'\"default\";r=0;t=30' | | 30",
                "'default;r=0;t=30' | | 30",
                "' \"default\" ; r=0 ; t=30 ' | | -3",
                "'\"default\"; r=0; t=30' | | 30",
                "'\"a\";r=5;t=30, \"b\";r=0;t=7' | | 7",
                "'\"a\";r=0;t=30,\"b\";r=0;t=7' | | 30",
                "'\"a\";r=0;t=30;pk=:cHI=:' | | 30",
                "'\"a\";pk=\"x;r=9\";r=0;t=3' | | 3",
                "'\"a\";since=@1659578233;r=0;t=3' | | 3",
                "'\"a\";name=%\"f%c3%bc r; t\";r=0;t=3' | | 3",
                "'\"a\";r=0;t=@1659578233' | | -3",
                "'\"a\";since=@1.5;r=0;t=3' | | -3",
                "'\"a\";name=%\"f%C3\";r=0;t=3' | | -3",
                "'\"a\";r=0' | '\"a\";q=100;w=60' | 60",
                "'\"a\";r=0' | '\"b\";q=100;w=60' | -1",
                "'\"a\";r=50;t=30' | | -1",
                "'\"a\";r=0' | | -1",
                "' ' | | -1",
                "'\"a\";r=0' | 'a;;' | -3",
                "'\"a\";r=0' | '\"a\";q=100;w=-1' | -3",
                "'\"a\";r=0' | '\"a\";q=100;w=60,\"b\";q=2' | 60",
                "'\"a\";r=-1;t=30' | | -3",
                "'\"a\";r=none;t=30' | | -3",
                "'\"a\";r=none;t=30,\"b\";r=0;t=7' | | 7",
                "'\"a\";r=0;t=0' | | 0",
                "'\"a\";t=30' | | -3",
                "'\"a\";r=0;t=-5' | | -3",
                "'\"a\";r=0;t=1.5' | | -3",
                "'\"a\";r=0;t=30,' | | -3",
                "'\"a;r=0;t=30' | | -3",
                "'limit=100, remaining=0, reset=30' | | -3",
                "'\"a\";r=0;t=999999999999999' | | 86400",
                "'\"a\";r=0;t=9999999999999999' | | -3"
            })
    void theRateLimitTellsTheTimeWhereThereIsNoRetryAfter(String rateLimit, @Nullable String policy, long seconds) {
        Map<String, String> headers = new HashMap<>(Map.of("RateLimit", rateLimit));
        if (policy != null) {
            headers.put("RateLimit-Policy", policy);
        }
        Verdict verdict = RetryAfter.http(headers::get);
        assertThat(verdict.outcome()).isEqualTo(Outcome.PUSHBACK);
        assertThat(verdict.retryAfterNanos())
                .isEqualTo(seconds < 0 ? seconds : Duration.ofSeconds(seconds).toNanos());
        Verdict success = RetryAfter.quota(Verdict.SUCCESS, headers::get);
        assertThat(success.outcome()).isEqualTo(Outcome.SUCCESS);
        assertThat(success.retryAfterNanos()).isEqualTo(verdict.retryAfterNanos());

        headers.put("Retry-After", "11");
        assertThat(RetryAfter.http(headers::get).retryAfterNanos())
                .as("Retry-After wins")
                .isEqualTo(Duration.ofSeconds(11).toNanos());
    }

    /** A pattern that goes back would take for ever, or overflow the stack. */
    @Test
    void aLongRateLimitIsIgnoredAtOnce() {
        for (String unit : new String[] {"\"a\";r=0;t=1,", "\"", "\\\"", ";r=0", "a", " ", ";a=\"\\\"", ","}) {
            String field = "\"x\"" + unit.repeat(100_000 / unit.length());
            assertThat(RetryAfter.http(name -> name.equals("RateLimit") ? field : null)
                            .retryAfterNanos())
                    .isEqualTo(Verdict.UNREADABLE);
            String shorter = field.substring(0, 1_000);
            assertThat(RetryAfter.http(name -> name.equals("RateLimit") ? shorter : null)
                            .outcome())
                    .isEqualTo(Outcome.PUSHBACK);
        }
    }

    /** A gateway sends a 503 also after the work was done, and a service may write RateLimit into all answers. */
    @Test
    void a503IsAPushbackOnlyIfItSaysATime() {
        assertThat(RetryAfter.unavailable(Map.of("Retry-After", "7")::get)).hasToString("PUSHBACK(retry after PT7S)");
        assertThat(RetryAfter.unavailable(Map.of("RateLimit", "\"a\";r=0;t=7")::get))
                .hasToString("PUSHBACK(retry after PT7S)");
        assertThat(RetryAfter.unavailable(Map.of("RateLimit", "\"a\";r=9;t=7")::get))
                .hasToString("FAILURE");
        assertThat(RetryAfter.unavailable(Map.<String, String>of()::get)).hasToString("FAILURE");
        assertThat(RetryAfter.unavailable(Map.of("Retry-After", "")::get))
                .hasToString("FAILURE(unreadable retry after)");
    }
}
