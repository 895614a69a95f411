/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testing.ScriptedServer;
import dev.holdfast.throttling.GatePolicy;
import dev.holdfast.time.VirtualTime;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What a server says to one caller holds all of them. The sockets are real; the pipeline's time is virtual, so no hold ends by
 * itself.
 */
class GateOverHttpTest {
    private static final int CALLERS = 100;

    private final VirtualTime time = new VirtualTime();
    private final ScriptedServer server = ScriptedServer.start();
    private final GatePolicy gate = GatePolicy.of(g -> g.maxHold(Duration.ofHours(2)));
    private final Pipeline pipeline = pipeline(gate);
    private final HttpClient client = client(pipeline);

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("shop").policies(policies).time(time).build();
    }

    private static HttpClient client(Pipeline of) {
        return HoldfastHttpClient.around(HttpClient.newHttpClient(), Pipelines.one(of));
    }

    @AfterEach
    void close() {
        pipeline.close();
        server.close();
        time.close();
    }

    private HttpRequest request() {
        return HttpRequest.newBuilder(server.uri("/stock/1")).build();
    }

    private int send() throws Exception {
        return client.send(request(), BodyHandlers.ofString()).statusCode();
    }

    /** All at once. */
    private List<CompletableFuture<HttpResponse<String>>> sendAll(HttpClient by) {
        List<CompletableFuture<HttpResponse<String>>> sent = new ArrayList<>();
        for (int i = 0; i < CALLERS; i++) {
            sent.add(by.sendAsync(request(), BodyHandlers.ofString()));
        }
        sent.forEach(call ->
                assertThat(call.handle((response, error) -> true).join()).isTrue());
        return sent;
    }

    private void assertThatAllOthersAreHeld() {
        int before = server.requests().size();
        assertThat(sendAll(client)).allSatisfy(call -> assertThat(call).isCompletedExceptionally());
        assertThat(catchThrowable(this::send))
                .cause()
                .isInstanceOfSatisfying(CallRejectedException.class, rejection -> {
                    assertThat(rejection.reason()).isEqualTo(Reason.THROTTLED);
                    assertThat(rejection.policy()).isEqualTo("gate");
                    assertThat(rejection.retryAfter().orElseThrow()).isGreaterThanOrEqualTo(gate.held());
                });
        assertThat(server.requests()).as("requests while the gate is held").hasSize(before);
    }

    private void assertThatItOpensAfter(Duration held) throws Exception {
        time.advance(held.minusNanos(1));
        assertThat(catchThrowable(this::send)).hasCauseInstanceOf(CallRejectedException.class);
        time.advance(Duration.ofNanos(1));
        assertThat(send()).isEqualTo(200);
    }

    @Test
    void a429WithSecondsHoldsAllOthers() throws Exception {
        server.answers(429).with("Retry-After", "7").answers(200);
        assertThat(send()).isEqualTo(429);

        assertThat(gate.held()).isEqualTo(Duration.ofSeconds(7));
        assertThatAllOthersAreHeld();
        assertThatItOpensAfter(Duration.ofSeconds(7));
    }

    @Test
    void a503WithADateHoldsAllOthers() throws Exception {
        String inAnHour = DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ROOT)
                .format(Instant.now().atOffset(ZoneOffset.UTC).plusHours(1));
        server.answers(503).with("Retry-After", inAnHour).answers(200);
        assertThat(send()).isEqualTo(503);

        assertThat(gate.held()).isBetween(Duration.ofMinutes(55), Duration.ofMinutes(61));
        assertThatAllOthersAreHeld();
        assertThatItOpensAfter(gate.held());
    }

    @Test
    void aSuccessThatUsedUpTheQuotaHoldsAllOthers() throws Exception {
        server.answers(200).with("RateLimit", "\"default\";r=0;t=30").answers(200);
        assertThat(send()).isEqualTo(200);

        assertThat(gate.held()).isEqualTo(Duration.ofSeconds(30));
        assertThatAllOthersAreHeld();
        assertThatItOpensAfter(Duration.ofSeconds(30));
    }

    @Test
    void withoutATimeTheWindowOfThePolicyCounts() throws Exception {
        server.answers(404)
                .with("RateLimit", "\"default\";r=0")
                .with("RateLimit-Policy", "\"default\";q=100;w=60")
                .answers(200);
        assertThat(send()).isEqualTo(404);

        assertThat(gate.held()).isEqualTo(Duration.ofMinutes(1));
        assertThatAllOthersAreHeld();
    }

    @Test
    void aQuotaThatIsLeftHoldsNobody() throws Exception {
        server.answers(200).with("RateLimit", "\"default\";r=50;t=30");
        assertThat(send()).isEqualTo(200);

        assertThat(send()).isEqualTo(200);
        assertThat(gate.malformed()).isZero();
    }

    @Test
    void whatIsMalformedIsIgnoredAndCounted() throws Exception {
        server.answers(429)
                .with("Retry-After", "soon")
                .answers(200)
                .with("RateLimit", "limit=100, remaining=0, reset=30")
                .answers(200)
                .with("RateLimit", "\"default\";r=0")
                .with("RateLimit-Policy", "\"default\";w=")
                .answers(200);

        for (int i = 0; i < 4; i++) {
            int unused = send();
        }

        assertThat(server.requests()).hasSize(4);
        assertThat(gate.malformed()).isEqualTo(3);
        assertThat(gate.holds()).isZero();
    }

    @Test
    void aRetryOutsideComesWhenTheGateIsOpen() {
        server.answers(429).with("Retry-After", "7").answers(200);
        try (Pipeline retrying = pipeline(RetryPolicy.of(r -> r.maxAttempts(2)), gate)) {
            HttpClient patient = client(retrying);
            Running<HttpResponse<String>> retried =
                    Running.blocking(time, () -> patient.send(request(), BodyHandlers.ofString()));

            time.advance(Duration.ofMillis(6_999));
            assertThat(server.requests()).hasSize(1);
            time.run();

            assertThat(retried.result().join().statusCode()).isEqualTo(200);
            assertThat(server.requests()).hasSize(2);
            assertThat(gate.rejected()).isZero();
        }
    }

    /** The control. */
    @Test
    void withoutAGateAllOthersReachTheServer() {
        server.answers(429).with("Retry-After", "7");
        try (Pipeline none = pipeline()) {
            assertThat(sendAll(client(none)))
                    .allSatisfy(call -> assertThat(call.join().statusCode()).isEqualTo(429));
        }
        assertThat(server.requests()).hasSize(CALLERS);
    }
}
