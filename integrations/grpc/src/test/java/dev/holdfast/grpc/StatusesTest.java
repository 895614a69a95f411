/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.grpc.Shop.Received;
import dev.holdfast.grpc.Shop.Stub;
import dev.holdfast.grpc.Shop.Transport;
import dev.holdfast.testlogs.Logs;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a status means, and what is repeated after it. */
class StatusesTest {
    private static final Metadata.Key<String> PUSHBACK = Shop.key("grpc-retry-pushback-ms");

    private final Shop shop = new Shop();
    private final Attempts attempts = new Attempts();
    private final Pipeline pipeline = attempts.retrying();
    private final HoldfastClientInterceptor holdfast = HoldfastClientInterceptor.of(GrpcPipelines.one(pipeline));

    @AfterEach
    void close() {
        shop.close();
        pipeline.close();
    }

    private static Consumer<Received> failing(Status.Code code) {
        return call -> call.fail(code.toStatus().withDescription("told"));
    }

    private static Consumer<Received> pushingBack(Status.Code code, String millis) {
        return call -> {
            Metadata trailers = new Metadata();
            trailers.put(PUSHBACK, millis);
            call.call.close(code.toStatus(), trailers);
        };
    }

    /** Attempts of a failing call, and what the caller hears of it. */
    private void assertEach(Outcome outcome, int times) {
        assertThat(attempts.outcomes).isEqualTo(Collections.nCopies(times, outcome));
        assertThat(shop.received).hasSize(times);
    }

    @ParameterizedTest
    @CsvSource({
        "UNAVAILABLE, FAILURE, 3",
        "UNKNOWN, FAILURE, 3",
        "INTERNAL, FAILURE, 3",
        "DATA_LOSS, FAILURE, 3",
        "DEADLINE_EXCEEDED, FAILURE, 3",
        "RESOURCE_EXHAUSTED, PUSHBACK, 3",
        "CANCELLED, IGNORED, 1",
        "INVALID_ARGUMENT, IGNORED, 1",
        "NOT_FOUND, IGNORED, 1",
        "ALREADY_EXISTS, IGNORED, 1",
        "PERMISSION_DENIED, IGNORED, 1",
        "UNAUTHENTICATED, IGNORED, 1",
        "FAILED_PRECONDITION, IGNORED, 1",
        "OUT_OF_RANGE, IGNORED, 1",
        "ABORTED, IGNORED, 1",
        "UNIMPLEMENTED, IGNORED, 1"
    })
    void eachStatusHasAMeaning(Status.Code code, Outcome outcome, int times) {
        for (Stub stub : Stub.values()) {
            attempts.outcomes.clear();
            shop.received.clear();
            Pipeline fresh = attempts.retrying();
            Channel of = shop.channel(Transport.IN_PROCESS, HoldfastClientInterceptor.of(GrpcPipelines.one(fresh)));
            shop.always(failing(code));
            Status status = Shop.failure(stub.call(of, Shop.GET));
            assertThat(status.getCode()).isEqualTo(code);
            assertThat(status.getDescription()).isEqualTo("told");
            assertEach(outcome, times);
            fresh.close();
        }
    }

    @ParameterizedTest
    @EnumSource(Status.Code.class)
    void whatMayBeDoneOnceIsNotRepeatedAfterAnyStatus(Status.Code code) {
        if (code != Status.Code.OK) {
            shop.always(failing(code));
            Channel channel = shop.channel(Transport.NETTY, holdfast);
            assertThat(Shop.failure(Stub.FUTURE.call(channel, Shop.PUT)).getCode())
                    .isEqualTo(code);
            assertThat(shop.received).hasSize(1);
        }
    }

    @ParameterizedTest
    @EnumSource(Stub.class)
    void aCallThatMayBeDoneTwiceIsRepeatedAndItsCallerHearsOfTheLastAlone(Stub stub) {
        for (Transport transport : Transport.values()) {
            shop.then(failing(Status.Code.UNAVAILABLE), failing(Status.Code.INTERNAL));
            assertThat(Shop.within(stub.call(shop.channel(transport, holdfast), Shop.GET)))
                    .isEqualTo("answer");
        }
        assertThat(shop.received).hasSize(6);
        assertThat(attempts.operations).containsOnly("shop.Stock/Get");
    }

