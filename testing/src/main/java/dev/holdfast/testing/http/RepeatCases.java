/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing.http;

import static dev.holdfast.testing.http.WireServer.headed;
import static dev.holdfast.testing.http.WireServer.reset;
import static dev.holdfast.testing.http.WireServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Outcome;
import dev.holdfast.Refusal;
import dev.holdfast.testing.http.HttpClientUnderTest.Request;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What may be repeated. */
abstract class RepeatCases extends StatusCases {
    @ParameterizedTest
    @ValueSource(strings = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
    void anIdempotentMethodIsRepeated(String method) throws Exception {
        HttpClientUnderTest client = client(retry());
        for (Way way : Way.values()) {
            server.on("/" + way, status(500));
            send(client, way, with(method, "/" + way));
            assertThat(sent("/" + way)).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PATCH"})
    void anyOtherMethodIsSentOnce(String method) throws Exception {
        HttpClientUnderTest client = client(retry());
        for (Way way : Way.values()) {
            server.on("/" + way, status(500));
            assertThat(send(client, way, with(method, "/" + way)).status()).isEqualTo(500);
            assertThat(sent("/" + way)).isEqualTo(1);
            Request withBlankKey = with(method, "/" + way).header("Idempotency-Key", "");
            assertThat(send(client, way, withBlankKey).status()).isEqualTo(500);
            assertThat(sent("/" + way)).as("with a key that is none").isEqualTo(2);
        }
        assertThat(refusals).containsOnly(Refusal.NOT_IDEMPOTENT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PATCH"})
    void withAnIdempotencyKeyItIsRepeatedWhole(String method) throws Exception {
        HttpClientUnderTest client = client(retry());
        for (Way way : Way.values()) {
            server.on("/" + way, status(500), headed(503, "Retry-After: 0"), status(201));
            Request request = with(method, "/" + way).header("Idempotency-Key", "\"4711\"");
            assertThat(send(client, way, request).status()).isEqualTo(201);
            assertThat(server.requests("/" + way)).hasSize(3).allSatisfy(arrived -> {
                assertThat(arrived.body()).isEqualTo(BODY);
                assertThat(arrived.header("Idempotency-Key")).isEqualTo("\"4711\"");
            });
        }
    }

    /** A gateway may answer so after the work was done. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aPostIsNotRepeatedAfterAPlain503(Way way) throws Exception {
        server.on("/a", status(503)).on("/b", headed(503, "Retry-After: 0"), status(201));
        HttpClientUnderTest client = client(retry());
        assertThat(send(client, way, with("POST", "/a")).status()).isEqualTo(503);
        assertThat(sent("/a")).isEqualTo(1);
        for (String plain :
                List.of("RateLimit: \"a\";r=99;t=30", "RateLimit: limit=100, remaining=99", "Retry-After: soon")) {
            String path = "/" + plain.hashCode();
            server.on(path, headed(503, plain), status(201));
            assertThat(send(client, way, with("POST", path)).status()).as(plain).isEqualTo(503);
        }
        assertThat(send(client, way, with("POST", "/b")).status())
                .as("told to come again")
                .isEqualTo(201);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aPostIsRepeatedIfNoConnectionWasMade(Way way) throws Exception {
        HttpClientUnderTest client = client(retry());
        try (Socket nobody = deaf()) {
            Request request = Request.of("POST", URI.create("http://127.0.0.1:" + nobody.getLocalPort() + "/"))
                    .body(BODY);
            assertThatThrownBy(() -> send(client, way, request)).isInstanceOf(IOException.class);
        }
        assertThat(attempts).hasSize(3).containsOnly(Outcome.FAILURE);
        assertThat(refusals).containsExactly(Refusal.EXHAUSTED);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aPostIsNotRepeatedIfTheConnectionBreaks(Way way) throws Exception {
        server.on("/a", reset());
        HttpClientUnderTest client = client(retry());
        assertThatThrownBy(() -> send(client, way, with("POST", "/a"))).isInstanceOf(IOException.class);
        assertThat(sent("/a")).isEqualTo(1);
        assertThat(refusals).containsExactly(Refusal.NOT_IDEMPOTENT);
    }

    /** The work was done, and only then the client could not connect: to where it was sent on. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aPostIsNotRepeatedIfOnlyItsRedirectFindsNobody(Way way) throws Exception {
        HttpClientUnderTest client = client(retry());
        try (Socket nobody = deaf()) {
            server.on("/a", headed(303, "Location: http://127.0.0.1:" + nobody.getLocalPort() + "/"));
            assertThatThrownBy(() -> send(client, way, with("POST", "/a"))).isInstanceOf(IOException.class);
        }
        assertThat(sent("/a")).isEqualTo(1);
    }

    /** As above: the server that redirects may have done the work, whatever the next one asks for. */
    @ParameterizedTest
    @ValueSource(ints = {302, 303, 307})
    void aPostIsNotRepeatedIfOnlyItsRedirectIsPushedBack(int redirect) throws Exception {
        HttpClientUnderTest client = client(retry());
        for (int status : new int[] {429, 503}) {
            for (Way way : Way.values()) {
                String path = "/" + status + way;
                server.on(path, headed(redirect, "Location: " + server.uri("/to" + path)))
                        .on("/to" + path, headed(status, "Retry-After: 0"));
                assertThat(send(client, way, with("POST", path)).status()).isEqualTo(status);
                assertThat(sent(path)).isEqualTo(seesRedirects() ? 1 : 3);
            }
        }
        assertThat(attempts).containsOnly(seesRedirects() ? Outcome.FAILURE : Outcome.PUSHBACK);
        assertThat(refusals).containsOnly(seesRedirects() ? Refusal.NOT_IDEMPOTENT : Refusal.EXHAUSTED);
        attempts.clear();
        server.on("/a", headed(redirect, "Location: " + server.uri("/b")))
                .on("/b", headed(429, "Retry-After: 0"), status(200));
        assertThat(send(client, Way.BLOCKING, with("POST", "/a").header("Idempotency-Key", "\"4711\""))
                        .status())
                .isEqualTo(200);
        assertThat(attempts).containsExactly(Outcome.PUSHBACK, Outcome.SUCCESS);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aBodyThatCanBeReadOnceIsSentOnce(Way way) throws Exception {
        server.on("/a", status(500)).on("/b", headed(503, "Retry-After: 0")).on("/c", reset());
        HttpClientUnderTest client = client(retry());
        for (String path : List.of("/a", "/b")) {
            send(client, way, Request.of("PUT", server.uri(path)).bodyOnce(BODY));
        }
        assertThatThrownBy(() ->
                        send(client, way, Request.of("PUT", server.uri("/c")).bodyOnce(BODY)))
                .isInstanceOf(IOException.class);
        assertThat(List.of(sent("/a"), sent("/b"), sent("/c"))).containsOnly(1);
        assertThat(server.requests("/a").get(0).body()).isEqualTo(BODY);
        assertThat(refusals).hasSize(3).containsOnly(Refusal.SENT_ONCE);
    }
}
