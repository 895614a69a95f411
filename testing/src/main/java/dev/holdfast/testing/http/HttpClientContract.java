/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing.http;

import static dev.holdfast.testing.http.WireServer.chunked;
import static dev.holdfast.testing.http.WireServer.hang;
import static dev.holdfast.testing.http.WireServer.headed;
import static dev.holdfast.testing.http.WireServer.raw;
import static dev.holdfast.testing.http.WireServer.reset;
import static dev.holdfast.testing.http.WireServer.resetInBody;
import static dev.holdfast.testing.http.WireServer.stallInBody;
import static dev.holdfast.testing.http.WireServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Classifier;
import dev.holdfast.Deadline;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Verdict;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testing.http.HttpClientUnderTest.Request;
import dev.holdfast.testing.http.HttpClientUnderTest.Response;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every adapter of an HTTP client does, over real sockets: what HTTP means to the policies, what may be repeated, and that
 * nothing leaks. A module with an adapter extends it.
 *
 * <pre>{@code
 * class MyClientTest extends HttpClientContract {
 *     @Override
 *     protected HttpClientUnderTest client(Function<String, Pipeline> pipelines) {
 *         return new MyClient(MyAdapter.around(client, pipelines::apply));
 *     }
 * }
 * }</pre>
 *
 * <p>No case depends on how fast the machine is: where something must take too long, it takes for ever.
 */
public abstract class HttpClientContract {
    /** How a request is sent. */
    protected enum Way {
        /** On the caller's thread. */
        BLOCKING,
        /** With a future. */
        ASYNCHRONOUS
    }

    private static final Duration SOON = Duration.ofMillis(200);
    private static final String BODY = "12 pieces";
    private static final int WHOLE = 2_000_000;

    private final WireServer server = WireServer.start();
    private final List<AutoCloseable> open = new ArrayList<>();
    private final List<Refusal> refusals = new CopyOnWriteArrayList<>();
    private final List<Outcome> attempts = new CopyOnWriteArrayList<>();
    private final Map<String, Pipeline> used = new ConcurrentHashMap<>();

    /** For a subclass. */
    protected HttpClientContract() {}

    /**
     * A client with these pipelines around it. It follows redirects. Its option {@code partition} gives the header {@code X-User} of a
     * request, or null. To be closed by the contract.
     *
     * @param pipelines from the authority of a request to its pipeline
     */
    protected abstract HttpClientUnderTest client(Function<String, Pipeline> pipelines);

    /**
     * A stale cache to which no call is slow: {@code StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO))}. The clients of the contract have the header {@code X-User}
     * of a request as its partition.
     */
    protected abstract Policy staleCache();

    /**
     * Whether the adapter sees that a response came by a redirect. If not, it keeps no response to a request with {@code Authorization} or
     * {@code Cookie}, unless the request has a partition; and a pushback at the end of a redirect repeats a request that must not be done twice.
     */
    protected boolean seesRedirects() {
        return true;
    }

    /** Whether the adapter sees which addresses a redirected request has been sent to. If not, only its own one is known. */
    protected boolean seesWhereRedirectsLead() {
        return true;
    }

    /** Whether a body is read within the call, so that what goes wrong there is an attempt that failed. */
    protected boolean readsBodiesWithinTheCall() {
        return true;
    }

    /**
     * Whether a body that is given up before its end closes its connection, so that its server knows; true unless a subclass says that its client
     * cannot do so.
     */
    protected boolean closesBodiesThatAreGivenUp() {
        return true;
    }

    /**
     * How many calls look for a leak. Default: the system property {@code dev.holdfast.contract.calls}, or 10,000. Fewer are enough
     * where the same code runs once more: in another JVM, through a cache, over another client.
     */
    protected int calls() {
        return Integer.getInteger("dev.holdfast.contract.calls", 10_000);
    }

