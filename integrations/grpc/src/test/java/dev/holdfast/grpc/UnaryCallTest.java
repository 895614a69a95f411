/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.grpc.Shop.Received;
import dev.holdfast.grpc.Shop.Stub;
import dev.holdfast.grpc.Shop.Transport;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a unary call does beside its status: its response, its limits, its end. */
@Logs(value = "further keys share one", sometimes = true)
class UnaryCallTest {
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final Metadata.Key<String> NOTE = Shop.key("note");

    private final Shop shop = new Shop();
    private final Attempts attempts = new Attempts();
    private final List<Pipeline> pipelines = new ArrayList<>();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

    @AfterEach
    void close() {
        shop.close();
        pipelines.forEach(Pipeline::close);
        timer.shutdownNow();
    }

    private HoldfastClientInterceptor around(Pipeline pipeline) {
        pipelines.add(pipeline);
        return HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline));
    }

    private ManagedChannel channel(Transport transport, Pipeline pipeline) {
        return shop.channel(transport, around(pipeline));
    }

    private static CallOptions within(Duration limit) {
        return CallOptions.DEFAULT.withDeadlineAfter(limit.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Hears of one call, and asks for messages only when it is told to. */
    private static class Hears extends ClientCall.Listener<String> {
        final List<String> events = new ArrayList<>();
        final CompletableFuture<Metadata> headers = new CompletableFuture<>();
        final CompletableFuture<Status> closed = new CompletableFuture<>();
        final CompletableFuture<Metadata> trailers = new CompletableFuture<>();

        @Override
        public void onHeaders(Metadata received) {
            events.add("headers");
            headers.complete(received);
        }

        @Override
        public void onMessage(String message) {
            events.add(message);
        }

        @Override
        public void onClose(Status status, Metadata received) {
            events.add("close " + status.getCode());
            trailers.complete(received);
            closed.complete(status);
        }
    }

    private static <L extends Hears> L sent(ClientCall<String, String> call, L hears) {
        call.start(hears, new Metadata());
        call.sendMessage("request");
        call.halfClose();
        return hears;
    }

    // ---- the response

    @ParameterizedTest
    @EnumSource(Transport.class)
    void theWholeResponseOfTheAttemptThatWonIsHeardInItsOrder(Transport transport) {
        shop.then(
                call -> {
                    Metadata lost = new Metadata();
                    lost.put(NOTE, "lost");
                    call.call.sendHeaders(lost);
                    call.call.sendMessage("lost");
                    call.fail(Status.UNAVAILABLE);
                },
                call -> {
                    Metadata headers = new Metadata();
                    headers.put(NOTE, "header");
                    call.call.sendHeaders(headers);
                    call.call.sendMessage("answer");
                    Metadata trailers = new Metadata();
                    trailers.put(NOTE, "trailer");
                    call.call.close(Status.OK, trailers);
                });
        ClientCall<String, String> call =
                channel(transport, attempts.retrying()).newCall(Shop.GET, CallOptions.DEFAULT);
        Hears hears = new Hears();
        call.start(hears, new Metadata());
        call.request(2);
        call.sendMessage("request");
        call.halfClose();
        assertThat(Shop.within(hears.closed).isOk()).isTrue();
        assertThat(hears.events).containsExactly("headers", "answer", "close OK");
        assertThat(hears.headers.join().getAll(NOTE)).containsExactly("header");
        assertThat(hears.trailers.join().get(NOTE)).isEqualTo("trailer");
    }

    @Test
    void aMessageWaitsUntilItIsAskedFor() {
        ClientCall<String, String> call =
                channel(Transport.NETTY, attempts.retrying()).newCall(Shop.GET, CallOptions.DEFAULT);
        Hears hears = sent(call, new Hears());
        Shop.within(hears.headers);
        assertThat(hears.events).containsExactly("headers");
        assertThat(attempts.outcomes).containsExactly(Outcome.SUCCESS);
        call.request(1);
        Shop.within(hears.closed);
        assertThat(hears.events).containsExactly("headers", "answer", "close OK");
    }

    @Test
    void whoCancelsWhileAMessageWaitsHearsNoMessage() {
        ClientCall<String, String> call =
                channel(Transport.IN_PROCESS, attempts.retrying()).newCall(Shop.GET, CallOptions.DEFAULT);
        Hears hears = sent(call, new Hears());
        Shop.within(hears.headers);
        call.cancel("enough", null);
        assertThat(Shop.within(hears.closed).getDescription()).isEqualTo("enough");
        assertThat(hears.events).containsExactly("headers", "close CANCELLED");
    }

    @Test
    void whoCancelsWhileAnAnswerComesHearsOfTheEndAlthoughNobodyAskedForTheMessage() {
        Hears hears = answeredWhile(call -> call.cancel("enough", null));
        assertThat(Shop.within(hears.closed).getDescription()).isEqualTo("enough");
        assertThat(hears.events).containsExactly("close CANCELLED");
    }

    @Test
    void aContextWhoseTimeIsOverWhileAnAnswerComesEndsTheCallAlthoughNobodyAskedForTheMessage() {
        try (Context.CancellableContext context = expired()) {
            Hears hears = answeredWhile(call -> call.cancelled(context));
            Shop.within(hears.closed);
            assertThat(hears.events).containsExactly("close DEADLINE_EXCEEDED");
        }
    }

    /** The pipeline's call is through, and cannot be cancelled any more; what its caller hears is not there yet. */
    private Hears answeredWhile(Consumer<PipelinedCall<String, String>> meanwhile) {
        CompletableFuture<Thread> answering = new CompletableFuture<>();
        Pipeline pipeline = Pipeline.builder("shop")
                .observer(new CallObserver() {
                    @Override
                    public void callSettled(
                            String of,
                            @Nullable String operation,
                            Outcome outcome,
                            Source source,
                            int attempt,
                            long nanos) {
                        answering.complete(Thread.currentThread());
                    }
                })
                .build();
        pipelines.add(pipeline);
        PipelinedCall<String, String> call =
                (PipelinedCall<String, String>) HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline))
                        .interceptCall(Shop.GET, CallOptions.DEFAULT, shop.channel(Transport.IN_PROCESS));
        Hears hears = new Hears();
        shop.then(Received::hang);
        synchronized (call.lock) {
            sent(call, hears);
            Received received = shop.next();
            Shop.within(received.halfClosed);
            received.reply("answer");
            Thread answers = Shop.within(answering);
            while (answers.getState() != Thread.State.BLOCKED) {
                Thread.onSpinWait();
            }
            meanwhile.accept(call);
        }
        return hears;
    }

    @Test
    void aContextThatEndsWhileAMessageWaitsEndsTheCall() {
        Channel channel = channel(Transport.IN_PROCESS, attempts.retrying());
        try (Context.CancellableContext context = Context.current().withCancellation()) {
            Hears hears = new Hears();
            context.run(() -> sent(channel.newCall(Shop.GET, CallOptions.DEFAULT), hears));
            Shop.within(hears.headers);
            context.cancel(null);
            Shop.within(hears.closed);
            assertThat(hears.events).containsExactly("headers", "close CANCELLED");
        }
    }

    @Test
    void aDeadlineOfTheContextThatPassesWhileAMessageWaitsEndsTheCall() {
        Channel channel = channel(Transport.IN_PROCESS, attempts.retrying());
        try (Context.CancellableContext context =
                Context.current().withDeadlineAfter(200, TimeUnit.MILLISECONDS, timer)) {
            Hears hears = new Hears();
            context.run(() -> sent(channel.newCall(Shop.GET, CallOptions.DEFAULT), hears));
            assertThat(Shop.within(hears.closed).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        }
    }

    @Test
    void anExecutorThatFailsDoesNotKeepTheEndFromTheListener() {
        CallOptions options = CallOptions.DEFAULT.withExecutor(task -> {
            throw new OutOfMemoryError("no thread");
        });
        Pipeline pipeline = attempts.retrying();
        Channel channel = channel(Transport.IN_PROCESS, pipeline);
        pipeline.close();
        Hears hears = sent(channel.newCall(Shop.GET, options), new Hears());
        assertThat(Shop.within(hears.closed).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    }

    @Test
    void anExecutorThatRunsATaskAndFailsTellsTheEndOnce() {
        CallOptions options = CallOptions.DEFAULT.withExecutor(task -> {
            task.run();
            throw new IllegalStateException("all the same");
        });
        Pipeline pipeline = attempts.retrying();
        Channel channel = channel(Transport.IN_PROCESS, pipeline);
        pipeline.close();
        Hears hears = sent(channel.newCall(Shop.GET, options), new Hears());
        assertThat(hears.events).containsExactly("close UNAVAILABLE");
    }

    @Test
    void aMessageMayBeAskedForInTheListener() {
        ClientCall<String, String> call =
                channel(Transport.IN_PROCESS, attempts.retrying()).newCall(Shop.GET, CallOptions.DEFAULT);
        Hears hears = sent(call, new Hears() {
            @Override
            public void onHeaders(Metadata received) {
                super.onHeaders(received);
                call.request(1);
            }
        });
        Shop.within(hears.closed);
        assertThat(hears.events).containsExactly("headers", "answer", "close OK");
    }

    // ---- headers

    /** Writes into the headers of each attempt. */
    private static final class Stamping implements ClientInterceptor {
        final AtomicInteger calls = new AtomicInteger();

        @Override
        public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions with, Channel next) {
            int number = calls.incrementAndGet();
            return new SimpleForwardingClientCall<>(next.newCall(method, with)) {
                @Override
                public void start(Listener<R> listener, Metadata headers) {
                    headers.put(NOTE, "inside " + number);
                    super.start(listener, headers);
                }
            };
        }
    }

    @Test
    void eachAttemptHasHeadersOfItsOwnAndItsNumber() {
        shop.then(Received::unavailable, Received::unavailable);
        Stamping inside = new Stamping();
        Stamping outside = new Stamping();
        Channel channel = shop.channel(Transport.NETTY, inside, around(attempts.retrying()), outside);
        assertThat(Shop.within(Stub.BLOCKING.call(channel, Shop.GET))).isEqualTo("answer");
        assertThat(outside.calls).hasValue(1);
        assertThat(inside.calls).hasValue(3);
        for (int i = 1; i <= 3; i++) {
            Received each = shop.next();
            assertThat(each.headers.getAll(Shop.ATTEMPT)).containsExactly("" + i);
            assertThat(each.headers.getAll(NOTE)).containsExactly("inside 1", "inside " + i);
            assertThat(each.headers.keys()).doesNotContain("holdfast-timeout-ms");
        }
    }

    @Test
    void theAttemptIsNotWrittenTwiceAndNotAtAllIfNotWanted() {
        Pipeline pipeline = attempts.retrying();
        ClientInterceptor writes = new ClientInterceptor() {
            @Override
            public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions with, Channel to) {
                return new SimpleForwardingClientCall<>(to.newCall(method, with)) {
                    @Override
                    public void start(Listener<R> listener, Metadata headers) {
                        headers.put(Shop.ATTEMPT, "77");
                        super.start(listener, headers);
                    }
                };
            }
        };
        Channel channel = shop.channel(Transport.IN_PROCESS, around(pipeline), writes);
        Shop.within(Stub.FUTURE.call(channel, Shop.GET));
        assertThat(shop.next().headers.getAll(Shop.ATTEMPT)).containsExactly("1");
        Channel silent = shop.channel(
                Transport.IN_PROCESS, HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline), o -> o.headers(null)));
        Shop.within(Stub.FUTURE.call(silent, Shop.GET));
        assertThat(shop.next().headers.containsKey(Shop.ATTEMPT)).isFalse();
        Channel both = shop.channel(
                Transport.NETTY,
                HoldfastClientInterceptor.of(
                        GrpcPipelines.one(pipeline), o -> o.headers(CallHeaders.of(h -> h.attempt("tries")))));
        Shop.within(Stub.FUTURE.call(both, Shop.GET, within(LONG), "x"));
        Received received = shop.next();
        assertThat(received.headers.get(Shop.key("tries"))).isEqualTo("1");
        assertThat(received.headers.getAll(Shop.key("holdfast-timeout-ms"))).hasSize(1);
    }

    /** As of a handler that sends on what it has received. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aTimeOfTheCallersOwnIsNotSent(boolean limited) {
        Metadata own = new Metadata();
        own.put(Shop.key("holdfast-timeout-ms"), "77");
        own.put(Shop.key("holdfast-timeout-ms"), "78");
        own.put(Shop.key("holdfast-priority"), "sheddable");
        ClientInterceptor outside = MetadataUtils.newAttachHeadersInterceptor(own);
        Pipeline pipeline = limited ? attempts.plain(DeadlinePolicy.of(LONG)) : attempts.plain();
        Channel channel = shop.channel(Transport.NETTY, around(pipeline), outside);
        Shop.within(Stub.FUTURE.call(channel, Shop.GET));
        ClientCalls.asyncServerStreamingCall(channel.newCall(Shop.LIST, CallOptions.DEFAULT), "x", new Shop.Heard());
        for (Received each : List.of(shop.next(), shop.next())) {
            assertThat(each.headers.keys()).doesNotContain("holdfast-timeout-ms");
            assertThat(each.headers.getAll(Shop.key("holdfast-priority"))).containsExactly("sheddable");
        }
    }

    @Test
    void aStreamIsToldNoTimeOfItsAttemptInAHeaderEither() {
        Pipeline pipeline = attempts.plain(DeadlinePolicy.of(LONG));
        Metadata own = new Metadata();
        own.put(Shop.key("left"), "77");
        Channel channel = shop.channel(
                Transport.NETTY,
                HoldfastClientInterceptor.of(
                        GrpcPipelines.one(pipeline), o -> o.headers(CallHeaders.of(h -> h.timeoutMillis("left")))),
                MetadataUtils.newAttachHeadersInterceptor(own));
        pipelines.add(pipeline);
        ClientCalls.asyncServerStreamingCall(channel.newCall(Shop.LIST, CallOptions.DEFAULT), "x", new Shop.Heard());
        Metadata headers = shop.next().headers;
        assertThat(headers.keys()).doesNotContain("left");
        assertThat(headers.get(Shop.ATTEMPT)).isEqualTo("1");
        Shop.within(Stub.FUTURE.call(channel, Shop.GET));
        assertThat(shop.next().headers.getAll(Shop.key("left"))).hasSize(1).doesNotContain("77");
    }

    // ---- limits

    private static void assertLeft(Received call, Duration atMost) {
        assertThat(Objects.requireNonNull(call.deadline).timeRemaining(TimeUnit.MILLISECONDS))
                .isBetween(atMost.toMillis() - 60_000, atMost.toMillis());
    }

    @ParameterizedTest
    @EnumSource(Stub.class)
    void theTimeOfTheAttemptGoesDown(Stub stub) {
        Channel channel =
                channel(Transport.NETTY, attempts.plain(DeadlinePolicy.of(LONG), TimeoutPolicy.of(LONG.dividedBy(2))));
        Shop.within(stub.call(channel, Shop.GET));
        assertLeft(shop.next(), LONG.dividedBy(2));
        Shop.within(stub.call(channel, Shop.GET, within(Duration.ofMinutes(1)), "x"));
        assertLeft(shop.next(), Duration.ofMinutes(1));
        Shop.within(stub.call(channel, Shop.GET, within(Duration.ofHours(1)), "x"));
        assertLeft(shop.next(), LONG.dividedBy(2));
    }

    @Test
    void theDeadlinesOfContextAndThreadGoDown() throws Exception {
        Channel channel = channel(Transport.IN_PROCESS, attempts.retrying());
        try (Context.CancellableContext context = Context.current().withDeadlineAfter(2, TimeUnit.MINUTES, timer)) {
            context.run(() -> Shop.within(Stub.FUTURE.call(channel, Shop.GET)));
            assertLeft(shop.next(), Duration.ofMinutes(2));
        }
        Deadline.within(Duration.ofMinutes(3), () -> {
            Shop.within(Stub.FUTURE.call(channel, Shop.GET));
        });
        assertLeft(shop.next(), Duration.ofMinutes(3));
        Shop.within(Stub.FUTURE.call(channel, Shop.GET));
        assertThat(shop.next().deadline).isNull();
    }

    /** As an outer interceptor does that waits for a token before it starts the call. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCallThatIsStartedOnAnotherThreadHasTheDeadlineAttemptAndPriorityOfWhereItWasMade(boolean stream) {
        Channel channel = channel(Transport.IN_PROCESS, attempts.retrying());
        CallHeaders inbound = CallHeaders.ofDefaults();
        Map<String, String> received =
                Map.of("grpc-timeout", "3M", "Holdfast-Attempt", "2", "Holdfast-Priority", "sheddable");
        shop.always(Received::unavailable);
        ClientCall<String, String> call = inbound.receive(
                received::get, () -> channel.newCall(stream ? Shop.LIST : Shop.GET, CallOptions.DEFAULT));
        Hears hears = CompletableFuture.supplyAsync(() -> sent(call, new Hears()), timer)
                .join();
        assertThat(Shop.within(hears.closed).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        Received only = shop.next();
        assertThat(shop.received).as("inside the sender's second attempt").isEmpty();
        assertThat(only.headers.get(Shop.ATTEMPT)).isEqualTo("2");
        assertThat(only.headers.get(Shop.key("holdfast-priority"))).isEqualTo("sheddable");
        if (!stream) {
            assertLeft(only, Duration.ofMinutes(3));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aStreamOrCallThatIsStartedWithoutTimeLeftWhereItWasMadeIsTurnedAway(boolean stream) {
        VirtualTime time = VirtualTime.seeded(42);
        Channel channel = channel(Transport.IN_PROCESS, attempts.on(time));
        ClientCall<String, String> call = Deadline.within(
                time, Duration.ofMinutes(3), () -> channel.newCall(stream ? Shop.LIST : Shop.GET, CallOptions.DEFAULT));
        time.advance(Duration.ofMinutes(4));
        assertTurnedAway(Shop.within(sent(call, new Hears()).closed));
        assertThat(shop.received).isEmpty();
        time.close();
    }

    @Test
    void aDeadlineOfWhereACallIsStartedShortensToo() {
        Channel channel = channel(Transport.IN_PROCESS, attempts.retrying());
        for (boolean madeInside : List.of(true, false)) {
            ClientCall<String, String> call = madeInside
                    ? Deadline.within(LONG, () -> channel.newCall(Shop.GET, CallOptions.DEFAULT))
                    : channel.newCall(Shop.GET, CallOptions.DEFAULT);
            Deadline.within(Duration.ofMinutes(3), () -> {
                sent(call, new Hears());
            });
            assertLeft(shop.next(), Duration.ofMinutes(3));
        }
    }

    @ParameterizedTest
    @EnumSource(Stub.class)
    void anAttemptThatTimesOutIsCancelledAndRepeated(Stub stub) {
        for (Transport transport : Transport.values()) {
            VirtualTime time = VirtualTime.seeded(42);
            RetryPolicy atOnce = RetryPolicy.of(r -> r.initialBackoff(Duration.ZERO));
            Channel channel = channel(transport, attempts.on(time, atOnce, TimeoutPolicy.of(Duration.ofHours(1))));
            shop.then(Received::hang);
            CompletableFuture<String> call = stub.call(channel, Shop.GET);
            Received hanging = shop.next();
            time.advance(Duration.ofHours(1));
            Shop.within(hanging.cancelled);
            assertThat(Shop.within(call)).isEqualTo("answer");
            shop.next();
            time.close();
        }
        assertThat(attempts.outcomes)
                .containsExactly(Outcome.TIMEOUT, Outcome.SUCCESS, Outcome.TIMEOUT, Outcome.SUCCESS);
    }

    /** Whichever timer is the first, Holdfast's or gRPC's or the server's. */
    @ParameterizedTest
    @EnumSource(Stub.class)
    void aTimeoutIsDeadlineExceededWithTheTimeoutAsItsCause(Stub stub) {
        shop.always(Received::hang);
        for (Transport transport : Transport.values()) {
            Channel limited = channel(transport, attempts.plain(TimeoutPolicy.of(Duration.ofMillis(30))));
            for (int i = 0; i < 5; i++) {
                assertTimeout(Shop.failure(stub.call(limited, Shop.PUT)), "timeout");
            }
            Channel unlimited = channel(transport, attempts.plain());
            for (int i = 0; i < 5; i++) {
                assertTimeout(
                        struck(millis -> Shop.failure(stub.call(unlimited, Shop.PUT, within(millis), "x"))), "call");
            }
        }
        assertThat(attempts.outcomes).containsOnly(Outcome.TIMEOUT);
    }

    private static void assertTimeout(Status status, String policy) {
        assertThat(status.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(status.getCause())
                .isInstanceOfSatisfying(
                        CallTimeoutException.class, e -> assertThat(e.policy()).isEqualTo(policy));
    }

    /** The end of a call whose time was over only after the server had it. A slow machine needs more time for that. */
    private Status struck(Function<Duration, Status> call) {
        shop.received.clear();
        Status status;
        int millis = 30;
        do {
            status = call.apply(Duration.ofMillis(millis));
            millis *= 2;
        } while (millis < 60_000 && (shop.received.isEmpty() || status.getCause() instanceof CallRejectedException));
        return status;
    }

    @ParameterizedTest
    @EnumSource(Stub.class)
    void withoutTimeLeftNothingIsSent(Stub stub) {
        Channel channel = channel(Transport.NETTY, attempts.retrying());
        Status status = Shop.failure(stub.call(channel, Shop.GET, within(Duration.ofMillis(-1)), "x"));
        assertTurnedAway(status);
        assertThat(shop.received).isEmpty();
    }

    @Test
    void aContextWhoseTimeIsOverEndsTheCallAsATimeout() {
        shop.always(Received::hang);
        Channel channel = channel(Transport.IN_PROCESS, attempts.plain());
        Status status = struck(time -> {
            try (Context.CancellableContext context =
                    Context.current().withDeadlineAfter(time.toMillis(), TimeUnit.MILLISECONDS, timer)) {
                return Shop.failure(context.supply(() -> Stub.FUTURE.call(channel, Shop.PUT)));
            }
        });
        assertTimeout(status, "call");
    }

    /** Both limits strike at once: the listener hears the pipeline's reason, not that of the context. */
    @Test
    void aContextWhoseTimeIsOverWhileTheListenerWaitsForItsThreadLeavesTheErrorOfThePipeline() {
        AtomicLong now = new AtomicLong();
        io.grpc.Deadline limit = io.grpc.Deadline.after(1, TimeUnit.HOURS, new io.grpc.Deadline.Ticker() {
            @Override
            public long nanoTime() {
                return now.get();
            }
        });
        List<Runnable> ofListener = new ArrayList<>();
        Pipeline pipeline = attempts.plain();
        pipeline.close();
        Channel channel = channel(Transport.IN_PROCESS, pipeline);
        Hears hears = new Hears();
        try (Context.CancellableContext context = Context.current().withDeadline(limit, timer)) {
            context.run(
                    () -> sent(channel.newCall(Shop.GET, CallOptions.DEFAULT.withExecutor(ofListener::add)), hears));
            now.addAndGet(TimeUnit.HOURS.toNanos(2));
            context.cancel(new TimeoutException("context timed out"));
            ofListener.forEach(Runnable::run);
            assertThat(Shop.within(hears.closed).getCause()).isInstanceOf(CallRejectedException.class);
        }
    }

    private Context.CancellableContext expired() {
        return Context.current().withDeadline(io.grpc.Deadline.after(-1, TimeUnit.SECONDS), timer);
    }

    @ParameterizedTest
    @EnumSource(Stub.class)
    void aContextWhoseTimeIsOverBeforehandTurnsTheCallAway(Stub stub) throws Exception {
        Channel channel = channel(Transport.IN_PROCESS, attempts.plain());
        try (Context.CancellableContext context = expired()) {
            assertTurnedAway(Shop.failure(context.call(() -> stub.call(channel, Shop.PUT))));
        }
        assertThat(attempts.outcomes).isEmpty();
        assertThat(shop.received).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCallThatNeverBeginsEndsWithItsContext(boolean stream) throws Exception {
        Channel channel = channel(Transport.IN_PROCESS, attempts.plain());
        try (Context.CancellableContext context = expired()) {
            Hears hears = new Hears();
            context.run(() -> {
                ClientCall<String, String> call = channel.newCall(stream ? Shop.CHAT : Shop.PUT, CallOptions.DEFAULT);
                call.start(hears, new Metadata());
                call.request(1);
            });
            assertTurnedAway(Shop.within(hears.closed));
        }
    }

    private enum Limit {
        OPTIONS,
        THREAD_THAT_MAKES_IT,
        THREAD_THAT_STARTS_IT
    }

    /** An interceptor outside may half-close it late, or never. */
    @ParameterizedTest
    @EnumSource(Limit.class)
    void aCallThatIsNotHalfClosedInTimeEndsWithItsDeadline(Limit limit) {
        Hears hears = new Hears();
        ClientCall<String, String> call =
                startedWithin(Duration.ofMillis(50), limit, channel(Transport.IN_PROCESS, attempts.plain()), hears);
        call.request(1);
        assertTurnedAway(Shop.within(hears.closed));
        call.sendMessage("request");
        call.halfClose();
        assertThat(hears.events).containsExactly("close DEADLINE_EXCEEDED");
        assertThat(shop.received).isEmpty();
        assertThat(attempts.outcomes).isEmpty();
    }

    private static ClientCall<String, String> startedWithin(Duration time, Limit limit, Channel channel, Hears hears) {
        CallOptions options = limit == Limit.OPTIONS ? within(time) : CallOptions.DEFAULT;
        ClientCall<String, String> call = limit == Limit.THREAD_THAT_MAKES_IT
                ? Deadline.within(time, () -> channel.newCall(Shop.PUT, options))
                : channel.newCall(Shop.PUT, options);
        if (limit == Limit.THREAD_THAT_STARTS_IT) {
            Deadline.within(time, () -> call.start(hears, new Metadata()));
        } else {
            call.start(hears, new Metadata());
        }
        return call;
    }

    @ParameterizedTest
    @EnumSource(Limit.class)
    void aCallThatIsNotHalfClosedInTimeEndsAlsoIfTheExecutorRefuses(Limit limit) {
        Pipeline pipeline = attempts.plain();
        pipelines.add(pipeline);
        HoldfastClientInterceptor interceptor = HoldfastClientInterceptor.of(
                GrpcPipelines.one(pipeline),
                options -> options.executor(task -> {
                    throw new RejectedExecutionException("full");
                }));
        Hears hears = new Hears();
        startedWithin(Duration.ofMillis(50), limit, shop.channel(Transport.IN_PROCESS, interceptor), hears);
        assertTurnedAway(Shop.within(hears.closed));
        assertThat(shop.received).isEmpty();
        assertThat(attempts.outcomes).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCallThatHasEndedIsNotKeptUntilItsDeadline(boolean cancelled) {
        WeakReference<Object> call = new WeakReference<>(ended(channel(Transport.NETTY, attempts.plain()), cancelled));
        long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (call.get() != null && System.nanoTime() - end < 0) {
            System.gc();
            Thread.onSpinWait();
        }
        assertThat(call.get()).isNull();
    }

    private static Object ended(Channel channel, boolean cancelled) {
        ClientCall<String, String> call = channel.newCall(Shop.GET, within(Duration.ofHours(1)));
        Hears hears = new Hears();
        call.start(hears, new Metadata());
        call.request(2);
        if (cancelled) {
            call.cancel("changed my mind", null);
        } else {
            call.sendMessage("request");
            call.halfClose();
        }
        Shop.within(hears.closed);
        return call;
    }

    private static void assertTurnedAway(Status status) {
        assertThat(status.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(status.getCause())
                .isInstanceOfSatisfying(
                        CallRejectedException.class, e -> assertThat(e.reason()).isEqualTo(Reason.DEADLINE_EXCEEDED));
    }

    /** Somebody says so, and its time is not over. */
    @Test
    void aContextThatIsCancelledWithATimeoutCancelsTheCall() throws Exception {
        shop.always(Received::hang);
        Channel channel = channel(Transport.IN_PROCESS, attempts.plain());
        try (Context.CancellableContext context = Context.current().withDeadlineAfter(1, TimeUnit.HOURS, timer)) {
            Hears hears = new Hears();
            context.run(() -> sent(channel.newCall(Shop.PUT, CallOptions.DEFAULT), hears));
            shop.next();
            context.cancel(new TimeoutException("said by hand"));
            assertThat(Shop.within(hears.closed).getCause()).hasMessage("said by hand");
        }
        assertThat(attempts.outcomes).containsExactly(Outcome.CANCELLED);
    }

    // ---- connections

    @ParameterizedTest
    @EnumSource(Stub.class)
    void aRefusedConnectionIsRepeatedWhateverTheCallDoes(Stub stub) throws IOException {
        try (Socket deaf = Shop.deaf()) {
            Channel channel = shop.channelTo(deaf.getLocalPort(), around(attempts.retrying()));
            Status status = Shop.failure(stub.call(channel, Shop.PUT));
            assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(status.getCause()).isInstanceOf(ConnectException.class);
        }
        assertThat(attempts.outcomes).containsExactly(Outcome.FAILURE, Outcome.FAILURE, Outcome.FAILURE);
    }

    @Test
    void aConnectionThatNeverCameToStandHasSentNothing() throws IOException {
        try (ServerSocket closing = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread acceptor = new Thread(() -> {
                try {
                    while (true) {
                        closing.accept().close();
                    }
                } catch (IOException end) {
                    // The test is over.
                }
            });
            acceptor.start();
            Channel channel = shop.channelTo(closing.getLocalPort(), around(attempts.retrying()));
            assertThat(Shop.failure(Stub.FUTURE.call(channel, Shop.PUT)).getCode())
                    .isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(attempts.outcomes).hasSize(3);
        }
    }

    @ParameterizedTest
    @EnumSource(Stub.class)
    void aConnectionThatBreaksIsNotRepeatedUnlessTheCallMayBeDoneTwice(Stub stub) throws Exception {
        try (CuttingProxy proxy = new CuttingProxy(shop.port())) {
            Channel channel = shop.channelTo(proxy.port(), around(attempts.retrying()));
            shop.then(call -> proxy.cut());
            Status status = Shop.failure(stub.call(channel, Shop.PUT));
            assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(attempts.outcomes).containsExactly(Outcome.FAILURE);
            shop.then(call -> proxy.cut());
            assertThat(Shop.within(stub.call(channel, Shop.GET))).isEqualTo("answer");
            assertThat(attempts.outcomes).containsExactly(Outcome.FAILURE, Outcome.FAILURE, Outcome.SUCCESS);
        }
    }

    // ---- cancellation

    @ParameterizedTest
    @EnumSource(Transport.class)
    void whoCancelsCancelsTheAttemptAndIsNoFailure(Transport transport) {
        shop.always(Received::hang);
        ClientCall<String, String> call =
                channel(transport, attempts.retrying()).newCall(Shop.GET, CallOptions.DEFAULT);
        Hears hears = sent(call, new Hears());
        Received received = shop.next();
        IllegalStateException why = new IllegalStateException("why");
        call.cancel("no longer needed", why);
        Status status = Shop.within(hears.closed);
        assertThat(status.getCode()).isEqualTo(Status.Code.CANCELLED);
        assertThat(status.getDescription()).isEqualTo("no longer needed");
        assertThat(status.getCause()).isSameAs(why);
        Shop.within(received.cancelled);
        assertThat(attempts.outcomes).containsExactly(Outcome.CANCELLED);
    }

    @Test
    void anInterruptOfABlockingStubCancelsTheAttempt() {
        shop.always(Received::hang);
        Channel channel = channel(Transport.NETTY, attempts.retrying());
        CompletableFuture<Status> end = new CompletableFuture<>();
        Thread caller = new Thread(() -> {
            try {
                ClientCalls.blockingUnaryCall(channel, Shop.GET, CallOptions.DEFAULT, "x");
            } catch (Throwable e) {
                end.complete(Status.fromThrowable(e));
            }
        });
        caller.start();
        Received received = shop.next();
        caller.interrupt();
        assertThat(Shop.within(end).getCode()).isEqualTo(Status.Code.CANCELLED);
        Shop.within(received.cancelled);
    }

    @Test
    void aCancelledContextEndsAlsoAWait() {
        shop.always(Received::unavailable);
        Pipeline waiting = attempts.plain(RetryPolicy.of(
                r -> r.maxAttempts(2).initialBackoff(LONG).maxBackoff(LONG).jitter(Jitter.NONE)));
        Channel channel = channel(Transport.IN_PROCESS, waiting);
        Context.CancellableContext context = Context.current().withCancellation();
        CompletableFuture<String> call = context.supply(() -> Stub.FUTURE.call(channel, Shop.GET));
        Shop.within(shop.next().completed);
        context.cancel(new IllegalStateException("over"));
        assertThat(Shop.failure(call).getCode()).isEqualTo(Status.Code.CANCELLED);
    }

    @Test
    void aCallThatIsCancelledBeforeItsMessageTakesNothing() {
        ClientCall<String, String> call =
                channel(Transport.IN_PROCESS, attempts.retrying()).newCall(Shop.GET, CallOptions.DEFAULT);
        Hears hears = new Hears();
        call.start(hears, new Metadata());
        call.cancel("changed my mind", null);
        call.cancel("again", null);
        assertThat(Shop.within(hears.closed).getDescription()).isEqualTo("changed my mind");
        call.sendMessage("x");
        call.halfClose();
        assertThat(hears.events).containsExactly("close CANCELLED");
        assertThat(shop.received).isEmpty();
        assertThat(attempts.outcomes).isEmpty();
    }

    @Test
    void theOrderOfACallIsChecked() {
        Channel channel = channel(Transport.IN_PROCESS, attempts.retrying());
        ClientCall<String, String> call = channel.newCall(Shop.GET, CallOptions.DEFAULT);
        assertThatThrownBy(call::halfClose).isInstanceOf(IllegalStateException.class);
        assertThat(call.isReady()).isTrue();
        Hears hears = new Hears();
        call.start(hears, new Metadata());
        assertThatThrownBy(() -> call.start(hears, new Metadata())).hasMessage("Already started");
        assertThatThrownBy(() -> call.request(-1)).isInstanceOf(IllegalArgumentException.class);
        call.sendMessage("x");
        assertThatThrownBy(() -> call.sendMessage("y")).isInstanceOf(IllegalStateException.class);
        call.setMessageCompression(true);
        call.halfClose();
        assertThat(call.isReady()).isFalse();
        assertThatThrownBy(call::halfClose).hasMessage("call already half-closed");
        ClientCall<String, String> cancelled = channel.newCall(Shop.GET, CallOptions.DEFAULT);
        cancelled.cancel("early", null);
        assertThatThrownBy(() -> cancelled.start(hears, new Metadata())).hasMessage("call was cancelled");
        call.request(1);
        Shop.within(hears.closed);
    }

    /** As without a pipeline. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void beforeItsStartACallTakesNothing(boolean stream) {
        ClientCall<String, String> call = channel(Transport.IN_PROCESS, attempts.retrying())
                .newCall(stream ? Shop.CHAT : Shop.GET, CallOptions.DEFAULT);
        List<ThrowingCallable> early = List.of(
                () -> call.request(1),
                () -> call.request(-1),
                () -> call.sendMessage("x"),
                () -> call.setMessageCompression(true),
                call::halfClose);
        assertThat(early)
                .allSatisfy(each -> assertThatThrownBy(each)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("Not started"));
    }

    // ---- policies

    private static Status rejected(Stub stub, Channel channel, Reason reason) {
        Status status = Shop.failure(stub.call(channel, Shop.GET));
        assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(status.getCause())
                .isInstanceOfSatisfying(
                        CallRejectedException.class, e -> assertThat(e.reason()).isEqualTo(reason));
        return status;
    }

    @ParameterizedTest
    @EnumSource(Stub.class)
    void anOpenBreakerSendsNothing(Stub stub) {
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.of(
                b -> b.waitDurationInOpenState(Duration.ofHours(1)).maxWaitDurationInOpenState(Duration.ofHours(1)));
        Channel channel = channel(Transport.NETTY, attempts.plain(breaker));
        shop.always(Received::unavailable);
        while (breaker.state() == CircuitBreakerPolicy.State.CLOSED) {
            Shop.failure(stub.call(channel, Shop.GET));
        }
        shop.received.clear();
        rejected(stub, channel, Reason.CIRCUIT_OPEN);
        assertThat(shop.received).isEmpty();
    }

    @Test
    void aPipelineAroundKnowsARejectionInTheStatus() {
        BulkheadPolicy full = BulkheadPolicy.of(b -> b.maxConcurrentCalls(1));
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.of(b -> b.minimumNumberOfCalls(1));
        Channel channel =
                shop.channel(Transport.IN_PROCESS, around(attempts.plain(full)), around(attempts.retrying(breaker)));
        shop.always(Received::hang);
        ClientCall<String, String> holds = channel.newCall(Shop.GET, CallOptions.DEFAULT);
        Hears hears = sent(holds, new Hears());
        shop.next();
        rejected(Stub.BLOCKING, channel, Reason.BULKHEAD_FULL);
        assertThat(breaker.state()).isEqualTo(CircuitBreakerPolicy.State.CLOSED);
        assertThat(shop.received).isEmpty();
        holds.cancel("over", null);
        Shop.within(hears.closed);
    }

    @ParameterizedTest
    @EnumSource(Stub.class)
    void theLoserOfAHedgeIsCancelled(Stub stub) {
        Channel channel = channel(Transport.NETTY, attempts.plain(HedgePolicy.of(h -> h.delay(Duration.ofMillis(20)))));
        // Both may come in either order, where the connection is new. One that is cancelled before it is sent never
        // comes.
        CompletableFuture<Received> slow = new CompletableFuture<>();
        shop.always(call -> {
            if ("1".equals(call.headers.get(Shop.ATTEMPT))) {
                slow.complete(call);
            } else {
                var unused = slow.thenRun(() -> call.reply("attempt " + call.headers.get(Shop.ATTEMPT)));
            }
        });
        assertThat(Shop.within(stub.call(channel, Shop.GET))).isEqualTo("attempt 2");
        Shop.within(Shop.within(slow).cancelled);
    }

    @Test
    void aHedgeThatLosesIsCancelledToo() {
        Channel channel =
                channel(Transport.IN_PROCESS, attempts.plain(HedgePolicy.of(h -> h.delay(Duration.ofMillis(20)))));
        shop.then(Received::hang, Received::hang);
        CompletableFuture<String> call = Stub.BLOCKING.call(channel, Shop.GET);
        Received first = shop.next();
        Received second = shop.next();
        first.reply("first");
        assertThat(Shop.within(call)).isEqualTo("first");
        Shop.within(second.cancelled);
    }

    @ParameterizedTest
    @EnumSource(Stub.class)
    void aFallbackOfAnotherTypeIsNamed(Stub stub) {
        shop.then(Received::unavailable);
        Status wrong = Shop.failure(
                stub.call(channel(Transport.IN_PROCESS, attempts.plain(FallbackPolicy.value(7))), Shop.GET));
        assertThat(wrong.getCode()).isEqualTo(Status.Code.INTERNAL);
        assertThat(wrong.getDescription())
                .isEqualTo("the fallback of shop.Stock/Get gave a java.lang.Integer; expected a java.lang.String");
    }

    @ParameterizedTest
    @EnumSource(Stub.class)
    void aFallbackAnswersInPlaceOfAFailure(Stub stub) {
        CompletableFuture<Throwable> seen = new CompletableFuture<>();
        Pipeline pipeline = attempts.plain(FallbackPolicy.of(error -> {
            seen.complete(error);
            return "instead";
        }));
        shop.always(Received::unavailable);
        assertThat(Shop.within(stub.call(channel(Transport.IN_PROCESS, pipeline), Shop.GET)))
                .isEqualTo("instead");
        assertThat(Status.fromThrowable(Shop.within(seen)).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    }

    @Test
    void whoChoosesNoPipelineHearsOfIt() {
        HoldfastClientInterceptor broken = HoldfastClientInterceptor.of((authority, method) -> {
            throw new IllegalStateException("none for " + method.getServiceName());
        });
        Status status = Shop.failure(Stub.BLOCKING.call(shop.channel(Transport.IN_PROCESS, broken), Shop.GET));
        assertThat(status.getCause()).hasMessage("none for shop.Stock");
    }

    @Test
    void anErrorOfWhoChoosesThePipelineIsHeardToo() {
        HoldfastClientInterceptor broken = HoldfastClientInterceptor.of((authority, method) -> {
            throw new ExceptionInInitializerError("template");
        });
        Hears hears =
                sent(shop.channel(Transport.IN_PROCESS, broken).newCall(Shop.GET, CallOptions.DEFAULT), new Hears());
        assertThat(Shop.within(hears.closed).getCause()).hasMessage("template");
    }

    // ---- messages

    private enum Bytes implements MethodDescriptor.Marshaller<InputStream> {
        AS_THEY_ARE;

        @Override
        public InputStream stream(InputStream bytes) {
            return bytes;
        }

        @Override
        public InputStream parse(InputStream bytes) {
            return bytes;
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"UNAVAILABLE", "RESOURCE_EXHAUSTED"})
    void aMessageThatCanBeReadOnceIsSentOnce(Status.Code code) {
        shop.always(call -> call.fail(code.toStatus()));
        Channel channel = channel(Transport.NETTY, attempts.retrying());
        MethodDescriptor<InputStream, InputStream> get =
                Shop.GET.toBuilder(Bytes.AS_THEY_ARE, Bytes.AS_THEY_ARE).build();
        Status status = Shop.failure(ClientCalls.futureUnaryCall(
                channel.newCall(get, CallOptions.DEFAULT), new ByteArrayInputStream(new byte[] {'a'})));
        assertThat(status.getCode()).isEqualTo(code);
        assertThat(shop.next().messages).containsExactly("a");
        assertThat(shop.received).isEmpty();
        assertThat(attempts.outcomes).containsExactly(Outcome.FAILURE);
    }

    // ---- threads and contexts

    @Test
    void theListenerHearsOnTheExecutorOfTheCallAndInItsContext() {
        ExecutorService own = Executors.newSingleThreadExecutor(task -> new Thread(task, "own"));
        Context.Key<String> key = Context.key("test");
        shop.then(Received::unavailable);
        Channel channel = channel(Transport.NETTY, attempts.retrying(TimeoutPolicy.of(LONG)));
        Map<String, String> heard = new ConcurrentHashMap<>();
        Map<String, Duration> left = new ConcurrentHashMap<>();
        class Notes extends Hears {
            private void note(String event) {
                heard.put(event, Thread.currentThread().getName() + " " + key.get());
                left.put(event, Deadline.remaining().orElse(Duration.ZERO));
            }

            @Override
            public void onHeaders(Metadata received) {
                note("headers");
                super.onHeaders(received);
            }

            @Override
            public void onMessage(String message) {
                note("message");
                super.onMessage(message);
            }

            @Override
            public void onClose(Status status, Metadata received) {
                note("close");
                super.onClose(status, received);
            }
        }
        Notes notes = new Notes();
        Context.current()
                .withValue(key, "mine")
                .run(() -> Deadline.within(Duration.ofMinutes(30), () -> {
                    ClientCall<String, String> call = channel.newCall(Shop.GET, CallOptions.DEFAULT.withExecutor(own));
                    call.start(notes, new Metadata());
                    call.request(1);
                    call.sendMessage("x");
                    call.halfClose();
                }));
        Shop.within(notes.closed);
        assertThat(heard)
                .hasSize(3)
                .allSatisfy((event, where) -> assertThat(where).isEqualTo("own mine"));
        // That of the caller, and not what the attempt had left.
        assertThat(left.values()).allSatisfy(time -> assertThat(time).isGreaterThan(Duration.ofMinutes(20)));
        own.shutdown();
    }

    @Test
    void aRejectionIsNotHeardOnTheThreadOfTheCaller() {
        Pipeline closed = attempts.plain();
        Channel channel = channel(Transport.IN_PROCESS, closed);
        closed.close();
        CompletableFuture<Thread> heard = new CompletableFuture<>();
        sent(channel.newCall(Shop.GET, CallOptions.DEFAULT), new Hears() {
            @Override
            public void onClose(Status status, Metadata received) {
                heard.complete(Thread.currentThread());
            }
        });
        assertThat(Shop.within(heard)).isNotSameAs(Thread.currentThread());
        rejected(Stub.BLOCKING, channel, Reason.CLOSED);
    }

    @Test
    void anExecutorThatHasShutDownLosesNoEnd() {
        ExecutorService over = Executors.newSingleThreadExecutor();
        over.shutdown();
        Pipeline closed = attempts.plain();
        Channel channel = channel(Transport.IN_PROCESS, closed);
        closed.close();
        Hears hears = sent(channel.newCall(Shop.GET, CallOptions.DEFAULT.withExecutor(over)), new Hears());
        assertThat(Shop.within(hears.closed).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    }

    @Test
    void aListenerMayMakeACallThatBlocks() {
        Channel channel = channel(Transport.NETTY, attempts.retrying(BulkheadPolicy.ofDefaults()));
        shop.then(call -> call.reply("first"), Received::unavailable);
        CompletableFuture<String> second = new CompletableFuture<>();
        ClientCall<String, String> call = channel.newCall(Shop.GET, CallOptions.DEFAULT);
        sent(call, new Hears() {
            @Override
            public void onMessage(String message) {
                second.complete(ClientCalls.blockingUnaryCall(channel, Shop.GET, CallOptions.DEFAULT, "again"));
            }
        });
        call.request(1);
        assertThat(Shop.within(second)).isEqualTo("answer");
    }

    @Test
    void aListenerThatThrowsHearsOfItAsACancellation() {
        ClientCall<String, String> call =
                channel(Transport.NETTY, attempts.retrying()).newCall(Shop.GET, CallOptions.DEFAULT);
        Hears hears = sent(call, new Hears() {
            @Override
            public void onMessage(String message) {
                throw new IllegalStateException("broken");
            }
        });
        call.request(1);
        Status status = Shop.within(hears.closed);
        assertThat(status.getCode()).isEqualTo(Status.Code.CANCELLED);
        assertThat(status.getCause()).hasMessage("broken");
    }

    @Test
    @Logs("a listener failed at the end of shop.Stock/Get")
    void aListenerThatThrowsAtTheEndIsLogged() {
        Pipeline pipeline = attempts.retrying();
        ClientCall<String, String> call =
                channel(Transport.IN_PROCESS, pipeline).newCall(Shop.GET, CallOptions.DEFAULT);
        CompletableFuture<Thread> heard = new CompletableFuture<>();
        sent(call, new Hears() {
            @Override
            public void onClose(Status status, Metadata received) {
                heard.complete(Thread.currentThread());
                throw new IllegalStateException("broken");
            }
        });
        call.request(1);
        Shop.within(heard);
        // The thread goes on: this call needs it, or another one after it.
        assertThat(Shop.within(Stub.FUTURE.call(channel(Transport.IN_PROCESS, pipeline), Shop.GET)))
                .isEqualTo("answer");
    }

    @Test
    void compressionIsThatOfTheCallInEachAttempt() {
        shop.then(Received::unavailable);
        Channel channel = channel(Transport.NETTY, attempts.retrying());
        CallOptions gzip = CallOptions.DEFAULT.withCompression("gzip");
        assertThat(Shop.within(Stub.BLOCKING.call(channel, Shop.GET, gzip, "x".repeat(10_000))))
                .isEqualTo("answer");
        assertThat(shop.received).allSatisfy(call -> assertThat(call.messages).containsExactly("x".repeat(10_000)));
    }

    // ---- the channel's own retries

    @ParameterizedTest
    @ValueSource(strings = {"retryPolicy", "hedgingPolicy"})
    @Logs("gRPC retries or hedges calls by its service config, too")
    void whatTheChannelRepeatsByItselfIsWarnedOf(String kind) {
        Map<String, Object> policy = kind.equals("retryPolicy")
                ? Map.of(
                        "maxAttempts",
                        2.0,
                        "initialBackoff",
                        "0.001s",
                        "maxBackoff",
                        "0.001s",
                        "backoffMultiplier",
                        1.0,
                        "retryableStatusCodes",
                        List.of("UNAVAILABLE"))
                : Map.of("maxAttempts", 2.0, "hedgingDelay", "0.001s", "nonFatalStatusCodes", List.of("UNAVAILABLE"));
        Map<String, Object> config =
                Map.of("methodConfig", List.of(Map.of("name", List.of(Map.of("service", "shop.Stock")), kind, policy)));
        HoldfastClientInterceptor holdfast = around(attempts.plain());
        Channel channel = shop.channel(
                Transport.NETTY, builder -> builder.defaultServiceConfig(config).intercept(holdfast));
        for (int i = 0; i < 2; i++) {
            shop.then(kind.equals("retryPolicy") ? Received::unavailable : Received::hang);
            assertThat(Shop.within(Stub.FUTURE.call(channel, Shop.GET))).isEqualTo("answer");
        }
        assertThat(attempts.outcomes).containsExactly(Outcome.SUCCESS, Outcome.SUCCESS);
        for (int i = 0; i < 4; i++) {
            shop.next();
        }
        assertThat(shop.received).isEmpty();
    }

    @Test
    void servicesHavePipelinesOfTheirOwn() {
        PipelinePerService perService = PipelinePerService.of("shops", b -> b.policies(TimeoutPolicy.of(LONG)));
        Channel channel = shop.channel(Transport.IN_PROCESS, HoldfastClientInterceptor.of(perService));
        Shop.within(Stub.FUTURE.call(channel, Shop.GET));
        Shop.within(Stub.FUTURE.call(channel, Shop.PUT));
        assertThat(perService.pipelines())
                .extracting(Pipeline::name)
                .containsExactly("shops/" + channel.authority() + "/shop.Stock");
        assertThat(perService.of("other:1", Shop.GET)).isNotSameAs(perService.of("other:2", Shop.GET));
        perService.close();
        rejected(Stub.FUTURE, channel, Reason.CLOSED);
        Pipeline standard;
        try (PipelinePerService standards = PipelinePerService.standard("standard")) {
            standard = standards.of("a", Shop.GET);
            assertThat(standard.policies()).extracting(Policy::name).contains("retry", "bulkhead");
            for (int i = 0; i < 1_100; i++) {
                standards.of("a" + i, Shop.GET);
            }
            assertThat(standards.pipelines()).hasSize(1_001);
            assertThat(standards.of("new", Shop.GET)).isSameAs(standards.of("newer", Shop.GET));
        }
    }

    @Test
    void namesOfOperationsAreBounded() {
        Channel channel = channel(Transport.IN_PROCESS, attempts.plain());
        for (int i = 0; i < 120; i++) {
            MethodDescriptor<String, String> made = Shop.GET.toBuilder()
                    .setFullMethodName("shop.Stock/Made" + i)
                    .build();
            for (boolean twice : new boolean[] {true, false}) {
                CallOptions options = CallOptions.DEFAULT.withOption(HoldfastClientInterceptor.IDEMPOTENT, twice);
                assertThat(Shop.failure(Stub.FUTURE.call(channel, made, options, "x"))
                                .getCode())
                        .isEqualTo(Status.Code.UNIMPLEMENTED);
            }
        }
        assertThat(Set.copyOf(attempts.operations)).hasSize(101).contains("other");
    }
}
