/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor.DiscardPolicy;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A server of gRPC that answers as a test tells it, with channels to it. */
final class Shop implements AutoCloseable {
    static final MethodDescriptor<String, String> GET =
            method(MethodType.UNARY, "Get").setIdempotent(true).build();
    static final MethodDescriptor<String, String> READ =
            method(MethodType.UNARY, "Read").setIdempotent(true).setSafe(true).build();
    static final MethodDescriptor<String, String> PUT =
            method(MethodType.UNARY, "Put").build();
    static final MethodDescriptor<String, String> LIST =
            method(MethodType.SERVER_STREAMING, "List").setIdempotent(true).build();
    static final MethodDescriptor<String, String> UPLOAD =
            method(MethodType.CLIENT_STREAMING, "Upload").build();
    static final MethodDescriptor<String, String> CHAT =
            method(MethodType.BIDI_STREAMING, "Chat").build();

    static final Metadata.Key<String> ATTEMPT = key("holdfast-attempt");

    /** How a channel gets to the server. */
    enum Transport {
        IN_PROCESS,
        NETTY
    }

    /** How a caller makes a unary call. */
    enum Stub {
        BLOCKING {
            @Override
            CompletableFuture<String> call(
                    Channel channel, MethodDescriptor<String, String> method, CallOptions options, String request) {
                CompletableFuture<String> answer = new CompletableFuture<>();
                Context here = Context.current();
                var unused = CALLERS.submit(here.wrap(() -> {
                    try {
                        answer.complete(ClientCalls.blockingUnaryCall(channel, method, options, request));
                    } catch (Throwable e) {
                        answer.completeExceptionally(e);
                    }
                }));
                return answer;
            }
        },
        FUTURE {
            @Override
            CompletableFuture<String> call(
                    Channel channel, MethodDescriptor<String, String> method, CallOptions options, String request) {
                var future = ClientCalls.futureUnaryCall(channel.newCall(method, options), request);
                CompletableFuture<String> answer = new CompletableFuture<>();
                future.addListener(
                        () -> {
                            try {
                                answer.complete(future.get());
                            } catch (ExecutionException e) {
                                answer.completeExceptionally(Objects.requireNonNull(e.getCause()));
                            } catch (Throwable e) {
                                answer.completeExceptionally(e);
                            }
                        },
                        Runnable::run);
                return answer;
            }
        },
        OBSERVER {
            @Override
            CompletableFuture<String> call(
                    Channel channel, MethodDescriptor<String, String> method, CallOptions options, String request) {
                Heard heard = new Heard();
                ClientCalls.asyncUnaryCall(channel.newCall(method, options), request, heard);
                return heard.end.thenApply(unused -> heard.messages.get(0));
            }
        };