    /**
     * Policies around those of each case, but inside a deadline, which change nothing of what it sees; none unless a subclass says so.
     * For a way through an adapter that a policy brings about.
     */
    protected List<Policy> around() {
        return List.of();
    }

    /** Closes what a case has opened. */
    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
        server.close();
    }

    // ---- what a case needs

    private final class Watching implements CallObserver {
        @Override
        public void attemptSettled(
                String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
            attempts.add(outcome);
        }

        @Override
        public void retryRefused(String pipeline, @Nullable String operation, int made, Refusal why) {
            refusals.add(why);
        }
    }

    private HttpClientUnderTest built(Consumer<Pipeline.Builder> with) {
        HttpClientUnderTest made = client(authority -> used.computeIfAbsent(authority, name -> {
            Pipeline.Builder builder = Pipeline.builder(name).observer(new Watching());
            with.accept(builder);
            Pipeline pipeline = builder.build();
            open.add(pipeline);
            return pipeline;
        }));
        open.add(0, made);
        return made;
    }

    private HttpClientUnderTest client(Policy... policies) {
        return built(builder -> builder.policies(with(policies)));
    }

    /** Gives up an attempt that hangs, and no other one. */
    private HttpClientUnderTest givingUp(Policy... outside) {
        Policy[] policies = Arrays.copyOf(outside, outside.length + 1);
        policies[outside.length] = TimeoutPolicy.of(SOON);
        return built(builder ->
                builder.policies(with(policies)).time(new TimeOfHangs(server, SOON.plus(SOON.dividedBy(4)))));
    }

    private List<Policy> with(Policy... policies) {
        List<Policy> all = new ArrayList<>(List.of(policies));
        all.addAll(policies[0] instanceof DeadlinePolicy ? 1 : 0, around());
        return all;
    }

    /** Three attempts, without waits. */
    private static RetryPolicy retry() {
        return retry(3);
    }

    private static RetryPolicy retry(int maxAttempts) {
        return RetryPolicy.of(
                r -> r.maxAttempts(maxAttempts).initialBackoff(Duration.ZERO).budgetEnabled(false));
    }

    /** Refuses connections. It is bound, so that nobody else has its port, and does not listen. */
    private static Socket deaf() throws IOException {
        Socket deaf = new Socket();
        deaf.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return deaf;
    }

    private static Response send(HttpClientUnderTest client, Way way, Request request)
            throws IOException, InterruptedException {
        if (way == Way.BLOCKING) {
            return client.send(request);
        }
        try {
            return client.sendAsync(request).response().get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException io) {
                throw io;
            }
            throw new AssertionError("not an IOException", e.getCause());
        }
    }

    private Request get(String path) {
        return Request.of("GET", server.uri(path));
    }

    private Request with(String method, String path) {
        Request request = Request.of(method, server.uri(path));
        return method.equals("POST") || method.equals("PUT") || method.equals("PATCH") ? request.body(BODY) : request;
    }

    private int sent(String path) {
        return server.requests(path).size();
    }

    // ---- what a status means

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

    private static String date(Duration fromNow) {
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
            for (Way way : Way.values()) {
                String path = "/" + status + way;
                server.on(path, headed(status, NOW, header), status(200, "12"));
                assertThat(send(client, way, get(path)).status()).isEqualTo(200);
            }
        }
        assertThat(attempts).containsOnly(Outcome.PUSHBACK, Outcome.SUCCESS);
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

    // ---- what may be repeated

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

    // ---- what goes wrong on the way

    @ParameterizedTest
    @EnumSource(Way.class)
    void aGetIsRepeatedIfTheConnectionBreaks(Way way) throws Exception {
        server.on("/a", reset(), reset(), reset(), reset(), status(200, "12"));
        HttpClientUnderTest client = client(RetryPolicy.of(
                r -> r.maxAttempts(6).initialBackoff(Duration.ofMillis(1)).budget(b -> b.maxTokens(1_000))));
        assertThat(send(client, way, get("/a")).body()).isEqualTo("12");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aGetIsRepeatedIfTheConnectionBreaksInTheBody(Way way) throws Exception {
        assumeThat(readsBodiesWithinTheCall())
                .as("bodies are read within the call")
                .isTrue();
        server.on("/a", resetInBody(), status(200, "12"));
        assertThat(send(client(retry()), way, get("/a")).body()).isEqualTo("12");
        assertThat(attempts).containsExactly(Outcome.FAILURE, Outcome.SUCCESS);
    }

    private static final String NO_HTTP = "SSH-2.0-OpenSSH_9.6\r\n\r\n";

    /** Clients throw anything then, and not only what is an IOException. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                NO_HTTP,
                "HTTP/1.1 2x0 X\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 -20 X\r\nContent-Length: 0\r\n\r\n"
            })
    void anAnswerThatIsNoHttpIsAFailure(String answer) throws Exception {
        isAFailure(answer);
    }

    @ParameterizedTest
    @ValueSource(strings = {"5\r\nabcde\r\nzz\r\nxx\r\n0\r\n\r\n", "-2\r\nab\r\n0\r\n\r\n"})
    void aChunkThatIsBrokenIsAFailure(String body) throws Exception {
        assumeThat(readsBodiesWithinTheCall())
                .as("bodies are read within the call")
                .isTrue();
        isAFailure("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n" + body);
    }

    /** Some clients take it as it is, others refuse it. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aStatusThatNobodyKnowsIsNoMistakeOfTheCaller(Way way) throws Exception {
        server.on("/a", raw("HTTP/1.1 000 X\r\nContent-Length: 2\r\n\r\n12"), status(200, "12"));
        assertThat(send(client(retry()), way, get("/a")).body()).isEqualTo("12");
        assertThat(attempts).doesNotContain(Outcome.IGNORED);
    }

    /** Some clients do without it, and others throw what a caller's mistake is to them. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aLengthThatIsNoNumberIsNoMistakeOfTheCaller(Way way) throws Exception {
        server.on("/a", raw("HTTP/1.1 200 X\r\nContent-Length: abc\r\n\r\n12"), status(200, "12"));
        assertThat(send(client(retry()), way, get("/a")).body()).isEqualTo("12");
        assertThat(attempts).doesNotContain(Outcome.IGNORED);
    }

    /** A client throws, or answers with the last redirect. Each attempt would send all of them again. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aCircleOfRedirectsIsNotRepeated(Way way) throws Exception {
        HttpClientUnderTest client = client(retry());
        server.on("/a", headed(302, "Location: " + server.uri("/b")))
                .on("/b", headed(302, "Location: " + server.uri("/a")));
        Throwable tooMany = catchThrowable(
                () -> assertThat(send(client, way, get("/a")).status()).isEqualTo(302));
        assertThat(attempts).containsExactly(tooMany == null ? Outcome.SUCCESS : Outcome.IGNORED);
    }

    private void isAFailure(String answer) throws Exception {
        HttpClientUnderTest client = client(retry());
        for (Way way : Way.values()) {
            server.on("/" + way, raw(answer), status(200, "12"));
            assertThat(send(client, way, get("/" + way)).body()).isEqualTo("12");
            assertThat(attempts).containsExactly(Outcome.FAILURE, Outcome.SUCCESS);
            attempts.clear();
            server.on("/" + way, raw(answer));
            assertThatThrownBy(() -> send(client, way, with("POST", "/" + way))).isNotNull();
            assertThat(sent("/" + way)).as("a POST is not repeated").isEqualTo(3);
            assertThat(attempts).containsExactly(Outcome.FAILURE);
            attempts.clear();
        }
        assertThat(refusals).hasSize(2).containsOnly(Refusal.NOT_IDEMPOTENT);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anAnswerThatDoesNotBeginIsGivenUpAndItsConnectionClosed(Way way) throws Exception {
        server.on("/a", hang(), status(200, "12"));
        assertThat(send(givingUp(retry()), way, get("/a")).body()).isEqualTo("12");
        assertThat(attempts).containsExactly(Outcome.TIMEOUT, Outcome.SUCCESS);
        assertThat(server.seesAClientGiveUp()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anAnswerThatDoesNotEndIsGivenUpAndItsConnectionClosed(Way way) throws Exception {
        assumeThat(readsBodiesWithinTheCall())
                .as("bodies are read within the call")
                .isTrue();
        server.on("/a", stallInBody(200), status(200, "12"));
        assertThat(send(givingUp(retry()), way, get("/a")).body()).isEqualTo("12");
        assertThat(attempts).containsExactly(Outcome.TIMEOUT, Outcome.SUCCESS);
        seesThatABodyIsGivenUp();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aTimeoutIsAnIOException(Way way) throws Exception {
        server.on("/a", hang());
        HttpClientUnderTest client = givingUp();
        assertThatThrownBy(() -> send(client, way, get("/a")))
                .isInstanceOf(IOException.class)
                .hasRootCauseInstanceOf(CallTimeoutException.class);
        assertThat(server.seesAClientGiveUp()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aRejectionIsAnIOException(Way way) throws Exception {
        HttpClientUnderTest client = client(retry());
        server.on("/a", status(200));
        send(client, way, get("/a"));
        used.values().forEach(Pipeline::close);
        assertThatThrownBy(() -> send(client, way, get("/a")))
                .isInstanceOf(IOException.class)
                .hasRootCauseInstanceOf(CallRejectedException.class)
                .rootCause()
                .satisfies(cause ->
                        assertThat(((CallRejectedException) cause).reason()).isEqualTo(Reason.CLOSED));
        assertThat(sent("/a")).isEqualTo(1);
    }

    /** As one that strikes within an attempt. */
    @Test
    void aDeadlineThatIsOverIsATimeout() throws Exception {
        HttpClientUnderTest client = client(retry());
        assertThatThrownBy(() -> Deadline.within(Duration.ZERO, () -> client.send(get("/a"))))
                .isInstanceOfAny(HttpTimeoutException.class, SocketTimeoutException.class)
                .hasRootCauseInstanceOf(CallRejectedException.class);
        assertThat(sent("/a")).isZero();
    }

    @Test
    void aCancelledCallClosesItsConnection() throws Exception {
        server.on("/a", hang());
        HttpClientUnderTest client = client(retry());
        HttpClientUnderTest.Exchange call = client.sendAsync(get("/a"));
        while (sent("/a") == 0) {
            Thread.onSpinWait();
        }
        call.cancel().run();
        assertThat(server.seesAClientGiveUp()).isTrue();
        assertThat(sent("/a")).isEqualTo(1);
    }

    @Test
    void anInterruptedCallEndsAndClosesItsConnection() throws Exception {
        server.on("/a", hang());
        HttpClientUnderTest client = client(retry());
        FutureTask<Response> call = new FutureTask<>(() -> client.send(get("/a")));
        Thread thread = new Thread(call);
        thread.start();
        while (sent("/a") == 0) {
            Thread.onSpinWait();
        }
        thread.interrupt();
        assertThatThrownBy(call::get)
                .cause()
                .isInstanceOfAny(InterruptedException.class, InterruptedIOException.class, IOException.class);
        assertThat(server.seesAClientGiveUp()).isTrue();
        assertThat(sent("/a")).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theLoserOfAHedgeIsCancelled(Way way) throws Exception {
        server.on("/a", hang(), status(200, "12"));
        HttpClientUnderTest client = client(HedgePolicy.of(h -> h.delay(Duration.ofMillis(20))));
        assertThat(send(client, way, get("/a")).body()).isEqualTo("12");
        assertThat(server.seesAClientGiveUp()).isTrue();
    }

    // ---- to whom, and with what

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
    void aRedirectIsFollowedWithinTheAttempt(Way way) throws Exception {
        server.on("/a", headed(302, "Location: " + server.uri("/b"))).on("/b", status(200, "12"));
        assertThat(send(client(retry()), way, get("/a")).body()).isEqualTo("12");
        assertThat(attempts).containsExactly(Outcome.SUCCESS);
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

    // ---- the stale cache

    private static final DateTimeFormatter HTTP_DATE =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ROOT);

    private static final String FRESH = "Cache-Control: max-age=3600";
    private static final String REVALIDATED = "Cache-Control: max-age=0, stale-while-revalidate=3600";

    /** Longer than what is kept. */
    private static final int LONG = 300_000;

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
                .extracting(HttpClientContract::source)
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
                            headed(redirect, "Location: " + server.uri("/gone")),
                            status(200, "new", FRESH))
                    .on("/gone", status(404));
            assertThat(send(client, way, get(path)).body()).isEqualTo("old");
            assertThat(send(client, way, with("POST", path)).status()).isEqualTo(404);
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

    // ---- nothing leaks

    /** Clients pool connections: what is not closed needs a new one each time. */
    private static final int MOST_CONNECTIONS = 64;

    @Test
    void noConnectionLeaksInManyCalls() throws Exception {
        HttpClientUnderTest client = client(retry());
        AtomicInteger turn = new AtomicInteger();
        String big = "x".repeat(20_000);
        server.on("/a", connection -> switch (turn.getAndIncrement() % 5) {
            case 1 -> status(500, big).answer(connection);
            case 3 -> status(503, big, "Retry-After: 0").answer(connection);
            default -> status(200, "12").answer(connection);
        });
        for (int i = 0; i < calls() / 2; i++) {
            assertThat(client.send(get("/a")).status()).isEqualTo(200);
            assertThat(client.sendAsync(get("/a")).response().get().status()).isEqualTo(200);
        }
        assertThat(server.connections()).isLessThan(MOST_CONNECTIONS);
    }

    /**
     * What the pipeline throws away is closed, also where the caller would have read it as a stream. An adapter that reads it within
     * the attempt gives it up when its time is over.
     */
    @Test
    void noConnectionLeaksIfBodiesAreStreams() throws Exception {
        // On a machine that stands still, more than one attempt is given up.
        HttpClientUnderTest client = givingUp(retry(10));
        AtomicInteger turn = new AtomicInteger();
        server.on(
                "/a",
                connection -> turn.getAndIncrement() % 2 == 0
                        ? stallInBody(500).answer(connection)
                        : status(200, "12").answer(connection));
        for (int i = 0; i < 20; i++) {
            assertThat(client.sendAndCloseStream(get("/a"))).isEqualTo(200);
            seesThatABodyIsGivenUp();
        }
        assertThat(server.connections()).isLessThan(closesBodiesThatAreGivenUp() ? 10 : MOST_CONNECTIONS);
    }

    private void seesThatABodyIsGivenUp() throws InterruptedException {
        if (closesBodiesThatAreGivenUp()) {
            assertThat(server.seesAClientGiveUp()).isTrue();
        }
    }

    @Test
    void aThousandCallsAtOnceGetTheirOwnAnswers() throws Exception {
        HttpClientUnderTest client = client(retry());
        for (int i = 0; i < 1_000; i++) {
            server.on("/" + i, i % 4 == 0 ? status(500) : status(200, "" + i), status(200, "" + i));
        }
        List<CompletableFuture<Response>> calls = IntStream.range(0, 1_000)
                .mapToObj(i -> client.sendAsync(get("/" + i)).response())
                .toList();
        for (int i = 0; i < 1_000; i++) {
            assertThat(calls.get(i).get().body()).isEqualTo("" + i);
        }
    }
}
