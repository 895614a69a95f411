/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Deadline;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.grpc.Shop.Stub;
import dev.holdfast.grpc.Shop.Transport;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.time.VirtualTime;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a call that comes in binds, and where. */
class HoldfastServerInterceptorTest {
    private static final Duration MOST = Duration.ofMinutes(10);

    private final Attempts attempts = new Attempts();
    private final List<AutoCloseable> closed = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : closed) {
            each.close();
        }
    }

    private <T extends AutoCloseable> T open(T resource) {
        closed.add(0, resource);
        return resource;
    }

    private static HoldfastServerInterceptor bounded() {
        return HoldfastServerInterceptor.of(CallHeaders.of(h -> h.maxTimeout(MOST)));
    }

    private static ClientInterceptor attempt(String number) {
        Metadata headers = new Metadata();
        headers.put(Shop.ATTEMPT, number);
        return MetadataUtils.newAttachHeadersInterceptor(headers);
    }

    private static CallOptions within(Duration time) {
        return CallOptions.DEFAULT.withDeadlineAfter(time.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** What is bound when a handler answers. */
    private @Nullable Duration left(Transport transport, CallOptions options) {
        Shop shop = open(new Shop(bounded()));
        CompletableFuture<Duration> left = new CompletableFuture<>();
        shop.always(call -> {
            left.complete(Deadline.remaining().orElse(Duration.ZERO));
            call.reply("answer");
        });
        Shop.within(Stub.FUTURE.call(shop.channel(transport), Shop.GET, options, "x"));
        return Shop.within(left);
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void theDeadlineOfTheCallIsBoundAndBelievedOnlySoFar(Transport transport) {
        assertThat(left(transport, within(Duration.ofMinutes(5))))
                .isBetween(Duration.ofMinutes(4), Duration.ofMinutes(5));
        assertThat(left(transport, within(Duration.ofSeconds(90))))
                .isBetween(Duration.ofSeconds(30), Duration.ofSeconds(90));
        assertThat(left(transport, within(Duration.ofDays(3)))).isBetween(Duration.ofMinutes(9), MOST);
        assertThat(left(transport, CallOptions.DEFAULT)).isZero();
    }

    @Test
    void itIsBoundInEachMethodOfTheListener() {
        Map<String, Duration> heard = new ConcurrentHashMap<>();
        Map<String, Duration> outside = new ConcurrentHashMap<>();
        CompletableFuture<?> completed = new CompletableFuture<>();
        CompletableFuture<?> cancelled = new CompletableFuture<>();
        ServerInterceptor notes = new ServerInterceptor() {
            @Override
            public <Q, R> ServerCall.Listener<Q> interceptCall(
                    ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
                note("start");
                call.request(2);
                return new ServerCall.Listener<>() {
                    @Override
                    public void onMessage(Q message) {
                        note("message");
                    }

                    @Override
                    @SuppressWarnings("unchecked")
                    public void onHalfClose() {
                        note("half close");
                        call.sendHeaders(new Metadata());
                        call.sendMessage((R) "answer");
                        if (call.getMethodDescriptor().getFullMethodName().endsWith("Get")) {
                            call.close(Status.OK, new Metadata());
                        }
                    }

                    @Override
                    public void onReady() {
                        note("ready");
                    }

                    @Override
                    public void onComplete() {
                        note("complete");
                        completed.complete(null);
                    }

                    @Override
                    public void onCancel() {
                        note("cancel");
                        cancelled.complete(null);
                    }
                };
            }

            private void note(String event) {
                heard.put(event, Deadline.remaining().orElse(Duration.ZERO));
            }
        };
        ServerInterceptor around = new ServerInterceptor() {
            @Override
            public <Q, R> ServerCall.Listener<Q> interceptCall(
                    ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
                ServerCall.Listener<Q> listener = next.startCall(call, headers);
                outside.put("after", Deadline.remaining().orElse(Duration.ZERO));
                return listener;
            }
        };
        // The last one is the outermost.
        Shop shop = open(new Shop(notes, bounded(), around));
        Channel channel = shop.channel(Transport.NETTY);
        Shop.within(Stub.FUTURE.call(channel, Shop.GET, within(Duration.ofMinutes(5)), "x"));
        Shop.within(completed);
        var call = channel.newCall(Shop.LIST, within(Duration.ofMinutes(5)));
        Shop.Heard answers = new Shop.Heard();
        ClientCalls.asyncServerStreamingCall(call, "x", answers);
        Shop.within(answers.first);
        call.cancel("enough", null);
        Shop.within(cancelled);
        assertThat(heard).containsOnlyKeys("start", "message", "half close", "ready", "complete", "cancel");
        assertThat(heard.values())
                .allSatisfy(left -> assertThat(left).isBetween(Duration.ofMinutes(4), Duration.ofMinutes(5)));
        assertThat(outside).containsEntry("after", Duration.ZERO);
    }

    @Test
    void withoutTimeLeftTheHandlerDoesNotRun() {
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
        AtomicInteger handled = new AtomicInteger();
        ServerInterceptor over = new ServerInterceptor() {
            @Override
            public <Q, R> ServerCall.Listener<Q> interceptCall(
                    ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
                Context.CancellableContext context =
                        Context.current().withDeadline(io.grpc.Deadline.after(-1, TimeUnit.SECONDS), timer);
                return Contexts.interceptCall(context, call, headers, next);
            }
        };
        Shop shop = open(new Shop(HoldfastServerInterceptor.ofDefaults(), over));
        shop.always(call -> handled.incrementAndGet());
        Status status = Shop.failure(Stub.BLOCKING.call(shop.channel(Transport.IN_PROCESS), Shop.GET));
        assertThat(status.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(status.getDescription()).contains("no time left");
        assertThat(handled).hasValue(0);
        timer.shutdownNow();
    }

    /** Its task waits four minutes in the queue. */
    private static ServerInterceptor queue(CallHeaders headers, VirtualTime time) {
        Executor queued = headers.queued(task -> {
            time.advance(Duration.ofMinutes(4));
            task.run();
        });
        return new ServerInterceptor() {
            @Override
            public <Q, R> ServerCall.Listener<Q> interceptCall(
                    ServerCall<Q, R> call, Metadata received, ServerCallHandler<Q, R> next) {
                AtomicReference<ServerCall.@Nullable Listener<Q>> listener = new AtomicReference<>();
                queued.execute(() -> listener.set(next.startCall(call, received)));
                return Objects.requireNonNull(listener.get());
            }
        };
    }

    @Test
    void aWaitInTheQueueShortensWhatAHeaderSaysAndNotTheDeadlineOfTheContext() {
        VirtualTime time = new VirtualTime();
        CallHeaders headers = CallHeaders.of(h -> h.time(time));
        Shop shop = open(new Shop(HoldfastServerInterceptor.of(headers), queue(headers, time)));
        shop.always(call -> call.reply(
                Long.toString(Deadline.remaining().orElse(Duration.ZERO).toSeconds())));
        Channel plain = shop.channel(Transport.IN_PROCESS);
        assertThat(Integer.parseInt(Shop.within(Stub.FUTURE.call(plain, Shop.GET, within(Duration.ofMinutes(3)), "x"))))
                .isBetween(120, 180);
        Metadata told = new Metadata();
        told.put(Shop.key("holdfast-timeout-ms"), "290000");
        Channel with = shop.channel(Transport.IN_PROCESS, MetadataUtils.newAttachHeadersInterceptor(told));
        assertThat(Shop.within(Stub.FUTURE.call(with, Shop.GET, within(Duration.ofMinutes(5)), "x")))
                .isEqualTo("50");
    }

    /** Tells what holds in each method of its handler, after which so much time passes. */
    private static final class Telling implements ServerInterceptor {
        final BlockingQueue<String> told = new LinkedBlockingQueue<>();
        private final VirtualTime time;
        private final Duration passes;

        Telling(VirtualTime time, Duration passes) {
            this.time = time;
            this.passes = passes;
        }

        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            tell("start");
            call.request(100);
            return new ServerCall.Listener<>() {
                @Override
                public void onMessage(Q message) {
                    tell("message");
                }

                @Override
                public void onHalfClose() {
                    tell("half close");
                    call.close(Status.UNKNOWN, new Metadata());
                }
            };
        }

        private void tell(String event) {
            Map<String, String> written = new HashMap<>();
            CallHeaders.of(h -> h.time(time)).write(written::put);
            String attempt = written.get("Holdfast-Attempt");
            told.add(event + " " + written.get("Holdfast-Timeout-Ms") + (attempt == null ? "" : " in " + attempt));
            time.advance(passes);
        }

        List<String> all(int number) throws InterruptedException {
            List<String> all = new ArrayList<>();
            for (int i = 0; i < number; i++) {
                all.add(Objects.requireNonNull(told.poll(1, TimeUnit.MINUTES), "nothing came"));
            }
            return all;
        }
    }

    private List<String> told(
            Telling telling, CallHeaders headers, MethodDescriptor<String, String> method, Metadata with, int messages)
            throws InterruptedException {
        Shop shop = open(new Shop(telling, HoldfastServerInterceptor.of(headers)));
        ClientCall<String, String> call =
                shop.channel(Transport.IN_PROCESS).newCall(method, within(Duration.ofMinutes(5)));
        call.start(new ClientCall.Listener<>() {}, with);
        call.request(2);
        for (int i = 0; i < messages; i++) {
            call.sendMessage("x");
        }
        call.halfClose();
        return telling.all(messages + 2);
    }

    private static Metadata metadata(Map<String, String> values) {
        Metadata metadata = new Metadata();
        values.forEach((name, value) -> metadata.put(Shop.key(name), value));
        return metadata;
    }

    private static Stream<MethodDescriptor<String, String>> streamsOfRequests() {
        return Stream.of(Shop.UPLOAD, Shop.CHAT);
    }

    @ParameterizedTest
    @MethodSource("streamsOfRequests")
    void eachMessageOfAStreamHasTheWholeMaximum(MethodDescriptor<String, String> method) throws InterruptedException {
        VirtualTime time = new VirtualTime();
        Telling telling = new Telling(time, Duration.ofMillis(700));
        CallHeaders headers = CallHeaders.of(h -> h.time(time).maxTimeout(Duration.ofSeconds(1)));
        assertThat(told(telling, headers, method, new Metadata(), 3))
                .containsExactly("start 1000", "message 1000", "message 1000", "message 1000", "half close 1000");
    }

    @Test
    void oneRequestHasTheMaximumOnce() throws InterruptedException {
        VirtualTime time = new VirtualTime();
        CallHeaders headers = CallHeaders.of(h -> h.time(time).maxTimeout(Duration.ofSeconds(1)));
        for (MethodDescriptor<String, String> method : List.of(Shop.GET, Shop.LIST)) {
            assertThat(told(new Telling(time, Duration.ofMillis(300)), headers, method, new Metadata(), 1))
                    .containsExactly("start 1000", "message 700", "half close 400");
        }
    }

    @ParameterizedTest
    @MethodSource("streamsOfRequests")
    void whatAHeaderLeavesAStreamRunsFromItsBeginning(MethodDescriptor<String, String> method)
            throws InterruptedException {
        VirtualTime time = new VirtualTime();
        Telling telling = new Telling(time, Duration.ofMillis(800));
        CallHeaders headers = CallHeaders.of(h -> h.time(time).maxTimeout(Duration.ofSeconds(1)));
        Metadata with = metadata(Map.of("holdfast-timeout-ms", "2500"));
        assertThat(told(telling, headers, method, with, 4))
                .containsExactly(
                        "start 1000", "message 1000", "message 900", "message 100", "message 0", "half close 0");
    }

    @Test
    void whatAHeaderLeavesAStreamHasItsWaitInTheQueueTakenOffOnce() throws InterruptedException {
        VirtualTime time = new VirtualTime();
        Telling telling = new Telling(time, Duration.ofSeconds(10));
        CallHeaders headers = CallHeaders.of(h -> h.time(time));
        Shop shop = open(new Shop(telling, HoldfastServerInterceptor.of(headers), queue(headers, time)));
        ClientCall<String, String> call =
                shop.channel(Transport.IN_PROCESS).newCall(Shop.CHAT, within(Duration.ofMinutes(5)));
        call.start(new ClientCall.Listener<>() {}, metadata(Map.of("holdfast-timeout-ms", "290000")));
        call.sendMessage("x");
        call.sendMessage("y");
        assertThat(telling.all(3)).containsExactly("start 50000", "message 40000", "message 30000");
    }

    @Test
    void ofAStreamTheFirstMessageIsOfTheAttemptAndTheAnswerToAll() throws InterruptedException {
        VirtualTime time = new VirtualTime();
        CallHeaders headers = CallHeaders.of(h -> h.time(time).maxTimeout(Duration.ofSeconds(1)));
        Metadata with = metadata(Map.of("holdfast-attempt", "2"));
        assertThat(told(new Telling(time, Duration.ZERO), headers, Shop.CHAT, with, 3))
                .containsExactly(
                        "start 1000 in 2", "message 1000 in 2", "message 1000", "message 1000", "half close 1000");
        assertThat(told(new Telling(time, Duration.ZERO), headers, Shop.UPLOAD, with, 3))
                .containsExactly(
                        "start 1000 in 2", "message 1000 in 2", "message 1000", "message 1000", "half close 1000 in 2");
        assertThat(told(new Telling(time, Duration.ZERO), headers, Shop.LIST, with, 1))
                .containsExactly("start 1000 in 2", "message 1000 in 2", "half close 1000 in 2");
    }

    private static CompletableFuture<String> called(Stub stub, Channel channel) {
        if (stub != Stub.BLOCKING) {
            return stub.call(channel, Shop.GET);
        }
        try {
            return CompletableFuture.completedFuture(
                    ClientCalls.blockingUnaryCall(channel, Shop.GET, CallOptions.DEFAULT, "x"));
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @ParameterizedTest
    @EnumSource(Stub.class)
    void whatAHandlerCallsInheritsDeadlineAndAttempt(Stub stub) {
        Shop behind = open(new Shop());
        Pipeline pipeline = open(attempts.retrying());
        Channel on = behind.channel(Transport.NETTY, HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline)));
        Shop front = open(new Shop(bounded()));
        front.always(call -> {
            var unused = called(stub, on).whenComplete((value, error) -> {
                if (error == null) {
                    call.reply(value);
                } else {
                    call.fail(Status.fromThrowable(error));
                }
            });
        });
        behind.then(call -> call.fail(Status.UNAVAILABLE));
        Channel retrying = front.channel(Transport.NETTY, attempt("2"));
        // A retry inside a retry is none.
        assertThat(Shop.failure(Stub.FUTURE.call(retrying, Shop.GET, within(Duration.ofDays(1)), "x"))
                        .getCode())
                .isEqualTo(Status.Code.UNAVAILABLE);
        Shop.Received received = behind.next();
        assertThat(received.headers.get(Shop.ATTEMPT)).isEqualTo("2");
        assertThat(Objects.requireNonNull(received.deadline).timeRemaining(TimeUnit.MINUTES))
                .isBetween(5L, 10L);
        behind.then(call -> call.fail(Status.UNAVAILABLE));
        Channel first = front.channel(Transport.NETTY, attempt("1"));
        assertThat(Shop.within(Stub.FUTURE.call(first, Shop.GET))).isEqualTo("answer");
        assertThat(attempts.outcomes).containsExactly(Outcome.FAILURE, Outcome.FAILURE, Outcome.SUCCESS);
    }

    @Test
    void anAttemptThatIsNoNumberChangesNothing() {
        Shop shop = open(new Shop(bounded()));
        shop.always(call -> call.reply(Deadline.Binding.current() == null ? "nothing" : "something"));
        for (String number : List.of("", "x", "-1", "9".repeat(100))) {
            Channel channel = shop.channel(Transport.IN_PROCESS, attempt(number));
            assertThat(Shop.within(Stub.FUTURE.call(channel, Shop.GET))).isEqualTo("nothing");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"x!attempt", "x-attempt-bin"})
    void aNameThatIsNoneOfMetadataIsRefusedAtTheStart(String name) {
        CallHeaders headers = CallHeaders.of(h -> h.attempt(name));
        assertThatThrownBy(() -> HoldfastServerInterceptor.of(headers))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(name);
        assertThatThrownBy(() -> HoldfastClientInterceptor.of(
                        PipelinePerService.standard("shops"), options -> options.headers(headers)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(name);
    }
}