    @Test
    void descriptorOptionAndCallSayWhatMayBeDoneTwice() {
        HoldfastClientInterceptor told = HoldfastClientInterceptor.of(
                GrpcPipelines.one(pipeline), o -> o.idempotent(method -> method == Shop.PUT));
        Channel channel = shop.channel(Transport.IN_PROCESS, told);
        shop.then(failing(Status.Code.UNAVAILABLE));
        assertThat(Shop.within(Stub.BLOCKING.call(channel, Shop.PUT))).isEqualTo("answer");
        Channel untold = shop.channel(Transport.IN_PROCESS, holdfast);
        shop.then(failing(Status.Code.UNAVAILABLE));
        assertThat(Shop.within(Stub.BLOCKING.call(untold, Shop.READ))).isEqualTo("answer");
        shop.then(failing(Status.Code.UNAVAILABLE));
        CallOptions twice = CallOptions.DEFAULT.withOption(HoldfastClientInterceptor.IDEMPOTENT, true);
        assertThat(Shop.within(Stub.FUTURE.call(untold, Shop.PUT, twice, "x"))).isEqualTo("answer");
        shop.then(failing(Status.Code.UNAVAILABLE));
        assertThat(Shop.failure(Stub.FUTURE.call(untold, Shop.PUT)).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        shop.then(failing(Status.Code.UNAVAILABLE));
        CallOptions once = CallOptions.DEFAULT.withOption(HoldfastClientInterceptor.IDEMPOTENT, false);
        assertThat(Shop.failure(Stub.FUTURE.call(untold, Shop.READ, once, "x")).getCode())
                .isEqualTo(Status.Code.UNAVAILABLE);
    }

    @Test
    @SuppressWarnings("NullAway") // what an application may do
    void aFunctionThatGivesNoPipelineIsNamedInTheError() {
        HoldfastClientInterceptor none = HoldfastClientInterceptor.of((authority, method) -> null);
        Status end = Shop.failure(Stub.BLOCKING.call(shop.channel(Transport.IN_PROCESS, none), Shop.GET));
        assertThat(end.getCause())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("gave no pipeline", "shop.Stock/Get");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "7", " 3"})
    void aPushbackIsRepeatedAfterItsTimeWhateverTheCallDoes(String millis) {
        Channel channel = shop.channel(Transport.NETTY, holdfast);
        for (MethodDescriptor<String, String> method : List.of(Shop.GET, Shop.PUT)) {
            shop.then(pushingBack(Status.Code.UNAVAILABLE, millis.strip()));
            assertThat(Shop.within(Stub.BLOCKING.call(channel, method))).isEqualTo("answer");
        }
        assertThat(attempts.outcomes)
                .containsExactly(Outcome.PUSHBACK, Outcome.SUCCESS, Outcome.PUSHBACK, Outcome.SUCCESS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "soon", "1.5", "99999999999"})
    void aPushbackThatForbidsARetryIsObeyed(String millis) {
        shop.always(pushingBack(Status.Code.RESOURCE_EXHAUSTED, millis));
        assertThat(Shop.failure(Stub.OBSERVER.call(shop.channel(Transport.IN_PROCESS, holdfast), Shop.GET))
                        .getCode())
                .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertEach(Outcome.PUSHBACK, 1);
    }

    @Test
    void aPushbackOfWhatIsIgnoredIsIgnored() {
        shop.always(pushingBack(Status.Code.NOT_FOUND, "0"));
        Shop.failure(Stub.FUTURE.call(shop.channel(Transport.IN_PROCESS, holdfast), Shop.GET));
        assertEach(Outcome.IGNORED, 1);
    }

    @Test
    void afterTheHeadersOfAResponseAPushbackProvesNothing() {
        Channel channel = shop.channel(Transport.NETTY, holdfast);
        Consumer<Received> begun = call -> {
            call.begin();
            pushingBack(Status.Code.UNAVAILABLE, "0").accept(call);
        };
        shop.then(begun);
        Shop.failure(Stub.FUTURE.call(channel, Shop.PUT));
        assertEach(Outcome.FAILURE, 1);
        shop.then(begun);
        assertThat(Shop.within(Stub.FUTURE.call(channel, Shop.GET))).isEqualTo("answer");
    }

    @Test
    @Logs(value = "Received trailers on closed stream", sometimes = true)
    void aResponseThatIsTooLargeIsTheCallersOwnAffair() {
        shop.always(call -> call.reply("much too long"));
        Channel channel = shop.channel(Transport.NETTY, holdfast);
        CallOptions small = CallOptions.DEFAULT.withMaxInboundMessageSize(4);
        assertThat(Shop.failure(Stub.BLOCKING.call(channel, Shop.GET, small, "x"))
                        .getCode())
                .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertEach(Outcome.IGNORED, 1);
    }

