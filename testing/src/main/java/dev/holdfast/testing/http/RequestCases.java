/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing.http;

import static dev.holdfast.testing.http.WireServer.headed;
import static dev.holdfast.testing.http.WireServer.status;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.testing.http.HttpClientUnderTest.Request;
import dev.holdfast.testing.http.HttpClientUnderTest.Response;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** To whom a request goes, and with what. */
abstract class RequestCases extends TroubleCases {
    @ParameterizedTest
    @EnumSource(Way.class)
    void eachAuthorityHasItsOwnPipeline(Way way) throws Exception {
        try (WireServer other = WireServer.start()) {
            server.on("/a", status(200, "one"));
            other.on("/a", status(200, "other"));
            HttpClientUnderTest client = client(retry());
            send(client, way, get("/a"));
            URI there = other.uri("/a");
            send(client, way, Request.of("GET", there));
            // The same, however it is written.
            send(client, way, Request.of("GET", URI.create("HTTP://127.0.0.1:" + there.getPort() + "/a?b=c")));
            assertThat(used.keySet())
                    .containsExactlyInAnyOrder(
                            "http://127.0.0.1:" + server.uri("/").getPort(), "http://127.0.0.1:" + there.getPort());
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatIsLeftOfTheDeadlineIsHandedDown(Way way) throws Exception {
        server.on("/a", status(500), status(500), status(200));
        send(client(DeadlinePolicy.of(Duration.ofSeconds(30)), retry()), way, get("/a"));
        List<WireServer.Arrived> arrived = server.requests("/a");
        assertThat(arrived)
                .extracting(request -> request.header("Holdfast-Attempt"))
                .containsExactly("1", "2", "3");
        List<Long> left = arrived.stream()
                .map(request -> Long.parseLong(String.valueOf(request.header("Holdfast-Timeout-Ms"))))
                .toList();
        assertThat(left).allSatisfy(millis -> assertThat(millis).isBetween(0L, 30_000L));
        assertThat(left).isSortedAccordingTo((a, b) -> Long.compare(b, a));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void withoutADeadlineOnlyTheAttemptIsHandedDown(Way way) throws Exception {
        server.on("/a", status(200));
        send(client(retry()), way, get("/a").header("X-Own", "yes"));
        WireServer.Arrived arrived = server.requests("/a").get(0);
        assertThat(arrived.header("Holdfast-Timeout-Ms")).isNull();
        assertThat(arrived.header("Holdfast-Attempt")).isEqualTo("1");
        assertThat(arrived.header("X-Own")).isEqualTo("yes");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void codeInsideAnAttemptSeesItsDeadlineAndItsNumber(Way way) throws Exception {
        server.on("/a", status(500), status(200));
        send(client(DeadlinePolicy.of(Duration.ofSeconds(30)), retry()), way, get("/a"));
        assertThat(seenInside)
                .allSatisfy(seen -> assertThat(seen)
                        .hasEntrySatisfying(
                                "Holdfast-Timeout-Ms",
                                millis -> assertThat(Long.parseLong(millis)).isBetween(0L, 30_000L)))
                .extracting(seen -> seen.get("Holdfast-Attempt"))
                .containsOnly("1", "2");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aRedirectIsFollowedWithinTheAttempt(Way way) throws Exception {
        server.on("/a", headed(302, "Location: " + server.uri("/b"))).on("/b", status(200, "12"));
        assertThat(send(client(retry()), way, get("/a")).body()).isEqualTo("12");
        assertThat(attempts).containsExactly(Outcome.SUCCESS);
    }

    /** It has another method, and no body. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aRequestThatARedirectMakesHasTheHeadersOfTheAttempt(Way way) throws Exception {
        server.on("/a", headed(303, "Location: " + server.uri("/b"))).on("/b", status(500), status(200));
        send(
                client(DeadlinePolicy.of(Duration.ofSeconds(30)), retry()),
                way,
                with("POST", "/a").header("Idempotency-Key", "1"));
        if (!handsDownWithAnotherMethod()) {
            assertThat(sent("/b")).isEqualTo(2);
            return;
        }
        assertThat(server.requests("/b"))
                .allSatisfy(request ->
                        assertThat(request.header("Holdfast-Timeout-Ms")).isNotNull())
                .extracting(request -> request.header("Holdfast-Attempt"))
                .containsExactly("1", "2");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aLargeBodyArrivesWhole(Way way) throws Exception {
        String text = new Random(1)
                .ints(WHOLE, 'a', 'z')
                .mapToObj(Character::toString)
                .collect(Collectors.joining());
        server.on("/a", status(500), status(200, text));
        Response response =
                send(client(retry()), way, Request.of("PUT", server.uri("/a")).body(text));
        assertThat(response.body().equals(text)).isTrue();
        assertThat(server.requests("/a"))
                .hasSize(2)
                .allSatisfy(arrived -> assertThat(arrived.body().equals(text)).isTrue());
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anAnswerToHeadHasNoBody(Way way) throws Exception {
        server.on("/a", status(503, "text", "Retry-After: 0"), status(200, "text"));
        Response response = send(client(retry()), way, with("HEAD", "/a"));
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.body()).isEmpty();
    }

    /** The inner client's pipeline does not retry inside a retry of the outer one. */
    @Test
    void retriesOfAPipelineAroundDoNotMultiply() throws Exception {
        server.on("/a", status(500));
        HttpClientUnderTest client = client(retry());
        try (Pipeline outer = Pipeline.of("outer", retry())) {
            outer.<Response>operation(
                            "x",
                            o -> o.classifier(
                                    (value, error) -> value instanceof Response response && response.status() >= 500
                                            ? Verdict.FAILURE
                                            : Verdict.SUCCESS))
                    .unkeyed()
                    .callInterruptibly(attempt -> client.send(get("/a")));
        }
        assertThat(sent("/a")).isEqualTo(5);
    }
}