        private static final ExecutorService CALLERS = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "caller");
            thread.setDaemon(true);
            return thread;
        });

        abstract CompletableFuture<String> call(
                Channel channel, MethodDescriptor<String, String> method, CallOptions options, String request);

        CompletableFuture<String> call(Channel channel, MethodDescriptor<String, String> method) {
            return call(channel, method, CallOptions.DEFAULT, "request");
        }
    }

    /** Keeps what it hears. */
    static final class Heard implements StreamObserver<String> {
        final List<String> messages = new ArrayList<>();
        final CompletableFuture<String> first = new CompletableFuture<>();
        final CompletableFuture<Boolean> end = new CompletableFuture<>();

        @Override
        public void onNext(String value) {
            messages.add(value);
            first.complete(value);
        }

        @Override
        public void onError(Throwable e) {
            end.completeExceptionally(e);
        }

        @Override
        public void onCompleted() {
            end.complete(true);
        }
    }

    /** A call as the server sees it. */
    static final class Received extends ServerCall.Listener<String> {
        final ServerCall<String, String> call;
        final Metadata headers;
        final @Nullable Deadline deadline = Context.current().getDeadline();
        final List<String> messages = new ArrayList<>();
        final CompletableFuture<Boolean> halfClosed = new CompletableFuture<>();
        final CompletableFuture<Boolean> cancelled = new CompletableFuture<>();
        final CompletableFuture<Boolean> completed = new CompletableFuture<>();
        private final Consumer<Received> step;

        Received(ServerCall<String, String> call, Metadata headers, Consumer<Received> step) {
            this.call = call;
            this.headers = headers;
            this.step = step;
            call.request(100);
        }

        @Override
        public void onMessage(String message) {
            messages.add(message);
        }

        @Override
        public void onHalfClose() {
            halfClosed.complete(true);
            if (call.getMethodDescriptor().getType().clientSendsOneMessage()) {
                step.accept(this);
            }
        }

        @Override
        public void onCancel() {
            cancelled.complete(true);
        }

        @Override
        public void onComplete() {
            completed.complete(true);
        }

        void reply(String... answers) {
            begin(answers);
            call.close(Status.OK, new Metadata());
        }

        void begin(String... answers) {
            call.sendHeaders(new Metadata());
            for (String each : answers) {
                call.sendMessage(each);
            }
        }

        void hang() {
            // Until it is cancelled, or answered later.
        }

        void unavailable() {
            fail(Status.UNAVAILABLE);
        }

        void replyWhenHalfClosed(Supplier<String> answer) {
            var unused = halfClosed.thenRun(() -> reply(answer.get()));
        }

        void fail(Status status) {
            call.close(status, new Metadata());
        }
    }

    final BlockingQueue<Received> received = new LinkedBlockingQueue<>();
    private final Queue<Consumer<Received>> steps = new ConcurrentLinkedQueue<>();
    private volatile Consumer<Received> otherwise = call -> call.reply("answer");
    private final ExecutorService threads =
            new ThreadPoolExecutor(0, 1_000, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), new DiscardPolicy());
    private final List<ManagedChannel> channels = new ArrayList<>();
    private final Server inProcess;
    private final Server netty;
    private final String name = InProcessServerBuilder.generateName();

    Shop(ServerInterceptor... interceptors) {
        ServerCallHandler<String, String> handler = (call, headers) -> {
            Consumer<Received> step = steps.poll();
            Received made = new Received(call, headers, step == null ? otherwise : step);
            received.add(made);
            if (!call.getMethodDescriptor().getType().clientSendsOneMessage()) {
                made.step.accept(made);
            }
            return made;
        };
        ServerServiceDefinition.Builder service = ServerServiceDefinition.builder("shop.Stock");
        List.of(GET, READ, PUT, LIST, UPLOAD, CHAT).forEach(method -> service.addMethod(method, handler));
        ServerServiceDefinition definition = ServerInterceptors.intercept(service.build(), interceptors);
        inProcess = started(InProcessServerBuilder.forName(name), definition);
        netty = started(
                NettyServerBuilder.forAddress(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), InsecureServerCredentials.create()),
                definition);
    }

    private Server started(ServerBuilder<?> builder, ServerServiceDefinition service) {
        try {
            return builder.executor(threads).addService(service).build().start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int port() {
        return netty.getPort();
    }

    /** The next call that has no answer yet is answered so. */
    void then(Consumer<Received> next) {
        steps.add(next);
    }

    /** The next two are answered so. */
    void then(Consumer<Received> first, Consumer<Received> second) {
        then(first);
        then(second);
    }

    void always(Consumer<Received> step) {
        otherwise = step;
    }

    ManagedChannel channel(Transport transport, ClientInterceptor... interceptors) {
        return channel(transport, builder -> builder.intercept(interceptors));
    }

    ManagedChannel channel(Transport transport, UnaryOperator<ManagedChannelBuilder<?>> configure) {
        return channel(
                transport == Transport.IN_PROCESS ? InProcessChannelBuilder.forName(name) : builderTo(netty.getPort()),
                configure);
    }

    ManagedChannel channelTo(int port, ClientInterceptor... interceptors) {
        return channel(builderTo(port), builder -> builder.intercept(interceptors));
    }

    private static ManagedChannelBuilder<?> builderTo(int port) {
        return NettyChannelBuilder.forAddress(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), port), InsecureChannelCredentials.create());
    }

    private ManagedChannel channel(
            ManagedChannelBuilder<?> builder, UnaryOperator<ManagedChannelBuilder<?>> configure) {
        ManagedChannel channel = configure.apply(builder).build();
        channels.add(channel);
        return channel;
    }

    @Override
    public void close() {
        channels.forEach(ManagedChannel::shutdownNow);
        inProcess.shutdownNow();
        netty.shutdownNow();
        threads.shutdownNow();
    }

    // ---- for tests

    /** Refuses connections. It is bound, so that nobody else has its port, and does not listen. */
    static Socket deaf() throws IOException {
        Socket deaf = new Socket();
        deaf.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return deaf;
    }

    static Metadata.Key<String> key(String name) {
        return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    }

    static <T> T within(Future<T> future) {
        try {
            return future.get(1, TimeUnit.MINUTES);
        } catch (ExecutionException e) {
            throw new AssertionError("it failed", e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("it did not end", e);
        }
    }

    static void await(CountDownLatch latch) {
        try {
            if (!latch.await(1, TimeUnit.MINUTES)) {
                throw new AssertionError("it did not come");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    Received next() {
        try {
            return Objects.requireNonNull(received.poll(1, TimeUnit.MINUTES), "no call came");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** The status with which it fails. */
    static Status failure(Future<?> future) {
        try {
            throw new AssertionError("it did not fail: " + future.get(1, TimeUnit.MINUTES));
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof StatusRuntimeException status) {
                return status.getStatus();
            }
            if (cause instanceof StatusException status) {
                return status.getStatus();
            }
            throw new AssertionError("not a status", cause);
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("it did not end", e);
        }
    }

    private static MethodDescriptor.Builder<String, String> method(MethodType type, String name) {
        return MethodDescriptor.newBuilder(Texts.INSTANCE, Texts.INSTANCE)
                .setType(type)
                .setFullMethodName("shop.Stock/" + name);
    }

    private enum Texts implements MethodDescriptor.ReflectableMarshaller<String> {
        INSTANCE;

        @Override
        public Class<String> getMessageClass() {
            return String.class;
        }

        @Override
        public InputStream stream(String text) {
            if (text.equals("unsendable")) {
                throw new IllegalArgumentException("unsendable");
            }
            return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream bytes) {
            try {
                return new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
