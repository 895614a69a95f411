/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing.http;

import static dev.holdfast.testing.http.WireServer.headed;
import static dev.holdfast.testing.http.WireServer.status;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.Refusal;
import dev.holdfast.Verdict;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.testing.http.HttpClientUnderTest.Response;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a status means. */
abstract class StatusCases extends HttpCases {
    /** Delivered as it is, and not repeated. */
    @ParameterizedTest
    @ValueSource(
            ints = {
                200, 201, 202, 204, 206, 207, 299, 300, 304, 400, 401, 403, 404, 405, 406, 409, 410, 412, 415, 418, 422,
                451
            })
    void anAnswerIsDeliveredAsItIs(int status) throws Exception {
        HttpClientUnderTest client = client(retry());
        for (Way way : Way.values()) {
            server.on("/a", status(status, status == 204 || status == 304 ? "" : "text", "X-Own: yes"));
            Response response = send(client, way, get("/a"));
            assertThat(response.status()).isEqualTo(status);
            assertThat(response.headers()).containsEntry("X-Own", "yes");
            assertThat(response.body()).isEqualTo(status == 204 || status == 304 ? "" : "text");
        }
        assertThat(sent("/a")).isEqualTo(2);
        assertThat(attempts).containsOnly(status < 400 ? Outcome.SUCCESS : Outcome.IGNORED);
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 425, 500, 501, 502, 504, 505, 507, 520, 599})
    void aFailureIsRepeatedAndThenDelivered(int status) throws Exception {
        HttpClientUnderTest client = client(retry());
        for (Way way : Way.values()) {
            server.on("/" + way, status(status, "broken"));
            Response response = send(client, way, get("/" + way));
            assertThat(response.status()).isEqualTo(status);
            assertThat(response.body()).isEqualTo("broken");
            // A client of its own accord may repeat a 408 or so, once for each attempt.
            assertThat(attempts).hasSize(3).containsOnly(Outcome.FAILURE);
            attempts.clear();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aFailureIsForgottenIfTheNextAttemptSucceeds(Way way) throws Exception {
        server.on("/a", status(500, "broken"), status(502, "broken"), status(200, "12"));
        assertThat(send(client(retry()), way, get("/a")).body()).isEqualTo("12");
        assertThat(sent("/a")).isEqualTo(3);
    }

    static String date(Duration fromNow) {
        return DateTimeFormatter.RFC_1123_DATE_TIME.format(
                Instant.parse("2026-11-28T12:00:00Z").plus(fromNow).atOffset(ZoneOffset.UTC));
    }

    private static final String NOW = "Date: " + "Sat, 28 Nov 2026 12:00:00 GMT";

    /** Each way to ask for a minute, which does not fit into the deadline. */
    static List<String> minutes() {
        return List.of(
                "Retry-After: 60",
                "Retry-After: 2147483648",
                "Retry-After: 99999999999999999999",
                "Retry-After: " + date(Duration.ofMinutes(1)),
                "Retry-After: Saturday, 28-Nov-26 12:01:00 GMT",
                "Retry-After: Sat Nov 28 12:01:00 2026",
                "RateLimit: \"default\";r=0;t=60",
                "RateLimit: \"hour\";r=10;t=3, \"minute\";r=0;t=60");
    }

    @ParameterizedTest
    @MethodSource("minutes")
    void aPushbackIsNotRepeatedBeforeItsTime(String header) throws Exception {
        HttpClientUnderTest client = client(DeadlinePolicy.of(Duration.ofSeconds(30)), retry());
        for (int status : new int[] {429, 503}) {
            for (Way way : Way.values()) {
                String path = "/" + status + way;
                server.on(path, headed(status, NOW, header));
                // The RateLimit of a 503 says nothing of whether the work was done, but neither does GET do any.
                assertThat(send(client, way, get(path)).status()).isEqualTo(status);
                assertThat(sent(path)).isEqualTo(1);
            }
        }
        assertThat(refusals).hasSize(4).containsOnly(Refusal.DEADLINE);
        assertThat(attempts).containsOnly(Outcome.PUSHBACK);
    }

    /** A list may have its parts in several lines. Of what is none, the first one counts. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aPushbackMayComeInSeveralLines(Way way) throws Exception {
        server.on("/a", headed(503, "Retry-After: 60", "Retry-After: 0"))
                .on("/b", headed(429, "RateLimit: \"hour\";r=10;t=3", "RateLimit: \"minute\";r=0;t=60"))
                .on(
                        "/c",
                        headed(
                                429,
                                "RateLimit: \"minute\";r=0",
                                "RateLimit-Policy: \"hour\";q=9;w=3600",
                                "RateLimit-Policy: \"minute\";q=9;w=60"));
        HttpClientUnderTest client = client(DeadlinePolicy.of(Duration.ofSeconds(30)), retry());
        for (String path : List.of("/a", "/b", "/c")) {
            send(client, way, get(path));
            assertThat(sent(path)).isEqualTo(1);
        }
        assertThat(refusals).hasSize(3).containsOnly(Refusal.DEADLINE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Retry-After: 0", "Retry-After: Sat, 28 Nov 2026 11:00:00 GMT", "Retry-After: soon"})
    void aPushbackWithoutAWaitIsRepeatedAfterTheBackoff(String header) throws Exception {
        HttpClientUnderTest client = client(retry());
        for (int status : new int[] {429, 503}) {
            boolean saysNothing = status == 503 && header.endsWith("soon");
            for (Way way : Way.values()) {
                String path = "/" + status + way;
                server.on(path, headed(status, NOW, header), status(200, "12"));
                attempts.clear();
                assertThat(send(client, way, get(path)).status()).isEqualTo(200);
                assertThat(attempts).containsExactly(saysNothing ? Outcome.FAILURE : Outcome.PUSHBACK, Outcome.SUCCESS);
            }
        }
    }

    /** As the lists of a file. */
    private record Lists(Map<Integer, Verdict> statuses) implements Classifier.Listed {
        @Override
        public @Nullable Verdict ofStatus(int status) {
            return statuses.get(status);
        }

        @Override
        public @Nullable Verdict ofCode(String code) {
            return null;
        }

        @Override
        public @Nullable Verdict ofError(Throwable error) {
            return null;
        }

        @Override
        public Classifier base() {
            return Classifier.DEFAULT;
        }

        @Override
        public Verdict classify(@Nullable Object value, @Nullable Throwable error) {
            throw new AssertionError("asked for a status that is in no list");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aListedStatusMeansWhatTheListSays(Way way) throws Exception {
        Classifier lists = new Lists(Map.of(404, Verdict.FAILURE, 500, Verdict.IGNORED, 418, Verdict.PUSHBACK));
        HttpClientUnderTest client = built(b -> b.policies(with(DeadlinePolicy.of(Duration.ofSeconds(30)), retry()))
                .classifier(lists));
        server.on("/404", status(404))
                .on("/500", status(500))
                .on("/502", status(502))
                .on("/418", headed(418, "Retry-After: 60"));
        for (int status : new int[] {404, 500, 502, 418}) {
            send(client, way, get("/" + status));
        }
        assertThat(IntStream.of(404, 500, 502, 418)
                        .map(status -> sent("/" + status))
                        .toArray())
                .containsExactly(3, 1, 3, 1);
        assertThat(refusals).contains(Refusal.DEADLINE);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aClassifierOfThePipelinesOwnDecides(Way way) throws Exception {
        HttpClientUnderTest client =
                built(b -> b.policies(with(retry())).classifier((value, error) -> Verdict.IGNORED));
        server.on("/a", status(500));
        send(client, way, get("/a"));
        assertThat(sent("/a")).isEqualTo(1);
        assertThat(attempts).containsExactly(Outcome.IGNORED);
    }
}
