/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing.http;

import static dev.holdfast.testing.http.WireServer.chunked;
import static dev.holdfast.testing.http.WireServer.hang;
import static dev.holdfast.testing.http.WireServer.headed;
import static dev.holdfast.testing.http.WireServer.raw;
import static dev.holdfast.testing.http.WireServer.reset;
import static dev.holdfast.testing.http.WireServer.resetInBody;
import static dev.holdfast.testing.http.WireServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testing.http.HttpClientUnderTest.Request;
import dev.holdfast.testing.http.HttpClientUnderTest.Response;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a stale cache keeps, and when it answers. */
abstract class StaleCacheCases extends RequestCases {
    private static final DateTimeFormatter HTTP_DATE =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ROOT);

    private static final String FRESH = "Cache-Control: max-age=3600";
    private static final String REVALIDATED = "Cache-Control: max-age=0, stale-while-revalidate=3600";

    /** Longer than what is kept. */
    private static final int LONG = 300_000;

    private static final long MOST_NANOS = Duration.ofSeconds(30).toNanos();

    /** As a breaker. */
    private static final class Switch extends Policy {
        private volatile boolean open;

        Switch() {
            super("switch", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            return open ? passage.reject(Reason.CIRCUIT_OPEN, -1, "the switch is open") : PROCEED;
        }
    }

    private HttpClientUnderTest caching(Policy... inside) {
        List<Policy> all = new ArrayList<>(List.of(staleCache()));
        all.addAll(List.of(inside));
        return built(builder -> builder.policies(all));
    }

    private static @Nullable String source(Response response) {
        return response.headers().get("Holdfast-Source");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aFreshAnswerNeedsNoRequest(Way way) throws Exception {
        server.on("/a", status(200, "12", FRESH, "X-Own: yes"), status(500));
        HttpClientUnderTest client = caching();
        assertThat(source(send(client, way, get("/a")))).isNull();
        for (int i = 0; i < 2; i++) {
            Response kept = send(client, way, get("/a"));
            assertThat(kept.status()).isEqualTo(200);
            assertThat(kept.body()).isEqualTo("12");
            assertThat(source(kept)).isEqualTo("fresh");
            assertThat(kept.headers().get("Age")).matches("[0-9]+");
            assertThat(kept.headers()).containsEntry("X-Own", "yes");
        }
        assertThat(sent("/a")).isEqualTo(1);
    }

    private static long age(Response response) {
        return Long.parseLong(response.headers().getOrDefault("Age", "-1"));
    }

    /** A whole answer, between whose parts this time passes. */
    private static WireServer.Step slow(TimeThatJumps time, Duration takes, boolean inBody, String control) {
        return connection -> {
            if (!inBody) {
                time.jump(takes);
            }
            connection.head(200, 2, control);
            connection.write("1");
            if (inBody) {
                time.jump(takes);
            }
            connection.write("2");
            return true;
        };
    }

    /** RFC 9111 §4.2.3: the response delay, whether the head takes it or the body. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void anAnswerGrowsOldWhileItIsUnderWay(Way way) throws Exception {
        TimeThatJumps time = new TimeThatJumps();
        HttpClientUnderTest client =
                built(builder -> builder.policies(staleCache()).time(time));
        for (boolean inBody : new boolean[] {false, true}) {
            String path = "/" + inBody;
            server.on(path, slow(time, Duration.ofSeconds(3), inBody, "Cache-Control: max-age=2"));
            send(client, way, get(path));
            assertThat(source(send(client, way, get(path)))).isNull();
            assertThat(sent(path)).isEqualTo(2);

            String longer = path + "/longer";
            server.on(longer, slow(time, Duration.ofSeconds(3), inBody, FRESH));
            send(client, way, get(longer));
            Response kept = send(client, way, get(longer));
            assertThat(source(kept)).isEqualTo("fresh");
            assertThat(kept.body()).isEqualTo("12");
            assertThat(age(kept)).isBetween(3L, 1_000L);
        }
    }

    private static String clock(String name, Duration fromNow) {
        Instant at = Instant.ofEpochMilli(TimeSource.system().millis()).plus(fromNow);
        return name + ": " + HTTP_DATE.format(at.atOffset(ZoneOffset.UTC));
    }

    /** RFC 9111 §4.2.3: the apparent age. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void anAnswerIsAsOldAsItsDateSays(Way way) throws Exception {
        HttpClientUnderTest client = caching();
        String hourAgo = clock("Date", Duration.ofHours(-1));
        server.on("/a", status(200, "12", hourAgo, "Cache-Control: max-age=60"));
        server.on("/b", status(200, "12", hourAgo, clock("Expires", Duration.ofMinutes(-50))));
        for (String path : List.of("/a", "/b")) {
            send(client, way, get(path));
            assertThat(source(send(client, way, get(path)))).isNull();
            assertThat(sent(path)).isEqualTo(2);
        }
        server.on("/c", status(200, "12", hourAgo, "Age: 10", "Cache-Control: max-age=36000"));
        send(client, way, get("/c"));
        Response old = send(client, way, get("/c"));
        assertThat(source(old)).isEqualTo("fresh");
        assertThat(age(old)).isBetween(3_599L, 4_600L);
        // A clock that is ahead, there or here.
        server.on("/d", status(200, "12", clock("Date", Duration.ofHours(1)), FRESH));
        send(client, way, get("/d"));
        Response ahead = send(client, way, get("/d"));
        assertThat(source(ahead)).isEqualTo("fresh");
        assertThat(age(ahead)).isBetween(0L, 1_000L);
    }

    /** A status, a rejection, and a server that is no longer there. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void anOldAnswerTakesThePlaceOfAnError(Way way) throws Exception {
        server.on("/a", status(200, "12"), status(500, "broken"));
        Switch breaker = new Switch();
        HttpClientUnderTest client = caching(breaker);
        List<Response> responses = new ArrayList<>();
        responses.add(send(client, way, get("/a")));
        responses.add(send(client, way, get("/a")));
        breaker.open = true;
        responses.add(send(client, way, get("/a")));
        assertThat(sent("/a")).isEqualTo(2);
        breaker.open = false;
        server.close();
        responses.add(send(client, way, get("/a")));
        assertThat(responses).extracting(Response::status).containsOnly(200);
        assertThat(responses).extracting(Response::body).containsOnly("12");
        assertThat(responses)
                .extracting(StaleCacheCases::source)
                .containsExactly(null, "stale_on_error", "stale_on_error", "stale_on_error");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatVariesIsKeptForEach(Way way) throws Exception {
        server.on("/a", status(200, "two", FRESH, "Vary: Accept-Language"), status(200, "zwei", FRESH), status(500));
        HttpClientUnderTest client = caching();
        for (int i = 0; i < 2; i++) {
            assertThat(send(client, way, get("/a").header("Accept-Language", "en"))
                            .body())
                    .isEqualTo("two");
            assertThat(send(client, way, get("/a").header("Accept-Language", "de"))
                            .body())
                    .isEqualTo("zwei");
        }
        assertThat(sent("/a")).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Cache-Control: no-store",
                "Cache-Control: private, max-age=60",
                "Set-Cookie: a=b",
                "Vary: *",
                "Cache-Control: no-cache"
            })
    void whatMayNotBeKeptIsAskedForEachTime(String header) throws Exception {
        HttpClientUnderTest client = caching();
        for (Way way : Way.values()) {
            server.on("/" + way, status(200, "1", header), status(200, "2", header), status(500, "broken"));
            assertThat(send(client, way, get("/" + way)).body()).isEqualTo("1");
            assertThat(send(client, way, get("/" + way)).body()).isEqualTo("2");
            assertThat(send(client, way, get("/" + way)).body()).isEqualTo("broken");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anAnswerToSomebodyIsKeptOnlyIfItIsPublic(Way way) throws Exception {
        server.on("/own", status(200, "12", FRESH)).on("/all", status(200, "12", FRESH + ", public"));
        HttpClientUnderTest client = caching();
        for (String path : List.of("/own", "/own", "/all", "/all")) {
            send(client, way, get(path).header("Authorization", "Bearer ann"));
        }
        assertThat(sent("/own")).isEqualTo(2);
        assertThat(sent("/all")).isEqualTo(seesRedirects() ? 1 : 2);
    }

    /** It says nothing of what they get. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void anAnswerToSomebodyLeavesWhatIsKeptForOthers(Way way) throws Exception {
        server.on(
                "/a",
                status(200, "all"),
                status(200, "ann", FRESH + ", private"),
                status(500),
                status(200, "one", FRESH + ", private"),
                status(500));
        HttpClientUnderTest client = caching();
        assertThat(send(client, way, get("/a")).body()).isEqualTo("all");
        Request ofAnn = get("/a").header("Authorization", "Bearer ann");
        assertThat(send(client, way, ofAnn).body()).isEqualTo("ann");
        assertThat(send(client, way, get("/a")).body())
                .as("in place of an error")
                .isEqualTo("all");
        assertThat(send(client, way, get("/a")).body()).isEqualTo("one");
        assertThat(send(client, way, get("/a")).status())
                .as("after a private one to anybody")
                .isEqualTo(500);
    }

    /** The redirect may be for one caller alone, whatever the answer at its end says. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void whatCameByARedirectIsNotKept(Way way) throws Exception {
        server.on("/me", headed(302, "Location: " + server.uri("/ann")), headed(302, "Location: " + server.uri("/bob")))
                .on("/ann", status(200, "ann", FRESH + ", public"))
                .on("/bob", status(200, "bob", FRESH + ", public"));
        HttpClientUnderTest client = caching();
        for (String who : List.of("ann", "bob")) {
            Request request = seesRedirects() ? get("/me") : get("/me").header("Authorization", "Bearer " + who);
            assertThat(send(client, way, request).body()).isEqualTo(who);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aPartitionKeepsWhatIsPrivate(Way way) throws Exception {
        server.on("/a", status(200, "ann", FRESH + ", private"), status(200, "bob", FRESH + ", private"), status(500));
        HttpClientUnderTest client = caching();
        for (int i = 0; i < 2; i++) {
            for (String who : List.of("ann", "bob")) {
                Request request = get("/a").header("X-User", who).header("Authorization", "Bearer " + who);
                assertThat(send(client, way, request).body()).isEqualTo(who);
            }
        }
        assertThat(sent("/a")).isEqualTo(2);
        assertThat(send(client, way, get("/a")).status()).isEqualTo(500);
    }

    @ParameterizedTest
    @ValueSource(ints = {404, 410})
    void whatIsGoneIsNotAnsweredWith(int status) throws Exception {
        HttpClientUnderTest client = caching();
        for (Way way : Way.values()) {
            server.on("/" + way, status(200, "12"), status(status), status(500));
            for (int expected : new int[] {200, status, 500}) {
                assertThat(send(client, way, get("/" + way)).status()).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {404, 410})
    void whatAHeadFindsGoneIsNotAnsweredWith(int status) throws Exception {
        HttpClientUnderTest client = caching();
        for (Way way : Way.values()) {
            String path = "/" + way;
            server.on(path, status(200, "12", FRESH), status(status), status(500));
            assertThat(send(client, way, get(path)).body()).isEqualTo("12");
            assertThat(send(client, way, with("HEAD", path)).status()).isEqualTo(status);
            assertThat(send(client, way, get(path)).status()).isEqualTo(500);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PUT", "POST", "DELETE", "PATCH"})
    void aChangeRemovesWhatWasKept(String method) throws Exception {
        HttpClientUnderTest client = caching();
        for (Way way : Way.values()) {
            String path = "/" + way;
            server.on(path, status(200, "old", FRESH), status(409), status(204), status(200, "new", FRESH));
            assertThat(send(client, way, get(path)).body()).isEqualTo("old");
            assertThat(send(client, way, with(method, path)).status()).isEqualTo(409);
            assertThat(send(client, way, get(path)).body()).as("refused").isEqualTo("old");
            assertThat(send(client, way, with(method, path)).status()).isEqualTo(204);
            assertThat(send(client, way, get(path)).body()).isEqualTo("new");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {404, 410})
    void aChangeThatFindsNothingRemovesWhatWasKept(int status) throws Exception {
        HttpClientUnderTest client = caching();
        for (Way way : Way.values()) {
            for (String method : List.of("PUT", "POST", "DELETE", "PATCH")) {
                String path = "/" + method + way;
                server.on(path, status(200, "old", FRESH), status(status), status(500));
                assertThat(send(client, way, get(path)).body()).isEqualTo("old");
                assertThat(send(client, way, with(method, path)).status()).isEqualTo(status);
                assertThat(send(client, way, get(path)).status()).isEqualTo(500);
            }
        }
    }

    /** It may be done. So what is kept takes the place of an error, and is not fresh any more. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void afterAChangeWhoseEndIsNotKnownNothingIsFresh(Way way) throws Exception {
        HttpClientUnderTest client = givingUp(staleCache());
        List<WireServer.Step> ends = List.of(status(500), status(503), status(412), reset(), hang());
        for (int i = 0; i < ends.size(); i++) {
            for (String method : List.of("PUT", "POST")) {
                String path = "/" + method + i;
                server.on(path, status(200, "old", FRESH), ends.get(i), status(500), status(200, "new", FRESH));
                assertThat(send(client, way, get(path)).body()).isEqualTo("old");
                Throwable lost = catchThrowable(() -> send(client, way, with(method, path)));
                assertThat(lost == null).as("answered").isEqualTo(i < 3);
                Response spare = send(client, way, get(path));
                assertThat(spare.body()).isEqualTo("old");
                assertThat(source(spare)).isEqualTo("stale_on_error");
                assertThat(send(client, way, get(path)).body()).isEqualTo("new");
                assertThat(source(send(client, way, get(path)))).as(path).isEqualTo("fresh");
            }
        }
    }

    /** It tells of what was before the change. */
    @Test
    void afterAChangeWhoseEndIsNotKnownNobodyWaitsForAnEarlierGet() throws Exception {
        CompletableFuture<Boolean> changed = new CompletableFuture<>();
        server.on(
                "/a",
                connection -> {
                    changed.join();
                    connection.head(200, 3, FRESH);
                    connection.write("old");
                    return true;
                },
                status(500),
                status(200, "new", FRESH));
        HttpClientUnderTest client = caching();
        CompletableFuture<Response> early = client.sendAsync(get("/a")).response();
        while (sent("/a") == 0) {
            assertThat(early).isNotDone();
        }
        assertThat(client.send(with("PUT", "/a")).status()).isEqualTo(500);
        List<CompletableFuture<Response>> later = Stream.generate(
                        () -> client.sendAsync(get("/a")).response())
                .limit(10)
                .toList();
        changed.complete(true);
        for (CompletableFuture<Response> one : later) {
            assertThat(one.get().body()).isEqualTo("new");
        }
        assertThat(early.get().body()).isEqualTo("old");
        assertThat(client.send(get("/a")).body()).isEqualTo("new");
        assertThat(sent("/a")).as("a get, a put and one more get for all").isEqualTo(3);
    }

    /** It was never sent. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void afterAChangeThatFoundNobodyWhatWasKeptIsStillFresh(Way way) throws Exception {
        WireServer.Step kept = status(200, "12", FRESH, "Connection: close");
        server.on("/a", connection -> {
            kept.answer(connection);
            return false;
        });
        HttpClientUnderTest client = caching();
        assertThat(send(client, way, get("/a")).body()).isEqualTo("12");
        server.close();
        long start = System.nanoTime();
        while (isHeard(server.uri("/a"))) {
            spin(start, "the server still listens");
        }
        for (String method : List.of("PUT", "POST")) {
            assertThatThrownBy(() -> send(client, way, with(method, "/a").body("13")))
                    .isInstanceOf(IOException.class);
            assertThat(source(send(client, way, get("/a")))).isEqualTo("fresh");
        }
    }

    /** Its caller gives it up, and no limit of the pipeline's: what was sent may be done all the same. */
    @Test
    void afterAChangeThatWasCancelledNothingIsFresh() throws Exception {
        server.on("/a", status(200, "old", FRESH), hang(), status(200, "new"));
        HttpClientUnderTest client = caching();
        assertThat(client.send(get("/a")).body()).isEqualTo("old");
        HttpClientUnderTest.Exchange change = client.sendAsync(with("PUT", "/a"));
        long start = System.nanoTime();
        while (sent("/a") == 1) {
            spin(start, "the change has not arrived");
        }
        change.cancel().run();
        String seen = "old";
        start = System.nanoTime();
        while (seen.equals("old")) { // a blocking attempt hears of it on its own thread
            spin(start, "what was kept is still fresh");
            seen = client.send(get("/a")).body();
        }
        assertThat(seen).isEqualTo("new");
    }

    /** A thread that accepts connections may keep the port open for a moment. */
    private static boolean isHeard(URI address) throws IOException {
        try (Socket connected = new Socket(address.getHost(), address.getPort())) {
            return connected.isConnected();
        } catch (ConnectException refused) {
            return false;
        } catch (SocketException reset) {
            return true; // closed while it was connecting
        }
    }

    private static void spin(long start, String otherwise) {
        assertThat(System.nanoTime() - start).as(otherwise).isLessThan(MOST_NANOS);
        Thread.onSpinWait();
    }

    /** What is at the end of the redirect says nothing of what its server has done before. */
    @ParameterizedTest
    @ValueSource(ints = {302, 303, 307})
    void aChangeThatEndsInARedirectRemovesWhatWasKept(int redirect) throws Exception {
        HttpClientUnderTest client = caching();
        for (Way way : Way.values()) {
            String path = "/" + way;
            server.on(
                            path,
                            status(200, "old", FRESH),
                            headed(redirect, "Location: " + server.uri("/refused")),
                            status(200, "new", FRESH))
                    .on("/refused", status(403));
            assertThat(send(client, way, get(path)).body()).isEqualTo("old");
            assertThat(send(client, way, with("POST", path)).status()).isEqualTo(403);
            assertThat(send(client, way, get(path)).body()).isEqualTo(seesRedirects() ? "new" : "old");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aChangeRemovesWhatWasKeptWhereARedirectHasLedIt(Way way) throws Exception {
        HttpClientUnderTest client = caching();
        server.on("/a", headed(307, "Location: " + server.uri("/b")))
                .on(
                        "/b",
                        status(200, "old", FRESH),
                        headed(308, "Location: " + server.uri("/c")),
                        status(200, "new", FRESH))
                .on("/c", status(200, "old", FRESH), status(204), status(200, "new", FRESH));
        for (String path : List.of("/b", "/c")) {
            assertThat(send(client, way, get(path)).body()).isEqualTo("old");
        }
        assertThat(send(client, way, with("POST", "/a")).status()).isEqualTo(204);
        for (String path : List.of("/b", "/c")) {
            assertThat(send(client, way, get(path)).body()).isEqualTo(seesWhereRedirectsLead() ? "new" : "old");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aLongBodyArrivesWholeAndIsNotKept(Way way) throws Exception {
        String text = "0123456789".repeat(LONG / 10);
        server.on("/a", status(200, text, FRESH)).on("/b", chunked(text, FRESH));
        HttpClientUnderTest client = caching();
        for (String path : List.of("/a", "/b")) {
            for (int i = 1; i <= 2; i++) {
                assertThat(send(client, way, get(path)).body().equals(text)).isTrue();
                assertThat(sent(path)).isEqualTo(i);
            }
        }
    }

    /** Each has a body of its own. */
    @Test
    void callersAtOnceReadTheSameAnswer() throws Exception {
        String text = "0123456789".repeat(10_000);
        server.on("/a", chunked(text, FRESH), status(500));
        HttpClientUnderTest client = caching();
        client.send(get("/a"));
        List<CompletableFuture<Response>> calls = IntStream.range(0, 20)
                .mapToObj(i -> client.sendAsync(get("/a")).response())
                .toList();
        assertThat(client.send(get("/a")).body().equals(text)).isTrue();
        for (CompletableFuture<Response> call : calls) {
            assertThat(call.get().body().equals(text)).isTrue();
        }
        assertThat(sent("/a")).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anOldAnswerIsRefreshedInTheBackground(Way way) throws Exception {
        server.on("/a", status(200, "12", REVALIDATED), status(200, "13", REVALIDATED));
        HttpClientUnderTest client = caching();
        send(client, way, get("/a"));
        Response old = send(client, way, get("/a"));
        assertThat(old.body()).isEqualTo("12");
        assertThat(source(old)).isEqualTo("stale_revalidating");
        while (!send(client, way, get("/a")).body().equals("13")) {
            Thread.onSpinWait();
        }
    }

    /** To cancel the call that has begun it ends nothing: the call is over. */
    @Test
    void aRefreshOutlivesTheCallThatHasBegunIt() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        server.on("/a", status(200, "12", REVALIDATED), connection -> {
            try {
                over.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            return status(200, "13", REVALIDATED).answer(connection);
        });
        HttpClientUnderTest client = caching();
        client.send(get("/a"));
        HttpClientUnderTest.Exchange call = client.sendAsync(get("/a"));
        assertThat(call.response().get().body()).isEqualTo("12");
        while (sent("/a") < 2) {
            Thread.onSpinWait();
        }
        call.cancel().run();
        over.countDown();
        while (!client.send(get("/a")).body().equals("13")) {
            Thread.onSpinWait();
        }
        assertThat(attempts).doesNotContain(Outcome.FAILURE);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anAnswerToHeadIsKeptForHead(Way way) throws Exception {
        server.on("/a", status(200, "x".repeat(LONG), FRESH), status(200, "text", FRESH), status(500));
        HttpClientUnderTest client = caching();
        for (int i = 0; i < 2; i++) {
            Response head = send(client, way, with("HEAD", "/a"));
            assertThat(head.status()).isEqualTo(200);
            assertThat(head.body()).isEmpty();
            assertThat(source(head)).isEqualTo(i == 0 ? null : "fresh");
        }
        assertThat(send(client, way, get("/a")).body()).isEqualTo("text");
        assertThat(sent("/a")).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aBodyThatBreaksIsNotKept(Way way) throws Exception {
        server.on("/a", resetInBody(), status(200, "12"), resetInBody());
        HttpClientUnderTest client = caching();
        assertThatThrownBy(() -> send(client, way, get("/a"))).isInstanceOf(IOException.class);
        assertThat(source(send(client, way, get("/a")))).isNull();
        Response old = send(client, way, get("/a"));
        assertThat(old.body()).isEqualTo("12");
        assertThat(source(old)).isEqualTo("stale_on_error");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anOldAnswerTakesThePlaceOfWhatIsNoHttp(Way way) throws Exception {
        server.on("/a", status(200, "12"), raw(NO_HTTP));
        HttpClientUnderTest client = caching();
        assertThat(source(send(client, way, get("/a")))).isNull();
        for (int i = 0; i < 2; i++) {
            Response old = send(client, way, get("/a"));
            assertThat(old.body()).isEqualTo("12");
            assertThat(source(old)).isEqualTo("stale_on_error");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/event-stream", "application/x-ndjson", "multipart/mixed; boundary=x", "video/mp4"})
    void aStreamIsNotKept(String type) throws Exception {
        HttpClientUnderTest client = caching();
        for (Way way : Way.values()) {
            server.on("/" + way, chunked("data: 1", FRESH, "Content-Type: " + type));
            for (int i = 1; i <= 2; i++) {
                assertThat(send(client, way, get("/" + way)).body()).isEqualTo("data: 1");
                assertThat(sent("/" + way)).isEqualTo(i);
            }
        }
    }
}