    @Test
    @Logs(value = "Received trailers on closed stream", sometimes = true)
    void aFirstMessageOfAStreamThatIsTooLargeIsTheCallersOwnAffair() {
        shop.always(call -> call.reply("much too long"));
        Channel channel = shop.channel(Transport.NETTY, holdfast);
        CallOptions small = CallOptions.DEFAULT.withMaxInboundMessageSize(4);
        Shop.Heard heard = new Shop.Heard();
        ClientCalls.asyncServerStreamingCall(channel.newCall(Shop.LIST, small), "x", heard);
        assertThat(Shop.failure(heard.end).getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertEach(Outcome.IGNORED, 1);
    }

    @Test
    void withoutAPushbackAnExhaustedResourceMayHaveCostTheWork() {
        shop.always(failing(Status.Code.RESOURCE_EXHAUSTED));
        Shop.failure(Stub.FUTURE.call(shop.channel(Transport.IN_PROCESS, holdfast), Shop.PUT));
        assertEach(Outcome.FAILURE, 1);
    }

    /** Each message of the server's arrives so often. */
    private record Times(int times) implements ClientInterceptor {
        @Override
        public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions with, Channel to) {
            return new SimpleForwardingClientCall<>(to.newCall(method, with)) {
                @Override
                public void start(Listener<R> listener, Metadata headers) {
                    super.start(
                            new SimpleForwardingClientCallListener<>(listener) {
                                @Override
                                public void onMessage(R message) {
                                    for (int i = 0; i < times; i++) {
                                        super.onMessage(message);
                                    }
                                }
                            },
                            headers);
                }
            };
        }
    }

    @Test
    void anAnswerWithoutAMessageIsAFailure() {
        Channel losing = shop.channel(Transport.IN_PROCESS, new Times(0), holdfast);
        assertThat(Shop.failure(Stub.BLOCKING.call(losing, Shop.GET)).getCode()).isEqualTo(Status.Code.INTERNAL);
        assertEach(Outcome.FAILURE, 3);
    }

    @Test
    void anAnswerWithTwoMessagesIsAFailure() {
        Channel doubling = shop.channel(Transport.IN_PROCESS, new Times(2), holdfast);
        Shop.failure(Stub.BLOCKING.call(doubling, Shop.GET));
        assertEach(Outcome.FAILURE, 3);
    }

    @Test
    void anOptionMovesACode() {
        HoldfastClientInterceptor told = HoldfastClientInterceptor.of(
                GrpcPipelines.one(pipeline),
                o -> o.verdict(Status.Code.ABORTED, Verdict.FAILURE).verdict(Status.Code.UNKNOWN, Verdict.IGNORED));
        Channel channel = shop.channel(Transport.IN_PROCESS, told);
        shop.then(failing(Status.Code.ABORTED));
        assertThat(Shop.within(Stub.FUTURE.call(channel, Shop.GET))).isEqualTo("answer");
        shop.then(failing(Status.Code.UNKNOWN));
        assertThat(Shop.failure(Stub.FUTURE.call(channel, Shop.GET)).getCode()).isEqualTo(Status.Code.UNKNOWN);
        assertThat(attempts.outcomes).containsExactly(Outcome.FAILURE, Outcome.SUCCESS, Outcome.IGNORED);
    }

    @Test
    void thePipelinesOwnClassifierDecidesAndSeesTheMessage() {
        Pipeline own = Pipeline.builder("own")
                .policies(Attempts.retry())
                .observer(attempts)
                .classifier((value, error) -> error != null || "busy".equals(value) ? Verdict.FAILURE : Verdict.SUCCESS)
                .build();
        Channel channel = shop.channel(Transport.IN_PROCESS, HoldfastClientInterceptor.of(GrpcPipelines.one(own)));
        shop.then(call -> call.reply("busy"), failing(Status.Code.NOT_FOUND));
        assertThat(Shop.within(Stub.BLOCKING.call(channel, Shop.GET))).isEqualTo("answer");
        assertThat(attempts.outcomes).containsExactly(Outcome.FAILURE, Outcome.FAILURE, Outcome.SUCCESS);
        own.close();
    }

    /** As a file has them. */
    private record Lists(Classifier base) implements Classifier.Listed {
        @Override
        public @Nullable Verdict ofStatus(int status) {
            return null;
        }

        @Override
        public @Nullable Verdict ofCode(String code) {
            return switch (code) {
                case "ABORTED" -> Verdict.PUSHBACK;
                case "UNKNOWN" -> Verdict.IGNORED;
                default -> null;
            };
        }

        @Override
        public @Nullable Verdict ofError(Throwable error) {
            return error instanceof StatusRuntimeException || error instanceof StatusException ? Verdict.FAILURE : null;
        }

        @Override
        public Verdict classify(@Nullable Object value, @Nullable Throwable error) {
            return base.classify(value, error);
        }
    }

