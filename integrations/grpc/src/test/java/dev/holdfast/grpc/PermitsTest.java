/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.grpc.Shop.Received;
import dev.holdfast.grpc.Shop.Stub;
import dev.holdfast.grpc.Shop.Transport;
import dev.holdfast.timeout.TimeoutPolicy;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each permit comes back, however a call ends. */
class PermitsTest {
    private static final long SEED = 4711;

    private final Shop shop = new Shop();
    private final Attempts attempts = new Attempts();
    private final BulkheadPolicy bulkhead = BulkheadPolicy.of(
            b -> b.maxConcurrentCalls(64).maxWaitingCalls(10_000).maxWait(Duration.ofMinutes(5)));
    private final Pipeline pipeline = attempts.retrying(bulkhead);

    @AfterEach
    void close() {
        shop.close();
        pipeline.close();
    }

    private Channel channel(Transport transport) {
        return shop.channel(transport, HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline)));
    }

    /** A listener may hear of the end of its call while the last of its permit is still on its way back. */
    private void assertFree() {
        long begin = System.nanoTime();
        while (bulkhead.inFlight() > 0 && System.nanoTime() - begin < TimeUnit.MINUTES.toNanos(1)) {
            Thread.onSpinWait();
        }
        assertThat(bulkhead.inFlight()).isZero();
    }

    private static CompletableFuture<Status> started(ClientCall<String, String> call, Runnable onMessage) {
        CompletableFuture<Status> closed = new CompletableFuture<>();
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onMessage(String message) {
                        onMessage.run();
                    }

                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        closed.complete(status);
                    }
                },
                new Metadata());
        return closed;
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void eachWayToEndACallGivesItsPermitBack(Transport transport) {
        Channel channel = channel(transport);
        // Never half closed, never asked for, cancelled before its message: these took none.
        ClientCall<String, String> open = channel.newCall(Shop.GET, CallOptions.DEFAULT);
        CompletableFuture<Status> opened = started(open, () -> {});
        open.request(2);
        open.sendMessage("x");
        assertFree();
        open.cancel("over", null);
        Shop.within(opened);
        assertFree();
        // The response waits for its listener, and the permit does not.
        ClientCall<String, String> unasked = channel.newCall(Shop.GET, CallOptions.DEFAULT);
        CompletableFuture<Status> waits = started(unasked, () -> {});
        unasked.sendMessage("x");
        unasked.halfClose();
        Shop.within(shop.next().completed);
        unasked.cancel("over", null);
        Shop.within(waits);
        assertFree();
        // A listener that throws.
        ClientCall<String, String> throwing = channel.newCall(Shop.GET, CallOptions.DEFAULT);
        CompletableFuture<Status> thrown = started(throwing, () -> {
            throw new IllegalStateException("broken");
        });
        throwing.request(2);
        throwing.sendMessage("x");
        throwing.halfClose();
        Shop.within(thrown);
        assertFree();
        // Its deadline, its caller, its server, its own mistake.
        shop.next();
        shop.always(call -> {});
        CallOptions shortly = CallOptions.DEFAULT.withDeadlineAfter(50, TimeUnit.MILLISECONDS);
        Shop.failure(Stub.FUTURE.call(channel, Shop.GET, shortly, "x"));
        assertFree();
        ClientCall<String, String> cancelled = channel.newCall(Shop.GET, CallOptions.DEFAULT);
        CompletableFuture<Status> end = started(cancelled, () -> {});
        cancelled.sendMessage("x");
        cancelled.halfClose();
        Received late = shop.next();
        while (late.cancelled.isDone()) {
            late = shop.next();
        }
        cancelled.cancel("over", null);
        Shop.within(end);
        assertFree();
        shop.always(call -> call.fail(Status.NOT_FOUND));
        Shop.failure(Stub.BLOCKING.call(channel, Shop.GET));
        assertFree();
        Shop.failure(Stub.BLOCKING.call(channel, Shop.GET, CallOptions.DEFAULT, "unsendable"));
        assertFree();
    }

    @ParameterizedTest
    @EnumSource(Stub.class)
    void aThousandCallsAtOnceAllEnd(Stub stub) {
        Channel channel = channel(Transport.NETTY);
        List<CompletableFuture<String>> calls = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            calls.add(stub.call(channel, Shop.GET));
        }
        calls.forEach(call -> assertThat(Shop.within(call)).isEqualTo("answer"));
        assertFree();
    }

    @Test
    void tenThousandCallsThatEndInAllWaysLoseNoPermit() {
        Random random = new Random(SEED);
        Pipeline limited = attempts.retrying(bulkhead, TimeoutPolicy.of(Duration.ofMillis(20)));
        Channel channel = shop.channel(Transport.IN_PROCESS, HoldfastClientInterceptor.of(GrpcPipelines.one(limited)));
        List<Consumer<Received>> answers = List.of(
                call -> call.reply("answer"),
                call -> call.fail(Status.UNAVAILABLE),
                call -> call.fail(Status.NOT_FOUND),
                call -> {
                    call.begin("half");
                    call.fail(Status.INTERNAL);
                },
                call -> {});
        Random server = new Random(SEED + 1);
        shop.always(call -> {
            int which;
            synchronized (server) {
                which = Math.max(0, server.nextInt(40) - 35);
            }
            answers.get(which).accept(call);
        });
        for (int i = 0; i < 100; i++) {
            List<CompletableFuture<Status>> ends = new ArrayList<>();
            for (int j = 0; j < 100; j++) {
                ClientCall<String, String> call = channel.newCall(Shop.GET, CallOptions.DEFAULT);
                CompletableFuture<Status> end = started(call, () -> {});
                ends.add(end);
                call.request(random.nextInt(3));
                call.sendMessage("x");
                call.halfClose();
                if (random.nextInt(4) == 0) {
                    call.cancel("over", null);
                } else {
                    call.request(2);
                }
            }
            ends.forEach(Shop::within);
            shop.received.clear();
        }
        assertFree();
        limited.close();
    }
}
