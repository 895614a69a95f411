/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.grpc.Shop.Heard;
import dev.holdfast.grpc.Shop.Received;
import dev.holdfast.grpc.Shop.Stub;
import dev.holdfast.grpc.Shop.Transport;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientStreamTracer;
import io.grpc.Context;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls with streams: one attempt each, until the first message of the response. */
class StreamsTest {
    private final Shop shop = new Shop();
    private final Attempts attempts = new Attempts();
    private final BulkheadPolicy one = BulkheadPolicy.of(b -> b.maxConcurrentCalls(1));
    private final List<Pipeline> pipelines = new ArrayList<>();

    @AfterEach
    void close() {
        shop.close();
        pipelines.forEach(Pipeline::close);
    }

    private ManagedChannel channel(Transport transport, Pipeline pipeline) {
        pipelines.add(pipeline);
        return shop.channel(transport, HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline)));
    }

    private static Heard list(Channel channel) {
        Heard heard = new Heard();
        ClientCalls.asyncServerStreamingCall(channel.newCall(Shop.LIST, CallOptions.DEFAULT), "request", heard);
        return heard;
    }

    /** A listener may hear of the end of its call while the last of its permit is still on its way back. */
    private void assertFree() {
        assertFree(one);
    }

    private static void assertFree(BulkheadPolicy bulkhead) {
        long begin = System.nanoTime();
        while (bulkhead.inFlight() > 0 && System.nanoTime() - begin < TimeUnit.MINUTES.toNanos(1)) {
            Thread.onSpinWait();
        }
        assertThat(bulkhead.inFlight()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aStreamOfTheServerHoldsItsPermitUntilTheFirstMessage(Transport transport) {
        Channel channel = channel(transport, attempts.plain(one));
        shop.then(Received::hang);
        Heard first = list(channel);
        Received received = shop.next();
        Shop.within(received.halfClosed);
        assertThat(received.messages).containsExactly("request");
        Heard second = list(channel);
        Status full = Shop.failure(second.end);
        assertThat(full.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(full.getCause()).isInstanceOf(CallRejectedException.class);
        received.begin("a");
        Shop.within(first.first);
        assertFree();
        Heard third = list(channel);
        Shop.within(third.end);
        received.call.sendMessage("b");
        received.call.close(Status.OK, new Metadata());
        Shop.within(first.end);
        assertThat(first.messages).containsExactly("a", "b");
        assertFree();
        assertThat(attempts.outcomes).containsExactly(Outcome.SUCCESS, Outcome.SUCCESS);
    }

    @Test
    void theIteratorOfABlockingStubWorks() {
        Channel channel = channel(Transport.NETTY, attempts.plain(one, TimeoutPolicy.of(Duration.ofMinutes(5))));
        shop.then(call -> call.reply("a", "b", "c"));
        Iterator<String> answers =
                ClientCalls.blockingServerStreamingCall(channel, Shop.LIST, CallOptions.DEFAULT, "request");
        assertThat(answers).toIterable().containsExactly("a", "b", "c");
        assertFree();
        shop.then(call -> call.fail(Status.NOT_FOUND));
        Iterator<String> failing =
                ClientCalls.blockingServerStreamingCall(channel, Shop.LIST, CallOptions.DEFAULT, "request");
        assertThatThrownBy(failing::hasNext).hasMessageContaining("NOT_FOUND");
        assertFree();
    }

    /** Its executor runs nothing between two things that its caller does. So gRPC does not send it without a connection. */
    private BlockingClientCall<String, String> opened(Channel channel, Consumer<Received> server) {
        Shop.within(Stub.FUTURE.call(channel, Shop.GET));
        assertFree();
        shop.received.clear();
        attempts.outcomes.clear();
        shop.then(server);
        return ClientCalls.blockingV2ServerStreamingCall(channel, Shop.LIST, CallOptions.DEFAULT, "request");
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void whatABlockingCallerDoesBeforeItReadsTakesNoneOfTheDependencysTime(Transport transport) throws Exception {
        VirtualTime time = new VirtualTime();
        Channel channel = channel(transport, attempts.on(time, one, TimeoutPolicy.of(Duration.ofHours(1))));
        BlockingClientCall<String, String> stream = opened(channel, call -> call.reply("a", "b", "c"));
        assertFree();
        time.advance(Duration.ofHours(2));
        List<String> messages = new ArrayList<>();
        while (stream.hasNext()) {
            messages.add(stream.read());
        }
        assertThat(messages).containsExactly("a", "b", "c");
        assertThat(attempts.outcomes).containsExactly(Outcome.SUCCESS);
        time.close();
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aBlockingCallerOfBothStreamsThatOnlyWritesGivesItsPermitBack(Transport transport) throws Exception {
        Channel channel = channel(transport, attempts.plain(one));
        shop.then(Received::hang);
        BlockingClientCall<String, String> chat =
                ClientCalls.blockingBidiStreamingCall(channel, Shop.CHAT, CallOptions.DEFAULT);
        assertThat(chat.write("hello")).isTrue();
        Received received = shop.next();
        assertThat(one.inFlight()).isOne();
        received.begin("welcome");
        assertFree();
        assertThat(chat.write("bye")).isTrue();
        assertThat(chat.read()).isEqualTo("welcome");
        chat.halfClose();
        Shop.within(received.halfClosed);
        received.call.close(Status.OK, new Metadata());
        assertThat(chat.read()).isNull();
        assertThat(attempts.outcomes).containsExactly(Outcome.SUCCESS);
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void anEmptyStreamThatNobodyReadsGivesItsPermitBack(Transport transport) throws Exception {
        Channel channel = channel(transport, attempts.plain(one));
        BlockingClientCall<String, String> stream = opened(channel, Received::reply);
        assertFree();
        assertThat(attempts.outcomes).containsExactly(Outcome.SUCCESS);
        assertThat(stream.hasNext()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void theHeadersAreNoFirstMessageForABlockingCallerThatWaitsForOne(Transport transport) {
        VirtualTime time = new VirtualTime();
        Channel channel = channel(transport, attempts.on(time, one, TimeoutPolicy.of(Duration.ofHours(1))));
        BlockingClientCall<String, String> stream = opened(channel, Received::hang);
        Received received = shop.next();
        received.begin();
        time.advance(Duration.ofHours(2));
        Shop.within(received.cancelled);
        received.call.sendMessage("too late");
        assertThatThrownBy(stream::hasNext).hasMessageContaining("DEADLINE_EXCEEDED");
        assertFree();
        assertThat(attempts.outcomes).containsExactly(Outcome.TIMEOUT);
        time.close();
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void whoCancelsAStreamThatWasAnsweredAndNotReadHearsOfIt(Transport transport) {
        Channel channel = channel(transport, attempts.plain(one));
        BlockingClientCall<String, String> stream = opened(channel, call -> call.begin("first"));
        assertFree();
        stream.cancel("enough", null);
        Shop.within(shop.next().cancelled);
        assertThatThrownBy(() -> {
                    while (stream.hasNext()) {
                        stream.read();
                    }
                })
                .hasMessage("CANCELLED: enough");
        assertThat(attempts.outcomes).containsExactly(Outcome.SUCCESS);
    }

    /** An observer may take its time. */
    @ParameterizedTest
    @EnumSource(Transport.class)
    void aThreadOfTheTransportRunsNoObserver(Transport transport) {
        CompletableFuture<String> heardOn = new CompletableFuture<>();
        Pipeline pipeline = Pipeline.builder("shop")
                .observer(new CallObserver() {
                    @Override
                    public void attemptSettled(
                            String name, @Nullable String operation, int attempt, Outcome outcome, long durationNanos) {
                        if ("shop.Stock/List".equals(operation)) {
                            heardOn.complete(Thread.currentThread().getName());
                        }
                    }
                })
                .build();
        pipelines.add(pipeline);
        Channel channel = shop.channel(transport, HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline)));
        BlockingClientCall<String, String> stream = opened(channel, call -> call.begin("first"));
        assertThat(Shop.within(heardOn)).startsWith("holdfast-grpc-");
        stream.cancel("enough", null);
    }

    /** The executor of the options refuses, or is busy for ever. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anExecutorThatRunsNothingTakesNoneOfTheTimeOfAStream(boolean refuses) throws Exception {
        VirtualTime time = new VirtualTime();
        Pipeline pipeline = attempts.on(time, one, TimeoutPolicy.of(Duration.ofHours(1)));
        pipelines.add(pipeline);
        Executor runsNothing = task -> {
            if (refuses) {
                throw new RejectedExecutionException("full");
            }
        };
        for (Transport transport : Transport.values()) {
            Channel channel = shop.channel(
                    transport, HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline), o -> o.executor(runsNothing)));
            BlockingClientCall<String, String> stream = opened(channel, call -> call.reply("a", "b"));
            assertFree();
            assertThat(attempts.outcomes).containsExactly(Outcome.SUCCESS);
            time.advance(Duration.ofHours(2));
            assertThat(stream.read()).isEqualTo("a");
            assertThat(stream.read()).isEqualTo("b");
            assertThat(stream.read()).isNull();
            assertThat(attempts.outcomes).containsExactly(Outcome.SUCCESS);
        }
        time.close();
    }

    /** What the executor of a call has still to run. */
    private static final class Later implements Executor {
        private final BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();

        @Override
        public void execute(Runnable task) {
            tasks.add(task);
        }

        void runUntil(CompletableFuture<?> done) throws InterruptedException {
            while (!done.isDone()) {
                Runnable next = tasks.poll(1, TimeUnit.MINUTES);
                assertThat(next).isNotNull();
                Objects.requireNonNull(next).run();
            }
        }
    }

    /** gRPC's transport within a process does not end by itself a stream whose messages wait. This channel tells of none. */
    @Test
    void aListenerHearsOneEndAlsoIfMessagesWaitThatItHasNotAskedFor() throws Exception {
        ClientInterceptor tellsNothing = new ClientInterceptor() {
            @Override
            public <Q, R> ClientCall<Q, R> interceptCall(
                    MethodDescriptor<Q, R> method, CallOptions with, Channel next) {
                return next.newCall(
                        method, CallOptions.DEFAULT.withExecutor(Objects.requireNonNull(with.getExecutor())));
            }
        };
        VirtualTime time = new VirtualTime();
        Pipeline pipeline = attempts.on(time, one, TimeoutPolicy.of(Duration.ofHours(1)));
        pipelines.add(pipeline);
        Channel channel = shop.channel(
                Transport.IN_PROCESS, tellsNothing, HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline)));
        CompletableFuture<Boolean> replied = new CompletableFuture<>();
        shop.then(call -> {
            call.reply("a", "b", "c");
            replied.complete(true);
        });
        Later later = new Later();
        Hears hears = new Hears();
        ClientCall<String, String> call = channel.newCall(Shop.LIST, CallOptions.DEFAULT.withExecutor(later));
        call.start(hears, new Metadata());
        call.request(1);
        call.sendMessage("request");
        call.halfClose();
        Shop.within(replied);
        time.advance(Duration.ofHours(2));
        later.runUntil(hears.closed);
        assertThat(later.tasks).isEmpty();
        assertThat(hears.events).containsExactly("close DEADLINE_EXCEEDED");
        assertThat(attempts.outcomes).containsExactly(Outcome.TIMEOUT);
        time.close();
    }

    /** What it does before it asks takes none of the dependency's time. */
    @Test
    void aConsumerThatAsksLateHasASuccessWithTheHeaders() {
        VirtualTime time = new VirtualTime();
        Channel channel =
                channel(Transport.IN_PROCESS, attempts.on(time, one, TimeoutPolicy.of(Duration.ofMillis(400))));
        CompletableFuture<Boolean> headers = new CompletableFuture<>();
        Hears hears = new Hears() {
            @Override
            public void onHeaders(Metadata received) {
                super.onHeaders(received);
                headers.complete(true);
            }
        };
        ClientCall<String, String> call = channel.newCall(Shop.LIST, CallOptions.DEFAULT);
        call.start(hears, new Metadata());
        call.sendMessage("request");
        call.halfClose();
        Shop.within(headers);
        assertFree();
        time.advance(Duration.ofSeconds(1));
        call.request(2);
        assertThat(Shop.within(hears.closed).isOk()).isTrue();
        assertThat(hears.events).containsExactly("headers", "answer", "close OK");
        assertThat(attempts.outcomes).containsExactly(Outcome.SUCCESS);
        time.close();
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aStreamOfTheClientIsOneCall(Transport transport) {
        Channel channel = channel(transport, attempts.plain(one));
        shop.then(call -> call.replyWhenHalfClosed(() -> String.join("+", call.messages)));
        Heard heard = new Heard();
        StreamObserver<String> upload =
                ClientCalls.asyncClientStreamingCall(channel.newCall(Shop.UPLOAD, CallOptions.DEFAULT), heard);
        upload.onNext("a");
        upload.onNext("b");
        upload.onCompleted();
        Shop.within(heard.end);
        assertThat(heard.messages).containsExactly("a+b");
        assertFree();
        assertThat(attempts.operations).containsExactly("shop.Stock/Upload");
        assertThat(shop.next().headers.get(Shop.ATTEMPT)).isEqualTo("1");
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aStreamOfBothIsOneCall(Transport transport) {
        Channel channel = channel(transport, attempts.plain(one));
        shop.then(Received::hang);
        Heard heard = new Heard();
        StreamObserver<String> chat =
                ClientCalls.asyncBidiStreamingCall(channel.newCall(Shop.CHAT, CallOptions.DEFAULT), heard);
        chat.onNext("hello");
        Received received = shop.next();
        received.begin("welcome");
        Shop.within(heard.first);
        assertFree();
        chat.onNext("bye");
        chat.onCompleted();
        Shop.within(received.halfClosed);
        assertThat(received.messages).containsExactly("hello", "bye");
        received.call.close(Status.ABORTED.withDescription("after all"), new Metadata());
        assertThat(Shop.failure(heard.end).getDescription()).isEqualTo("after all");
        assertThat(attempts.outcomes).containsExactly(Outcome.SUCCESS);
    }

    @Test
    void whatIsDoneWhileTheCallWaitsForAPermitIsDoneThen() {
        BulkheadPolicy queue = BulkheadPolicy.of(
                b -> b.maxConcurrentCalls(1).maxWaitingCalls(10).maxWait(Duration.ofMinutes(5)));
        Channel channel = channel(Transport.NETTY, attempts.plain(queue));
        shop.then(Received::hang, call -> call.replyWhenHalfClosed(() -> "done"));
        Heard first = list(channel);
        Received holds = shop.next();
        Heard heard = new Heard();
        CompletableFuture<Boolean> ready = new CompletableFuture<>();
        ClientCalls.asyncBidiStreamingCall(
                channel.newCall(Shop.CHAT, CallOptions.DEFAULT), new ClientResponseObserver<String, String>() {
                    @Override
                    public void beforeStart(ClientCallStreamObserver<String> stream) {
                        stream.setOnReadyHandler(() -> {
                            if (ready.complete(stream.isReady())) {
                                stream.onNext("later");
                                stream.onCompleted();
                            }
                        });
                    }

                    @Override
                    public void onNext(String value) {
                        heard.onNext(value);
                    }

                    @Override
                    public void onError(Throwable e) {
                        heard.onError(e);
                    }

                    @Override
                    public void onCompleted() {
                        heard.onCompleted();
                    }
                });
        Heard third = new Heard();
        ClientCall<String, String> waits = channel.newCall(Shop.CHAT, CallOptions.DEFAULT);
        assertThat(waits.isReady()).isFalse();
        StreamObserver<String> queued = ClientCalls.asyncBidiStreamingCall(waits, third);
        queued.onNext("1");
        queued.onNext("2");
        queued.onCompleted();
        shop.then(call -> call.replyWhenHalfClosed(() -> "third"));
        assertThat(ready).isNotDone();
        holds.reply("first");
        Shop.within(first.end);
        Shop.within(heard.end);
        assertThat(Shop.within(ready)).isTrue();
        assertThat(heard.messages).containsExactly("done");
        Shop.within(third.end);
        assertThat(third.messages).containsExactly("third");
        assertThat(shop.next().messages).containsExactly("later");
        assertThat(shop.next().messages).containsExactly("1", "2");
    }

    @Test
    void aMistakeOfTheCallerIsTheCallersAlsoWhileTheCallWaitsForAPermit() {
        BulkheadPolicy queue = BulkheadPolicy.of(
                b -> b.maxConcurrentCalls(1).maxWaitingCalls(10).maxWait(Duration.ofMinutes(5)));
        Channel channel = channel(Transport.NETTY, attempts.plain(queue));
        shop.then(Received::hang, call -> call.replyWhenHalfClosed(() -> "done"));
        Heard first = list(channel);
        Received holds = shop.next();
        Heard heard = new Heard();
        ClientCall<String, String> waits = channel.newCall(Shop.CHAT, CallOptions.DEFAULT);
        StreamObserver<String> queued = ClientCalls.asyncBidiStreamingCall(waits, heard);
        queued.onNext("1");
        queued.onCompleted();
        assertThatThrownBy(queued::onCompleted)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("call already half-closed");
        assertThatThrownBy(() -> waits.sendMessage("2"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("call was half-closed");
        holds.reply("first");
        Shop.within(first.end);
        Shop.within(heard.end);
        assertThat(heard.messages).containsExactly("done");
        assertThat(shop.next().messages).containsExactly("1");
    }

    /** Also if the server has answered all before the caller's message is sent, and the listener has not heard it yet. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theStatusSaysWhatWasThrownWhenTheCallBeganAfterItsWait(boolean isAnswered) throws InterruptedException {
        CountDownLatch answered = new CountDownLatch(isAnswered ? 1 : 0);
        CompletableFuture<Boolean> threw = new CompletableFuture<>();
        BlockingQueue<Runnable> toListener = new LinkedBlockingQueue<>();
        BulkheadPolicy queue = BulkheadPolicy.of(
                b -> b.maxConcurrentCalls(1).maxWaitingCalls(10).maxWait(Duration.ofMinutes(5)));
        Pipeline pipeline = attempts.plain(queue);
        pipelines.add(pipeline);
        ClientInterceptor inside = new ClientInterceptor() {
            @Override
            public <Q, R> ClientCall<Q, R> interceptCall(
                    MethodDescriptor<Q, R> method, CallOptions with, Channel next) {
                CallOptions watched = with.withStreamTracerFactory(new ClientStreamTracer.Factory() {
                    @Override
                    public ClientStreamTracer newClientStreamTracer(
                            ClientStreamTracer.StreamInfo info, Metadata headers) {
                        return new ClientStreamTracer() {
                            @Override
                            public void streamClosed(Status status) {
                                if (method == Shop.CHAT) {
                                    answered.countDown();
                                }
                            }
                        };
                    }
                });
                return new SimpleForwardingClientCall<>(next.newCall(method, watched)) {
                    @Override
                    public void sendMessage(Q message) {
                        if (message.equals("invalid")) {
                            Shop.await(answered);
                            threw.complete(true);
                            throw new IllegalArgumentException("no such item");
                        }
                        super.sendMessage(message);
                    }
                };
            }
        };
        Channel channel =
                shop.channel(Transport.NETTY, inside, HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline)));
        shop.then(Received::hang, isAnswered ? call -> call.reply("answer") : Received::hang);
        Heard first = list(channel);
        Received holds = shop.next();
        Heard heard = new Heard();
        ClientCalls.asyncBidiStreamingCall(
                        channel.newCall(Shop.CHAT, CallOptions.DEFAULT.withExecutor(toListener::add)), heard)
                .onNext("invalid");
        holds.reply("first");
        Shop.within(first.end);
        // The pipeline has ended the call before its listener hears anything.
        Shop.within(threw);
        assertFree(queue);
        while (!heard.end.isDone()) {
            Objects.requireNonNull(toListener.poll(1, TimeUnit.MINUTES)).run();
        }
        Status status = Shop.failure(heard.end);
        assertThat(status.getCode()).isEqualTo(Status.Code.UNKNOWN);
        assertThat(status.getDescription())
                .isEqualTo("the client threw java.lang.IllegalArgumentException: no such item");
    }

    @Test
    void whatIsCancelledWhileItWaitsForAPermitIsNeverSent() {
        BulkheadPolicy queue = BulkheadPolicy.of(
                b -> b.maxConcurrentCalls(1).maxWaitingCalls(10).maxWait(Duration.ofMinutes(5)));
        Channel channel = channel(Transport.IN_PROCESS, attempts.plain(queue));
        shop.then(Received::hang);
        Heard first = list(channel);
        Received holds = shop.next();
        ClientCall<String, String> waits = channel.newCall(Shop.CHAT, CallOptions.DEFAULT);
        Heard heard = new Heard();
        StreamObserver<String> chat = ClientCalls.asyncBidiStreamingCall(waits, heard);
        chat.onNext("never");
        waits.cancel("enough", null);
        assertThat(Shop.failure(heard.end).getDescription()).isEqualTo("enough");
        chat.onNext("ignored");
        assertThat(waits.isReady()).isFalse();
        assertThat(waits.getAttributes()).isEqualTo(Attributes.EMPTY);
        holds.reply("a");
        Shop.within(first.end);
        assertThat(shop.received).isEmpty();
        assertFree(queue);
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void messagesComeOnlyAsTheyAreAskedFor(Transport transport) {
        Channel channel = channel(transport, attempts.plain(one));
        shop.then(call -> call.reply("a", "b", "c"));
        List<String> messages = new ArrayList<>();
        CompletableFuture<String> a = new CompletableFuture<>();
        CompletableFuture<Status> closed = new CompletableFuture<>();
        ClientCall<String, String> call = channel.newCall(Shop.LIST, CallOptions.DEFAULT);
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onMessage(String message) {
                        messages.add(message);
                        a.complete(message);
                    }

                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        closed.complete(status);
                    }
                },
                new Metadata());
        call.request(1);
        call.sendMessage("x");
        call.halfClose();
        Shop.within(a);
        Shop.within(shop.next().halfClosed);
        assertThat(messages).containsExactly("a");
        assertThat(closed).isNotDone();
        call.request(5);
        assertThat(Shop.within(closed).isOk()).isTrue();
        assertThat(messages).containsExactly("a", "b", "c");
        assertThat(call.getAttributes()).isNotNull();
    }

    @Test
    void aStreamIsNeverRepeatedNorHedged() throws IOException {
        Pipeline pipeline = attempts.plain(Attempts.retry(), HedgePolicy.of(h -> h.delay(Duration.ofMillis(1))));
        Channel channel = channel(Transport.NETTY, pipeline);
        shop.always(call -> call.fail(Status.UNAVAILABLE));
        assertThat(Shop.failure(list(channel).end).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(shop.received).hasSize(1);
        try (Socket deaf = Shop.deaf()) {
            Channel refused =
                    shop.channelTo(deaf.getLocalPort(), HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline)));
            assertThat(Shop.failure(list(refused).end).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        }
        assertThat(attempts.outcomes).containsExactly(Outcome.FAILURE, Outcome.FAILURE);
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aLimitHoldsUntilTheFirstMessage(Transport transport) {
        VirtualTime time = VirtualTime.seeded(42);
        Channel channel = channel(transport, attempts.on(time, one, TimeoutPolicy.of(Duration.ofHours(1))));
        shop.then(Received::hang, call -> call.begin("first"));
        Heard struck = list(channel);
        Received hanging = shop.next();
        time.advance(Duration.ofMinutes(59));
        assertThat(struck.end).isNotDone();
        time.advance(Duration.ofMinutes(1));
        Status status = Shop.failure(struck.end);
        assertThat(status.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(status.getCause()).isInstanceOf(CallTimeoutException.class);
        Shop.within(hanging.cancelled);
        assertFree();
        // After it, the stream takes the time that it takes.
        Heard slow = list(channel);
        Received received = shop.next();
        assertThat(received.deadline).isNull();
        Shop.within(slow.first);
        assertFree();
        time.advance(Duration.ofHours(2));
        received.call.close(Status.OK, new Metadata());
        Shop.within(slow.end);
        assertThat(attempts.outcomes).containsExactly(Outcome.TIMEOUT, Outcome.SUCCESS);
        time.close();
    }

    @Test
    void theDeadlineOfTheCallIsOneOfTheWholeStream() {
        Channel channel = channel(Transport.NETTY, attempts.plain(one));
        shop.always(call -> call.begin("first"));
        Heard heard = new Heard();
        // A slow machine may need longer for the first message.
        for (int millis = 200; !attempts.outcomes.contains(Outcome.SUCCESS); millis *= 2) {
            heard = new Heard();
            ClientCalls.asyncServerStreamingCall(
                    channel.newCall(Shop.LIST, CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS)),
                    "request",
                    heard);
            assertThat(Shop.failure(heard.end).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
            assertFree();
        }
        assertThat(shop.next().deadline).isNotNull();
        assertThat(attempts.outcomes).endsWith(Outcome.SUCCESS);
        shop.received.clear();
        shop.always(Received::hang);
        Status status;
        int millis = 50;
        do {
            Heard none = new Heard();
            ClientCalls.asyncServerStreamingCall(
                    channel.newCall(Shop.LIST, CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS)),
                    "request",
                    none);
            status = Shop.failure(none.end);
            millis *= 2;
        } while (millis < 60_000 && (shop.received.isEmpty() || status.getCause() instanceof CallRejectedException));
        assertThat(status.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(status.getCause()).isInstanceOf(CallTimeoutException.class);
        assertFree();
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void whoCancelsAStreamCancelsItOnTheServer(Transport transport) {
        Channel channel = channel(transport, attempts.plain(one));
        shop.then(Received::hang, call -> call.begin("first"));
        ClientCall<String, String> before = channel.newCall(Shop.CHAT, CallOptions.DEFAULT);
        Heard heard = new Heard();
        ClientCalls.asyncBidiStreamingCall(before, heard);
        Received received = shop.next();
        before.cancel("enough", null);
        assertThat(Shop.failure(heard.end).getDescription()).isEqualTo("enough");
        Shop.within(received.cancelled);
        assertFree();
        ClientCall<String, String> after = channel.newCall(Shop.CHAT, CallOptions.DEFAULT);
        Heard begun = new Heard();
        ClientCalls.asyncBidiStreamingCall(after, begun);
        Shop.within(begun.first);
        assertFree();
        after.cancel("enough", null);
        assertThat(Shop.failure(begun.end).getDescription()).isEqualTo("enough");
        Shop.within(shop.next().cancelled);
        assertThat(attempts.outcomes).containsExactly(Outcome.CANCELLED, Outcome.SUCCESS);
        assertFree();
    }

    @Test
    void aCancelledContextEndsAStream() {
        Channel channel = channel(Transport.NETTY, attempts.plain(one));
        shop.then(Received::hang);
        Context.CancellableContext context = Context.current().withCancellation();
        Heard heard = context.supply(() -> list(channel));
        Received received = shop.next();
        context.cancel(null);
        assertThat(Shop.failure(heard.end).getCode()).isEqualTo(Status.Code.CANCELLED);
        Shop.within(received.cancelled);
        assertFree();
    }

    @Test
    void aListenerThatThrowsGivesThePermitBack() {
        Channel channel = channel(Transport.NETTY, attempts.plain(one));
        shop.then(call -> call.begin("first"));
        ClientCall<String, String> call = channel.newCall(Shop.LIST, CallOptions.DEFAULT);
        CompletableFuture<Status> closed = new CompletableFuture<>();
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onMessage(String message) {
                        throw new IllegalStateException("broken");
                    }

                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        closed.complete(status);
                    }
                },
                new Metadata());
        call.request(1);
        call.sendMessage("x");
        call.halfClose();
        assertThat(Shop.within(closed).getCause()).hasMessage("broken");
        assertFree();
    }

    @Test
    void streamsThatFailOpenTheBreakerAndAnOpenOneSendsNone() {
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.of(
                b -> b.waitDurationInOpenState(Duration.ofHours(1)).maxWaitDurationInOpenState(Duration.ofHours(1)));
        Channel channel = channel(Transport.IN_PROCESS, attempts.plain(breaker));
        shop.always(call -> call.fail(Status.UNAVAILABLE));
        while (breaker.state() == CircuitBreakerPolicy.State.CLOSED) {
            Shop.failure(list(channel).end);
        }
        shop.received.clear();
        assertThat(Shop.failure(list(channel).end).getCause()).isInstanceOf(CallRejectedException.class);
        assertThat(shop.received).isEmpty();
    }

    @Test
    void anEmptyStreamIsASuccess() {
        shop.always(call -> call.reply());
        Shop.within(list(channel(Transport.NETTY, attempts.plain(one))).end);
        assertFree();
        assertThat(attempts.outcomes).containsExactly(Outcome.SUCCESS);
    }

    @Test
    void aFallbackIsTheOnlyMessageOfAStream() {
        Channel channel = channel(Transport.NETTY, attempts.plain(FallbackPolicy.value("instead"), one));
        shop.then(call -> {
            call.begin();
            call.fail(Status.UNAVAILABLE);
        });
        List<String> events = new ArrayList<>();
        CompletableFuture<Status> closed = new CompletableFuture<>();
        ClientCall<String, String> call = channel.newCall(Shop.LIST, CallOptions.DEFAULT);
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onHeaders(Metadata headers) {
                        events.add("headers");
                    }

                    @Override
                    public void onMessage(String message) {
                        events.add(message);
                    }

                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        closed.complete(status);
                    }
                },
                new Metadata());
        call.request(1);
        call.sendMessage("x");
        call.halfClose();
        assertThat(Shop.within(closed).isOk()).isTrue();
        assertThat(events).containsExactly("headers", "instead");
        assertFree();
    }

    @Test
    void whoCancelsWhileTheFirstMessageComesHearsOneEnd() {
        Channel channel = channel(Transport.IN_PROCESS, attempts.plain(one));
        shop.always(call -> {
            call.begin("first");
            call.call.close(Status.OK, new Metadata());
        });
        for (int i = 0; i < 500; i++) {
            List<Status> ends = new CopyOnWriteArrayList<>();
            CompletableFuture<Status> closed = new CompletableFuture<>();
            ClientCall<String, String> call = channel.newCall(Shop.LIST, CallOptions.DEFAULT);
            call.start(
                    new ClientCall.Listener<>() {
                        @Override
                        public void onClose(Status status, Metadata trailers) {
                            ends.add(status);
                            closed.complete(status);
                        }
                    },
                    new Metadata());
            call.request(2);
            call.sendMessage("x");
            call.halfClose();
            Shop.within(shop.next().halfClosed);
            call.cancel("enough", null);
            Shop.within(closed);
            assertFree();
            assertThat(ends).hasSize(1);
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void anExecutorThatRunsAllAtOnceWorks(Transport transport) {
        Pipeline pipeline = attempts.plain(Attempts.retry(), one);
        pipelines.add(pipeline);
        Channel channel = shop.channel(
                transport,
                builder ->
                        builder.directExecutor().intercept(HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline))));
        shop.then(Received::unavailable);
        assertThat(Shop.within(Stub.FUTURE.call(channel, Shop.GET))).isEqualTo("answer");
        assertThat(Shop.within(Stub.BLOCKING.call(channel, Shop.GET))).isEqualTo("answer");
        Shop.within(list(channel).end);
        shop.then(call -> call.replyWhenHalfClosed(() -> String.join("+", call.messages)));
        Heard heard = new Heard();
        StreamObserver<String> chat =
                ClientCalls.asyncBidiStreamingCall(channel.newCall(Shop.CHAT, CallOptions.DEFAULT), heard);
        chat.onNext("a");
        chat.onNext("b");
        chat.onCompleted();
        Shop.within(heard.end);
        assertThat(heard.messages).containsExactly("a+b");
        assertFree();
    }

    /** Hears of one stream. */
    private static class Hears extends ClientCall.Listener<String> {
        final List<String> events = new CopyOnWriteArrayList<>();
        final CompletableFuture<String> first = new CompletableFuture<>();
        final CompletableFuture<Status> closed = new CompletableFuture<>();

        @Override
        public void onHeaders(Metadata headers) {
            events.add("headers");
        }

        @Override
        public void onMessage(String message) {
            events.add(message);
            first.complete(message);
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            events.add("close " + status.getCode());
            closed.complete(status);
        }
    }

    private static <L extends Hears> L sent(ClientCall<String, String> call, L hears) {
        call.start(hears, new Metadata());
        call.request(10);
        call.sendMessage("request");
        call.halfClose();
        return hears;
    }

    /** A limit has struck, and what it means waits for a thread. */
    private Runnable struck(Hears hears, Policy... outside) {
        List<Runnable> tasks = new ArrayList<>();
        VirtualTime time = new VirtualTime();
        List<Policy> policies = new ArrayList<>(List.of(outside));
        policies.add(TimeoutPolicy.of(Duration.ofMillis(50)));
        policies.add(one);
        Pipeline pipeline = Pipeline.builder("shop")
                .policies(policies)
                .observer(attempts)
                .time(time)
                .executor(tasks::add)
                .build();
        shop.then(Received::hang);
        sent(channel(Transport.IN_PROCESS, pipeline).newCall(Shop.LIST, CallOptions.DEFAULT), hears);
        time.advance(Duration.ofMillis(60));
        return tasks.get(0);
    }

    @Test
    void aLimitThatStruckBeforeTheFirstMessageIsToldAsOne() {
        Hears hears = new Hears();
        Runnable end = struck(hears);
        shop.next().begin("first");
        Shop.within(hears.first);
        end.run();
        assertThat(Shop.within(hears.closed).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(hears.events).containsExactly("headers", "first", "close DEADLINE_EXCEEDED");
        assertFree();
    }

    @Test
    void aFallbackDoesNotEndAStreamWhoseFirstMessageWasHeard() {
        Hears hears = new Hears();
        Runnable end = struck(hears, FallbackPolicy.value("instead"));
        Received received = shop.next();
        received.begin("first");
        Shop.within(hears.first);
        end.run();
        received.call.sendMessage("second");
        received.call.close(Status.OK, new Metadata());
        Shop.within(hears.closed);
        assertThat(hears.events).containsExactly("headers", "first", "second", "close OK");
        assertFree();
    }

    /** A limit strikes, and a fallback answers, while the listener of a stream is in its onReady, which then ends so. */
    private Hears struckInOnReady(Consumer<Received> server, Runnable endOfOnReady) {
        CountDownLatch ready = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        VirtualTime time = new VirtualTime();
        Pipeline pipeline = attempts.on(time, FallbackPolicy.value("instead"), TimeoutPolicy.of(Duration.ofMillis(50)));
        shop.then(Received::hang);
        Hears hears =
                sent(channel(Transport.IN_PROCESS, pipeline).newCall(Shop.CHAT, CallOptions.DEFAULT), new Hears() {
                    @Override
                    public void onReady() {
                        ready.countDown();
                        Shop.await(goOn);
                        endOfOnReady.run();
                    }
                });
        Shop.await(ready);
        Received received = shop.next();
        Shop.within(received.halfClosed);
        server.accept(received); // not sooner: headers that come before the caller asks for a message are the response
        time.advance(Duration.ofMillis(60));
        Shop.within(received.cancelled);
        goOn.countDown();
        return hears;
    }

    @Test
    void aFallbackHasHeadersAlsoIfThoseOfTheStreamCameTooLate() {
        Hears hears = struckInOnReady(Received::begin, () -> {});
        Shop.within(hears.closed);
        assertThat(hears.events).containsExactly("headers", "instead", "close OK");
    }

    @Test
    void aListenerThatThrowsHearsOfItAlsoIfALimitHasStruckMeanwhile() {
        Hears hears = struckInOnReady(Received::hang, () -> {
            throw new IllegalStateException("broken");
        });
        assertThat(Shop.within(hears.closed).getCause()).hasMessage("broken");
        assertThat(hears.events).containsExactly("close CANCELLED");
    }

    /** A call of which nothing can be sent. Its listener hears on a thread of its own. */
    private static final class Broken extends ClientCall<String, String> {
        final ExecutorService transport = Executors.newSingleThreadExecutor();
        Runnable started = () -> {};
        private Listener<String> hears = new Listener<>() {};

        @Override
        public void start(Listener<String> listener, Metadata headers) {
            hears = listener;
            transport.execute(listener::onReady);
            started.run();
        }

        @Override
        public void request(int number) {}

        @Override
        public void cancel(@Nullable String message, @Nullable Throwable cause) {
            transport.execute(() -> hears.onClose(Status.CANCELLED, new Metadata()));
        }

        @Override
        public void halfClose() {}

        @Override
        public void sendMessage(String message) {
            throw new IllegalStateException("nothing can be sent");
        }
    }

    /** A call of the pipeline with this one inside. */
    private static ClientCall<String, String> around(
            ClientCall<String, String> inside, Pipeline pipeline, CallOptions options) {
        return HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline))
                .interceptCall(Shop.CHAT, options, new Channel() {
                    @Override
                    @SuppressWarnings("unchecked") // of strings
                    public <Q, R> ClientCall<Q, R> newCall(MethodDescriptor<Q, R> method, CallOptions of) {
                        return (ClientCall<Q, R>) inside;
                    }

                    @Override
                    public String authority() {
                        return "shop";
                    }
                });
    }

    @Test
    void theEndOfAStreamThatCannotBeSentIsHeardAfterWhatIsHeardNow() {
        CountDownLatch ready = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Broken broken = new Broken();
        Pipeline pipeline = attempts.plain(one);
        pipelines.add(pipeline);
        ClientCall<String, String> call = around(broken, pipeline, CallOptions.DEFAULT.withExecutor(Runnable::run));
        broken.started = () -> {
            Shop.await(ready);
            call.sendMessage("x");
        };
        Hears hears = new Hears() {
            @Override
            public void onReady() {
                ready.countDown();
                Shop.await(goOn);
                events.add("ready");
            }
        };
        call.start(hears, new Metadata());
        assertThat(hears.events).isEmpty();
        goOn.countDown();
        Shop.within(hears.closed);
        assertThat(hears.events).first().isEqualTo("ready");
        assertThat(hears.events).hasSize(2);
        assertFree();
        broken.transport.shutdown();
    }

    /** A call whose end never comes by itself, as of an interceptor that waits for a token, or whose executor refuses. */
    private static class Endless extends ClientCall<String, String> {
        Listener<String> hears = new Listener<>() {};
        final CompletableFuture<Boolean> cancelled = new CompletableFuture<>();

        @Override
        public void start(Listener<String> listener, Metadata headers) {
            hears = listener;
        }

        @Override
        public void request(int number) {
            if (number == Integer.MAX_VALUE) {
                throw new IllegalStateException("Not started");
            }
        }

        @Override
        public void cancel(@Nullable String message, @Nullable Throwable cause) {
            cancelled.complete(true);
        }

        @Override
        public void halfClose() {}

        @Override
        public void sendMessage(String message) {}

        /** Late, and in vain. */
        void endsAfterAll() {
            Shop.within(cancelled);
            hears.onReady();
            hears.onHeaders(new Metadata());
            hears.onMessage("late");
            hears.onClose(Status.OK, new Metadata());
        }
    }

    private enum Where implements Executor {
        HERE {
            @Override
            public void execute(Runnable task) {
                task.run();
            }
        },
        NOWHERE {
            @Override
            public void execute(Runnable task) {
                throw new RejectedExecutionException("full");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Where.class)
    void aLimitEndsAStreamWhoseCallInsideNeverEnds(Where executor) {
        VirtualTime time = new VirtualTime();
        Endless endless = new Endless();
        Pipeline pipeline = attempts.on(time, one, TimeoutPolicy.of(Duration.ofHours(1)));
        pipelines.add(pipeline);
        Hears hears = sent(around(endless, pipeline, CallOptions.DEFAULT.withExecutor(executor)), new Hears());
        time.advance(Duration.ofHours(2));
        Status end = Shop.within(hears.closed);
        assertThat(end.getCause()).isInstanceOf(CallTimeoutException.class);
        endless.endsAfterAll();
        assertThat(hears.events).containsExactly("close DEADLINE_EXCEEDED");
        assertThat(attempts.outcomes).containsExactly(Outcome.TIMEOUT);
        assertFree();
        time.close();
    }

    /** The pipeline's own limit is to be told then, and a success of the pipeline would take it away. */
    @Test
    void afterTheDeadlineOfTheCallInsideNoResponseBegins() {
        VirtualTime time = new VirtualTime();
        Endless endless = new Endless();
        Pipeline pipeline = attempts.on(time, one, TimeoutPolicy.of(Duration.ofHours(1)));
        pipelines.add(pipeline);
        Hears hears = sent(around(endless, pipeline, CallOptions.DEFAULT), new Hears());
        time.advance(Duration.ofHours(1).minusMillis(1));
        endless.hears.onClose(Status.DEADLINE_EXCEEDED, new Metadata());
        endless.hears.onMessage("late");
        time.advance(Duration.ofHours(1));
        assertThat(Shop.within(hears.closed).getCause()).isInstanceOf(CallTimeoutException.class);
        assertThat(hears.events).containsExactly("close DEADLINE_EXCEEDED");
        assertThat(attempts.outcomes).containsExactly(Outcome.TIMEOUT);
        assertFree();
        time.close();
    }

    @Test
    void aFallbackAnswersForAStreamWhoseCallInsideNeverEnds() {
        VirtualTime time = new VirtualTime();
        Endless endless = new Endless();
        Pipeline pipeline =
                attempts.on(time, FallbackPolicy.value("instead"), one, TimeoutPolicy.of(Duration.ofHours(1)));
        pipelines.add(pipeline);
        Hears hears = sent(around(endless, pipeline, CallOptions.DEFAULT), new Hears());
        time.advance(Duration.ofHours(2));
        Shop.within(hears.closed);
        endless.endsAfterAll();
        assertThat(hears.events).containsExactly("headers", "instead", "close OK");
        assertFree();
        time.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whoCancelsAStreamWhoseCallInsideNeverEndsHearsOfIt(boolean hasBegun) {
        Endless endless = new Endless();
        Pipeline pipeline = attempts.plain(one);
        pipelines.add(pipeline);
        ClientCall<String, String> call = around(endless, pipeline, CallOptions.DEFAULT);
        Hears hears = sent(call, new Hears());
        if (hasBegun) {
            endless.hears.onHeaders(new Metadata());
            endless.hears.onMessage("first");
            endless.hears.onMessage("second");
        }
        call.cancel("enough", null);
        assertThat(Shop.within(hears.closed).getDescription()).isEqualTo("enough");
        endless.endsAfterAll();
        assertThat(hears.events)
                .containsExactlyElementsOf(
                        hasBegun
                                ? List.of("headers", "first", "second", "close CANCELLED")
                                : List.of("close CANCELLED"));
        assertThat(attempts.outcomes).containsExactly(hasBegun ? Outcome.SUCCESS : Outcome.CANCELLED);
        assertFree();
    }

    @Test
    void theEndOfAStreamComesAfterTheMessageThatItsListenerHearsNow() {
        CountDownLatch inMessage = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Endless endless = new Endless();
        Pipeline pipeline = attempts.plain(one);
        pipelines.add(pipeline);
        ClientCall<String, String> call = around(endless, pipeline, CallOptions.DEFAULT.withExecutor(Runnable::run));
        Hears hears = sent(call, new Hears() {
            @Override
            public void onMessage(String message) {
                inMessage.countDown();
                Shop.await(goOn);
                super.onMessage(message);
            }
        });
        CompletableFuture<Void> transport = CompletableFuture.runAsync(() -> {
            endless.hears.onMessage("first");
            endless.hears.onMessage("second");
        });
        Shop.await(inMessage);
        call.cancel("enough", null);
        assertThat(hears.events).isEmpty();
        goOn.countDown();
        Shop.within(transport);
        assertThat(hears.events).containsExactly("first", "close CANCELLED");
    }

    /** A blocking stub's executor runs nothing after the end. */
    @Test
    void whatIsLeftOfAStreamAfterItsEndDoesNotNeedItsExecutor() throws Exception {
        CompletableFuture<Executor> ofInside = new CompletableFuture<>();
        ClientInterceptor inside = new ClientInterceptor() {
            @Override
            public <Q, R> ClientCall<Q, R> interceptCall(
                    MethodDescriptor<Q, R> method, CallOptions with, Channel next) {
                ofInside.complete(Objects.requireNonNull(with.getExecutor()));
                return next.newCall(method, with);
            }
        };
        Pipeline pipeline = attempts.plain(one);
        pipelines.add(pipeline);
        Channel channel =
                shop.channel(Transport.IN_PROCESS, inside, HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline)));
        shop.then(Received::hang);
        Later later = new Later();
        ClientCall<String, String> call = channel.newCall(Shop.LIST, CallOptions.DEFAULT.withExecutor(later));
        Hears hears = sent(call, new Hears());
        Executor executor = Shop.within(ofInside);
        call.cancel("enough", null);
        assertThat(later.tasks).isNotEmpty();
        later.runUntil(hears.closed);
        later.tasks.clear();
        CompletableFuture<Boolean> cleared = new CompletableFuture<>();
        executor.execute(() -> cleared.complete(true));
        Shop.within(cleared);
        assertThat(later.tasks).isEmpty();
    }

    /** What it has kept is sent, and its listener, which hears the first message meanwhile, cancels it. */
    @Test
    void whoCancelsAStreamThatIsStillBeingSentHearsOfIt() {
        BulkheadPolicy queue = BulkheadPolicy.of(
                b -> b.maxConcurrentCalls(1).maxWaitingCalls(10).maxWait(Duration.ofMinutes(5)));
        Pipeline pipeline = attempts.plain(queue);
        pipelines.add(pipeline);
        Endless before = new Endless();
        sent(around(before, pipeline, CallOptions.DEFAULT), new Hears());
        CompletableFuture<Boolean> sent = new CompletableFuture<>();
        Endless answers = new Endless() {
            @Override
            public void sendMessage(String message) {
                hears.onHeaders(new Metadata());
                hears.onMessage("answer");
                sent.complete(true);
            }

            @Override
            public void halfClose() {
                throw new IllegalStateException("call was cancelled");
            }
        };
        ClientCall<String, String> call = around(answers, pipeline, CallOptions.DEFAULT);
        Hears hears = sent(call, new Hears() {
            @Override
            public void onMessage(String message) {
                super.onMessage(message);
                call.cancel("enough", null);
            }
        });
        before.hears.onMessage("it begins");
        Shop.within(sent);
        assertFree(queue);
        answers.hears.onClose(Status.CANCELLED, new Metadata());
        assertThat(Shop.within(hears.closed).getDescription()).isEqualTo("enough");
        assertThat(hears.events).containsExactly("headers", "answer", "close CANCELLED");
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void whoCancelsAStreamWhoseMessagesWaitHearsOfIt(Transport transport) {
        CompletableFuture<Boolean> replied = new CompletableFuture<>();
        shop.then(call -> {
            call.reply("a", "b", "c");
            replied.complete(true);
        });
        Hears hears = new Hears();
        ClientCall<String, String> call =
                channel(transport, attempts.plain(one)).newCall(Shop.LIST, CallOptions.DEFAULT);
        call.start(hears, new Metadata());
        call.request(1);
        call.sendMessage("request");
        call.halfClose();
        Shop.within(replied);
        Shop.within(hears.first);
        call.cancel("enough", null);
        assertThat(Shop.within(hears.closed).getDescription()).isEqualTo("enough");
        assertThat(hears.events).containsExactly("headers", "a", "close CANCELLED");
        assertThat(attempts.outcomes).containsExactly(Outcome.SUCCESS);
        assertFree();
    }

    /** gRPC's transport within a process does not end by itself a stream whose messages wait. */
    @ParameterizedTest
    @EnumSource(Transport.class)
    void aListenerThatThrowsHearsOfItAlsoIfMessagesWait(Transport transport) {
        CompletableFuture<Boolean> replied = new CompletableFuture<>();
        shop.then(call -> {
            call.reply("a", "b", "c");
            replied.complete(true);
        });
        Hears hears = new Hears() {
            @Override
            public void onMessage(String message) {
                super.onMessage(message);
                Shop.within(replied);
                throw new IllegalStateException("broken");
            }
        };
        ClientCall<String, String> call =
                channel(transport, attempts.plain(one)).newCall(Shop.LIST, CallOptions.DEFAULT);
        call.start(hears, new Metadata());
        call.request(1);
        call.sendMessage("request");
        call.halfClose();
        assertThat(Shop.within(hears.closed).getCause()).hasMessage("broken");
        assertThat(hears.events).containsExactly("headers", "a", "close CANCELLED");
        assertFree();
    }

    @Test
    void whatIsSentAfterItsContextWasCancelledIsIgnored() {
        Channel channel = channel(Transport.IN_PROCESS, attempts.plain(one));
        shop.then(Received::begin);
        Hears hears = new Hears();
        try (Context.CancellableContext context = Context.current().withCancellation()) {
            Context before = context.attach();
            ClientCall<String, String> chat = channel.newCall(Shop.CHAT, CallOptions.DEFAULT);
            context.detach(before);
            chat.start(hears, new Metadata());
            chat.sendMessage("one");
            context.cancel(null);
            Shop.within(hears.closed);
            chat.sendMessage("two");
            chat.halfClose();
        }
        assertThat(hears.events).last().isEqualTo("close CANCELLED");
        assertFree();
    }

    @Test
    void streamsMayBeLeftOut() {
        Pipeline pipeline = attempts.plain(one);
        pipelines.add(pipeline);
        Channel channel = shop.channel(
                Transport.IN_PROCESS,
                HoldfastClientInterceptor.of(
                        GrpcPipelines.one(pipeline), o -> o.streams(method -> method != Shop.LIST)));
        Shop.within(list(channel).end);
        assertThat(attempts.outcomes).isEmpty();
        assertThat(Shop.within(Stub.FUTURE.call(channel, Shop.GET))).isEqualTo("answer");
        assertThat(attempts.outcomes).hasSize(1);
    }
}