    @Test
    void codesOfAListComeFirstThenItsExceptionsThenTheTable() {
        pipeline.replaceClassifier(new Lists(Classifier.DEFAULT));
        Channel channel = shop.channel(
                Transport.IN_PROCESS,
                HoldfastClientInterceptor.of(
                        GrpcPipelines.one(pipeline), o -> o.verdict(Status.Code.UNKNOWN, Verdict.FAILURE)));
        shop.then(failing(Status.Code.ABORTED), pushingBack(Status.Code.ABORTED, "0"));
        shop.then(failing(Status.Code.UNKNOWN));
        assertThat(Shop.failure(Stub.FUTURE.call(channel, Shop.GET)).getCode()).isEqualTo(Status.Code.UNKNOWN);
        assertThat(attempts.outcomes).containsExactly(Outcome.PUSHBACK, Outcome.PUSHBACK, Outcome.IGNORED);

        attempts.outcomes.clear();
        shop.then(failing(Status.Code.NOT_FOUND));
        assertThat(Shop.within(Stub.FUTURE.call(channel, Shop.GET))).isEqualTo("answer");
        assertThat(attempts.outcomes).as("its class is in a list").containsExactly(Outcome.FAILURE, Outcome.SUCCESS);
    }

    /** The code may come after the work. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCodeThatIsToldToBeAPushbackRepeatsNothingThatMustNotBeDoneTwice(boolean inAList) {
        HoldfastClientInterceptor told = HoldfastClientInterceptor.of(
                GrpcPipelines.one(pipeline),
                o -> o.verdict(Status.Code.ABORTED, Verdict.PUSHBACK).verdict(Status.Code.UNKNOWN, Verdict.IGNORED));
        if (inAList) {
            pipeline.replaceClassifier(new Lists(Classifier.DEFAULT));
        }
        Channel channel = shop.channel(Transport.IN_PROCESS, told);
        shop.then(failing(Status.Code.ABORTED));
        assertThat(Shop.failure(Stub.FUTURE.call(channel, Shop.PUT)).getCode()).isEqualTo(Status.Code.ABORTED);
        shop.then(pushingBack(Status.Code.ABORTED, "0"));
        assertThat(Shop.within(Stub.FUTURE.call(channel, Shop.PUT))).isEqualTo("answer");
        assertThat(attempts.outcomes).containsExactly(Outcome.FAILURE, Outcome.PUSHBACK, Outcome.SUCCESS);
    }

    @Test
    void anInterceptorInsideThatFailsIsTheCallersOwnFault() {
        ClientInterceptor broken = new ClientInterceptor() {
            @Override
            public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions with, Channel to) {
                throw new IllegalStateException("broken");
            }
        };
        Status status =
                Shop.failure(Stub.BLOCKING.call(shop.channel(Transport.IN_PROCESS, broken, holdfast), Shop.GET));
        assertThat(status.getCode()).isEqualTo(Status.Code.UNKNOWN);
        assertThat(status.getCause()).hasMessage("broken");
        assertThat(attempts.outcomes).containsExactly(Outcome.IGNORED);
    }

    @Test
    void aRequestThatCannotBeSentIsTheCallersOwnFault() {
        Channel channel = shop.channel(Transport.NETTY, holdfast);
        Status status = Shop.failure(Stub.BLOCKING.call(channel, Shop.GET, CallOptions.DEFAULT, "unsendable"));
        assertThat(status.getCode()).isEqualTo(Status.Code.CANCELLED);
        assertThat(attempts.outcomes).containsExactly(Outcome.IGNORED);
    }

    @Test
    void aStubWithoutTheInterceptorHasTheSameTable() {
        Classifier classifier = GrpcClassifier.ofDefaults();
        assertThat(classifier.classify(null, Status.UNAVAILABLE.asRuntimeException()))
                .isEqualTo(Verdict.FAILURE);
        assertThat(classifier.classify(null, Status.NOT_FOUND.asException())).isEqualTo(Verdict.IGNORED);
        assertThat(classifier.classify(null, new RuntimeException(Status.INTERNAL.asRuntimeException())))
                .isEqualTo(Verdict.FAILURE);
        assertThat(classifier.classify(null, Status.RESOURCE_EXHAUSTED.asRuntimeException()))
                .isEqualTo(Verdict.FAILURE);
        Metadata trailers = new Metadata();
        trailers.put(PUSHBACK, "20");
        Verdict pushback = classifier.classify(null, Status.RESOURCE_EXHAUSTED.asRuntimeException(trailers));
        assertThat(pushback.outcome()).isEqualTo(Outcome.PUSHBACK);
        assertThat(pushback.retryAfterNanos()).isEqualTo(20_000_000);
        assertThat(classifier.classify(null, new IllegalStateException())).isEqualTo(Verdict.IGNORED);
        assertThat(classifier.classify("answer", null)).isEqualTo(Verdict.SUCCESS);
    }
}
