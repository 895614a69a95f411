/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing.http;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Refusal;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.http.HttpClientUnderTest.Request;
import dev.holdfast.testing.http.HttpClientUnderTest.Response;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;

/** What the cases of {@link HttpClientContract} need: a server, a client with pipelines around it, and what these told. */
abstract class HttpCases {
    /** How a request is sent. */
    protected enum Way {
        /** On the caller's thread. */
        BLOCKING,
        /** With a future. */
        ASYNCHRONOUS
    }

    static final Duration SOON = Duration.ofMillis(200);
    static final String BODY = "12 pieces";
    static final int WHOLE = 2_000_000;

    final WireServer server = WireServer.start();
    final List<AutoCloseable> open = new ArrayList<>();
    final List<Refusal> refusals = new CopyOnWriteArrayList<>();
    final List<Outcome> attempts = new CopyOnWriteArrayList<>();
    final Map<String, Pipeline> used = new ConcurrentHashMap<>();
    /** What {@link #inside} would hand down. */
    final List<Map<String, String>> seenInside = new CopyOnWriteArrayList<>();

    HttpCases() {}

    /**
     * A client with these pipelines around it. It follows redirects. Its option {@code partition} gives the header {@code X-User} of a
     * request, or null. It calls {@link #inside} within each attempt. To be closed by the contract.
     *
     * @param pipelines from the authority of a request to its pipeline
     */
    protected abstract HttpClientUnderTest client(Function<String, Pipeline> pipelines);

    /**
     * A stale cache to which no call is slow: {@code StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO))}. The clients of the
     * contract have the header {@code X-User} of a request as its partition.
     */
    protected abstract Policy staleCache();

    /**
     * Whether the adapter sees that a response came by a redirect. If not, it keeps no response to a request with
     * {@code Authorization} or {@code Cookie}, unless the request has a partition; and a pushback at the end of a redirect repeats
     * a request that must not be done twice.
     */
    protected boolean seesRedirects() {
        return true;
    }

    /** Whether the adapter sees which addresses a redirected request has been sent to. If not, only its own one is known. */
    protected boolean seesWhereRedirectsLead() {
        return true;
    }

    /**
     * Whether a request that a redirect makes with another method has the headers of the attempt; true unless a subclass says that its
     * client leaves out all headers there.
     */
    protected boolean handsDownWithAnotherMethod() {
        return true;
    }

    /** Whether a body is read within the call, so that what goes wrong there is an attempt that failed. */
    protected boolean readsBodiesWithinTheCall() {
        return true;
    }

    /**
     * Whether a body that is given up before its end closes its connection, so that its server knows; true unless a subclass says
     * that its client cannot do so.
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

    /**
     * To be called by code of the client's user that runs within each attempt, such as an interceptor inside the adapter, on whichever
     * thread it runs: it is to see what holds in the attempt.
     */
    protected final void inside() {
        Map<String, String> handedDown = new ConcurrentHashMap<>();
        CallHeaders.ofDefaults().write(handedDown::put);
        seenInside.add(handedDown);
    }

    /** Closes what a case has opened. */
    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
        server.close();
    }

    final class Watching implements CallObserver {
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

    HttpClientUnderTest built(Consumer<Pipeline.Builder> with) {
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

    HttpClientUnderTest client(Policy... policies) {
        return built(builder -> builder.policies(with(policies)));
    }

    /** Gives up an attempt that hangs, and no other one. */
    HttpClientUnderTest givingUp(Policy... outside) {
        Policy[] policies = Arrays.copyOf(outside, outside.length + 1);
        policies[outside.length] = TimeoutPolicy.of(SOON);
        return built(builder ->
                builder.policies(with(policies)).time(new TimeOfHangs(server, SOON.plus(SOON.dividedBy(4)))));
    }

    List<Policy> with(Policy... policies) {
        List<Policy> all = new ArrayList<>(List.of(policies));
        all.addAll(policies[0] instanceof DeadlinePolicy ? 1 : 0, around());
        return all;
    }

    /** Three attempts, without waits. */
    static RetryPolicy retry() {
        return retry(3);
    }

    static RetryPolicy retry(int maxAttempts) {
        return RetryPolicy.of(
                r -> r.maxAttempts(maxAttempts).initialBackoff(Duration.ZERO).budgetEnabled(false));
    }

    /** Refuses connections. It is bound, so that nobody else has its port, and does not listen. */
    static Socket deaf() throws IOException {
        Socket deaf = new Socket();
        deaf.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return deaf;
    }

    static Response send(HttpClientUnderTest client, Way way, Request request)
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

    Request get(String path) {
        return Request.of("GET", server.uri(path));
    }

    Request with(String method, String path) {
        Request request = Request.of(method, server.uri(path));
        return method.equals("POST") || method.equals("PUT") || method.equals("PATCH") ? request.body(BODY) : request;
    }

    int sent(String path) {
        return server.requests(path).size();
    }
}
