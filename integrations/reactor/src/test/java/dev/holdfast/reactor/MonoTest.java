/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.reactor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Verdict;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;
import reactor.test.subscriber.TestSubscriber;
import reactor.util.context.Context;

/** A Mono with a pipeline around it. */
class MonoTest extends Bench {
    private final IOException failure = new IOException("down");
    /** What goes to the operation's {@code discard}. */
    private final List<Object> ofOperation = new ArrayList<>();

    private final TestSubscriber<String> asksNothing =
            TestSubscriber.builder().initialRequest(0).build();

    // ---- laziness

    @Test
    void nothingHappensBeforeTheSubscription() {
        Mono<String> answer = this.<String>call(bulkhead).mono(attempts(Mono.just("a")));
        assertThat(probes).isEmpty();
        StepVerifier.create(answer).expectNext("a").verifyComplete();
        probes.get(0).assertWasSubscribed();
    }

    @Test
    void eachSubscriberHasACallOfItsOwn() {
        AtomicInteger made = new AtomicInteger();
        Mono<Integer> answer = this.<Integer>call(bulkhead).mono(attempt -> Mono.just(made.incrementAndGet()));
        StepVerifier.create(answer).expectNext(1).verifyComplete();
        StepVerifier.create(answer).expectNext(2).verifyComplete();
        assertThat(pipeline(bulkhead).policy(BulkheadPolicy.class)).isSameAs(bulkhead);
    }

    @Test
    void aSubscriberThatCancelsAtOnceMakesNoCall() {
        Mono<String> answer = this.<String>call(bulkhead).mono(attempts(Mono.just("a")));
        answer.subscribe(new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                cancel();
            }
        });
        assertThat(probes).isEmpty();
    }

    /** Reactor's and the pipeline's: each source of time moves by itself. */
    @Test
    void aTestMovesBothTimes() {
        StepVerifier.withVirtualTime(() -> this.<String>call(retry(2), bulkhead)
                        .mono(attempts(
                                Mono.error(failure),
                                Mono.delay(Duration.ofSeconds(1)).map(tick -> "b"))))
                .then(() -> time.advance(BACKOFF))
                .expectNoEvent(Duration.ofMillis(999))
                .thenAwait(Duration.ofMillis(1))
                .expectNext("b")
                .verifyComplete();
    }

    @Test
    void aValueWaitsForTheDemand() {
        TestSubscriber<String> subscriber =
                TestSubscriber.builder().initialRequest(0).build();
        this.<String>call(bulkhead).mono(attempts(Mono.just("a"))).subscribe(subscriber);
        probes.get(0).assertWasSubscribed();
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(subscriber.getReceivedOnNext()).isEmpty();
        assertThat(subscriber.isTerminated()).isFalse();
        subscriber.request(1);
        assertThat(subscriber.getReceivedOnNext()).containsExactly("a");
        assertThat(subscriber.isTerminatedComplete()).isTrue();
    }

    /** As Reactor's own operators do. The key is that of its hooks for one subscriber. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatASubscriberThrowsIsDroppedAndTheSourceEnds(boolean many) {
        List<Throwable> dropped = new ArrayList<>();
        Consumer<Throwable> hook = dropped::add;
        IllegalStateException broken = new IllegalStateException("broken");
        ReactiveCall<String> call = call(bulkhead);
        TestPublisher<String> source = TestPublisher.create();
        Publisher<String> answer = many ? call.flux(attempt -> source) : call.mono(attempt -> source.mono());
        answer.subscribe(new CoreSubscriber<String>() {
            @Override
            public Context currentContext() {
                return Context.of("reactor.onErrorDropped.local", hook);
            }

            @Override
            public void onSubscribe(Subscription subscription) {
                subscription.request(Long.MAX_VALUE);
            }

            @Override
            public void onNext(String value) {
                throw broken;
            }

            @Override
            public void onError(Throwable thrown) {}

            @Override
            public void onComplete() {}
        });
        source.next("a");
        assertThat(dropped).containsExactly(broken);
        assertThat(bulkhead.inFlight()).isZero();
        source.assertCancelled();
    }

    // ---- ends

    @Test
    void anEmptySourceIsASuccess() {
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.ofDefaults();
        StepVerifier.create(this.<String>call(retry(3), breaker, bulkhead).mono(attempts(Mono.empty())))
                .verifyComplete();
        assertThat(probes).hasSize(1);
        assertThat(breaker.asResilience4j().getMetrics().getNumberOfSuccessfulCalls())
                .isOne();
    }

    @Test
    void anEmptySourceEndsWithoutDemand() {
        StepVerifier.create(this.<String>call(bulkhead).mono(attempts(Mono.empty())), 0)
                .verifyComplete();
    }

    @Test
    void anErrorComesAsItIs() {
        StepVerifier.create(this.<String>call(bulkhead).mono(attempts(Mono.error(failure))))
                .verifyErrorSatisfies(error -> assertThat(error).isSameAs(failure));
    }

    @Test
    void anErrorBehindAWaitComesAsItIs() {
        StepVerifier.create(
                        this.<String>call(retry(2), bulkhead).mono(attempts(Mono.error(failure), Mono.error(failure))))
                .then(time::run)
                .verifyErrorSatisfies(error -> assertThat(error).isSameAs(failure));
    }

    @Test
    void theErrorOfAFutureComesWithoutItsWrapper() {
        CompletableFuture<String> failed = CompletableFuture.failedFuture(new ExecutionException(failure));
        StepVerifier.create(this.<String>call(bulkhead).mono(attempt -> Mono.fromFuture(failed)))
                .verifyErrorSatisfies(error -> assertThat(error).isSameAs(failure));
    }

    @Test
    void anExceptionOfTheFunctionIsAFailedAttempt() {
        AtomicInteger asked = new AtomicInteger();
        StepVerifier.create(this.<String>call(retry(2), bulkhead).mono(attempt -> {
                    if (asked.incrementAndGet() == 1) {
                        throw new IllegalStateException("not yet");
                    }
                    return Mono.just("a");
                }))
                .then(time::run)
                .expectNext("a")
                .verifyComplete();
    }

    @Test
    @SuppressWarnings("NullAway") // what nobody should do
    void noSourceIsAFailedAttempt() {
        StepVerifier.create(this.<String>call(bulkhead).mono(attempt -> null))
                .expectErrorMessage("the source of an attempt is null")
                .verify();
    }

    @Test
    void aMonoOnSomebodyElsesThreadIsFine() {
        Sinks.One<String> sink = Sinks.one();
        TestSubscriber<String> subscriber = TestSubscriber.create();
        this.<String>call(retry(3), bulkhead).mono(attempt -> sink.asMono()).subscribe(subscriber);
        assertThat(bulkhead.inFlight()).isOne();
        Thread other = new Thread(() -> sink.tryEmitValue("a"));
        other.start();
        subscriber.block();
        assertThat(subscriber.getReceivedOnNext()).containsExactly("a");
    }

    // ---- retries

    @Test
    void eachAttemptSubscribesAnew() {
        StepVerifier.create(this.<String>call(retry(3), bulkhead)
                        .mono(attempts(Mono.error(failure), Mono.error(failure), Mono.just("a"))))
                .then(time::run)
                .expectNext("a")
                .verifyComplete();
        assertThat(probes)
                .hasSize(3)
                .allSatisfy(probe -> assertThat(probe.subscribeCount()).isOne());
    }

    @Test
    void transformSubscribesToTheSameSourceAnew() {
        AtomicInteger subscribed = new AtomicInteger();
        Mono<String> source = Mono.fromCallable(() -> {
            if (subscribed.incrementAndGet() < 3) {
                throw failure;
            }
            return "a";
        });
        StepVerifier.create(source.transform(ReactiveCall.of(pipeline(retry(3), bulkhead))))
                .then(time::run)
                .expectNext("a")
                .verifyComplete();
        assertThat(subscribed).hasValue(3);
    }

    @Test
    void theBackoffTakesItsTime() {
        TestSubscriber<String> subscriber = TestSubscriber.create();
        this.<String>call(retry(2), bulkhead)
                .mono(attempts(Mono.error(failure), Mono.just("a")))
                .subscribe(subscriber);
        time.advance(BACKOFF.minusNanos(1));
        assertThat(probes).hasSize(1);
        time.advance(Duration.ofNanos(1));
        assertThat(subscriber.getReceivedOnNext()).containsExactly("a");
    }

    @Test
    void theAttemptKnowsItsNumber() {
        StepVerifier.create(this.<Integer>call(retry(2), bulkhead)
                        .mono(attempt -> attempt.number() == 1 ? Mono.error(failure) : Mono.just(attempt.number())))
                .then(time::run)
                .expectNext(2)
                .verifyComplete();
    }

    @Test
    void anOperationThatIsNotIdempotentIsNotRepeated() {
        Operation<String> once = pipeline(retry(3), bulkhead).operation("once", o -> o.idempotent(false));
        StepVerifier.create(ReactiveCall.of(once).mono(attempts(Mono.error(failure))))
                .then(time::run)
                .verifyErrorSatisfies(error -> assertThat(error).isSameAs(failure));
        assertThat(probes).hasSize(1);
    }

    @Test
    void anAttemptWithAValueIsNotCancelled() {
        StepVerifier.create(this.<String>call(bulkhead).mono(attempts(Mono.just("a"))))
                .expectNext("a")
                .verifyComplete();
        probes.get(0).assertWasNotCancelled();
    }

    // ---- cancelled

    @Test
    void cancelDuringAnAttemptEndsIt() {
        TestSubscriber<String> subscriber = TestSubscriber.create();
        this.<String>call(retry(3), bulkhead).mono(attempts(Mono.never())).subscribe(subscriber);
        assertThat(bulkhead.inFlight()).isOne();
        subscriber.cancel();
        probes.get(0).assertWasCancelled();
        assertThat(bulkhead.inFlight()).isZero();
        time.run();
        assertThat(probes).hasSize(1);
        assertThat(subscriber.isTerminated()).isFalse();
    }

    @Test
    void cancelDuringABackoffEndsIt() {
        TestSubscriber<String> subscriber = TestSubscriber.create();
        this.<String>call(retry(3), bulkhead)
                .mono(attempts(Mono.error(failure)))
                .subscribe(subscriber);
        time.advance(BACKOFF.dividedBy(2));
        subscriber.cancel();
        time.run();
        assertThat(probes).hasSize(1);
        assertThat(subscriber.isTerminated()).isFalse();
    }

    @Test
    void cancelInAQueueEndsIt() {
        BulkheadPolicy one = BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWait(Duration.ofSeconds(5)));
        ReactiveCall<String> call = call(one);
        TestSubscriber<String> first = TestSubscriber.create();
        TestSubscriber<String> second = TestSubscriber.create();
        call.mono(attempts(Mono.never())).subscribe(first);
        call.mono(attempts()).subscribe(second);
        assertThat(one.waiting()).isOne();
        second.cancel();
        assertThat(one.waiting()).isZero();
        first.cancel();
        assertThat(one.inFlight()).isZero();
    }

    /** The thread that subscribes is in the source, and so the call has not even returned its future. */
    @Test
    void cancelWhileTheSourceIsBeingSubscribedEndsIt() {
        TestSubscriber<String> subscriber = TestSubscriber.create();
        AtomicInteger emitted = new AtomicInteger();
        Mono<String> endless = Flux.<String>generate(sink -> {
                    if (emitted.incrementAndGet() == 10) {
                        subscriber.cancel();
                    }
                    sink.next("a");
                })
                .filter(element -> emitted.get() > 1_000)
                .next();
        this.<String>call(retry(3), bulkhead).mono(attempts(endless)).subscribe(subscriber);
        assertThat(emitted).hasValue(10);
        probes.get(0).assertWasCancelled();
        assertThat(bulkhead.inFlight()).isZero();
    }

    @Test
    void cancelInsideTheFunctionEndsIt() {
        TestSubscriber<String> subscriber = TestSubscriber.create();
        TestPublisher<String> source = TestPublisher.create();
        this.<String>call(retry(3), bulkhead)
                .mono(attempt -> {
                    subscriber.cancel();
                    return source.mono();
                })
                .subscribe(subscriber);
        source.assertWasNotSubscribed();
        assertThat(bulkhead.inFlight()).isZero();
        time.run();
        assertThat(subscriber.isTerminated()).isFalse();
    }

    @Test
    void cancelIsNoFailureOfTheDependency() {
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.ofDefaults();
        TestSubscriber<String> subscriber = TestSubscriber.create();
        this.<String>call(breaker, bulkhead).mono(attempts(Mono.never())).subscribe(subscriber);
        subscriber.cancel();
        assertThat(breaker.asResilience4j().getMetrics().getNumberOfFailedCalls())
                .isZero();
        assertThat(breaker.asResilience4j().getMetrics().getNumberOfBufferedCalls())
                .isZero();
    }

    @Test
    void cancelAfterTheEndDoesNothing() {
        TestSubscriber<String> subscriber = TestSubscriber.create();
        this.<String>call(bulkhead).mono(attempts(Mono.just("a"))).subscribe(subscriber);
        subscriber.cancel();
        probes.get(0).assertWasNotCancelled();
        assertThat(subscriber.getReceivedOnNext()).containsExactly("a");
    }

    // ---- limits

    @Test
    void aTimeoutCancelsTheAttempt() {
        StepVerifier.create(this.<String>call(bulkhead, TimeoutPolicy.of(Duration.ofMillis(50)))
                        .mono(attempts(Mono.never())))
                .then(time::run)
                .verifyErrorSatisfies(error -> assertThat(error)
                        .isInstanceOfSatisfying(
                                CallTimeoutException.class,
                                timeout -> assertThat(timeout.policy()).isEqualTo("timeout")));
        probes.get(0).assertWasCancelled();
    }

    @Test
    void aTimeoutIsRetried() {
        StepVerifier.create(this.<String>call(retry(2), bulkhead, TimeoutPolicy.of(Duration.ofMillis(50)))
                        .mono(attempts(Mono.never(), after(Duration.ofMillis(49), "a"))))
                .then(time::run)
                .expectNext("a")
                .verifyComplete();
        probes.get(0).assertWasCancelled();
        probes.get(1).assertWasNotCancelled();
    }

    @Test
    void theDeadlineEndsTheCall() {
        StepVerifier.create(ReactiveCall.of(pipeline(DeadlinePolicy.of(Duration.ofMillis(70)), retry(3), bulkhead)
                                .<String>unkeyed())
                        .mono(attempts(after(Duration.ofSeconds(1), "late"))))
                .then(time::run)
                .verifyError(CallTimeoutException.class);
        probes.get(0).assertWasCancelled();
    }

    @Test
    void theDeadlineOfTheCallHolds() {
        StepVerifier.create(ReactiveCall.of(pipeline(bulkhead).<String>unkeyed().deadline(Duration.ofMillis(70)))
                        .mono(attempts(Mono.never())))
                .then(time::run)
                .verifyError(CallTimeoutException.class);
    }

    @Test
    void theLoserOfAHedgeIsCancelled() {
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(Duration.ofMillis(20)));
        StepVerifier.create(this.<String>call(hedge, bulkhead)
                        .mono(attempts(Mono.never(), after(Duration.ofMillis(10), "hedge"))))
                .then(time::run)
                .expectNext("hedge")
                .verifyComplete();
        probes.get(0).assertWasCancelled();
        probes.get(1).assertWasNotCancelled();
    }

    @Test
    void aHedgeThatLosesIsCancelled() {
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(Duration.ofMillis(20)));
        StepVerifier.create(this.<String>call(hedge, bulkhead)
                        .mono(attempts(after(Duration.ofMillis(30), "first"), Mono.never())))
                .then(time::run)
                .expectNext("first")
                .verifyComplete();
        probes.get(1).assertWasCancelled();
    }

    @Test
    void cancelReachesEachHedge() {
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(Duration.ofMillis(20)));
        TestSubscriber<String> subscriber = TestSubscriber.create();
        this.<String>call(hedge, bulkhead)
                .mono(attempts(Mono.never(), Mono.never()))
                .subscribe(subscriber);
        time.advance(Duration.ofMillis(30));
        assertThat(bulkhead.inFlight()).isEqualTo(2);
        subscriber.cancel();
        time.run();
        probes.get(0).assertWasCancelled();
        probes.get(1).assertWasCancelled();
    }

    // ---- rejections and answers of policies

    @Test
    void aRejectionIsDeliveredAsItIs() {
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.ofDefaults();
        breaker.asResilience4j().transitionToOpenState();
        StepVerifier.create(this.<String>call(retry(3), breaker, bulkhead).mono(attempts()))
                .verifyErrorSatisfies(error -> assertThat(error)
                        .isInstanceOfSatisfying(
                                CallRejectedException.class,
                                rejected -> assertThat(rejected.reason()).isEqualTo(Reason.CIRCUIT_OPEN)));
        assertThat(probes).isEmpty();
    }

    @Test
    void aFullBulkheadRejects() {
        ReactiveCall<String> call =
                call(BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWait(Duration.ZERO)));
        TestSubscriber<String> running = TestSubscriber.create();
        call.mono(attempt -> Mono.never()).subscribe(running);
        StepVerifier.create(call.mono(attempts()))
                .verifyErrorSatisfies(error -> assertThat(error)
                        .isInstanceOfSatisfying(
                                CallRejectedException.class,
                                rejected -> assertThat(rejected.reason()).isEqualTo(Reason.BULKHEAD_FULL)));
        running.cancel();
        StepVerifier.create(call.mono(attempts(Mono.just("a")))).expectNext("a").verifyComplete();
    }

    @Test
    void aClosedPipelineRejects() {
        Pipeline closed = pipeline(bulkhead);
        closed.close();
        StepVerifier.create(ReactiveCall.<String>of(closed).mono(attempts()))
                .verifyErrorSatisfies(error -> assertThat(error)
                        .isInstanceOfSatisfying(
                                CallRejectedException.class,
                                rejected -> assertThat(rejected.reason()).isEqualTo(Reason.CLOSED)));
    }

    @Test
    void aFallbackAnswers() {
        StepVerifier.create(this.<String>call(FallbackPolicy.value("instead"), bulkhead)
                        .mono(attempts(Mono.error(failure))))
                .expectNext("instead")
                .verifyComplete();
    }

    @Test
    void aFallbackWithNullIsEmpty() {
        StepVerifier.create(
                        this.<String>call(FallbackPolicy.value(null), bulkhead).mono(attempts(Mono.error(failure))))
                .verifyComplete();
    }

    @Test
    void aStaleCacheAnswersWithoutASubscription() {
        Operation<String> stock = pipeline(StaleCachePolicy.of(c -> c.fresh(Duration.ofMinutes(1))), bulkhead)
                .operation("stock");
        Mono<String> answer = ReactiveCall.of(stock.key("sku-1")).mono(attempts(Mono.just("7")));
        StepVerifier.create(answer).expectNext("7").verifyComplete();
        StepVerifier.create(answer).expectNext("7").verifyComplete();
        assertThat(probes).hasSize(1);
    }

    @Test
    void aStaleValueAnswersForAFailure() {
        Operation<String> stock = pipeline(StaleCachePolicy.of(c -> c.staleIfError(Duration.ofHours(1))), bulkhead)
                .operation("stock");
        Mono<String> answer = ReactiveCall.of(stock.key("sku-1")).mono(attempts(Mono.just("7"), Mono.error(failure)));
        StepVerifier.create(answer).expectNext("7").verifyComplete();
        time.advance(Duration.ofMinutes(20));
        StepVerifier.create(answer).expectNext("7").verifyComplete();
        assertThat(probes).hasSize(2);
    }

    @Test
    void anEmptyAnswerIsNotKept() {
        Operation<String> stock = pipeline(StaleCachePolicy.of(c -> c.fresh(Duration.ofMinutes(1))), bulkhead)
                .operation("stock");
        Mono<String> answer = ReactiveCall.of(stock.key("sku-1")).mono(attempts(Mono.empty(), Mono.just("7")));
        StepVerifier.create(answer).verifyComplete();
        StepVerifier.create(answer).expectNext("7").verifyComplete();
    }

    @Test
    void subscribersOfOneKeyShareAnAttempt() {
        Operation<String> stock = pipeline(StaleCachePolicy.of(c -> c.fresh(Duration.ofMinutes(1))), bulkhead)
                .operation("stock");
        Mono<String> answer = ReactiveCall.of(stock.key("sku-1")).mono(attempts(after(Duration.ofMillis(10), "7")));
        TestSubscriber<String> first = TestSubscriber.create();
        TestSubscriber<String> second = TestSubscriber.create();
        answer.subscribe(first);
        answer.subscribe(second);
        time.run();
        assertThat(first.getReceivedOnNext()).containsExactly("7");
        assertThat(second.getReceivedOnNext()).containsExactly("7");
        assertThat(probes).hasSize(1);
    }

    @Test
    void whoFollowsGoesOnIfTheFirstCancels() {
        Operation<String> stock = pipeline(StaleCachePolicy.of(c -> c.fresh(Duration.ofMinutes(1))), bulkhead)
                .operation("stock");
        Mono<String> answer =
                ReactiveCall.of(stock.key("sku-1")).mono(attempts(Mono.never(), after(Duration.ofMillis(10), "7")));
        TestSubscriber<String> first = TestSubscriber.create();
        TestSubscriber<String> second = TestSubscriber.create();
        answer.subscribe(first);
        answer.subscribe(second);
        first.cancel();
        time.run();
        probes.get(0).assertWasCancelled();
        assertThat(second.getReceivedOnNext()).containsExactly("7");
    }

    /** Each is the source of another type: one must not get the answer of the other. */
    @Test
    void operationsOfOneNameDoNotShareBecauseBothAreReactive() {
        Pipeline cached = pipeline(StaleCachePolicy.of(c -> c.fresh(Duration.ofMinutes(1))), bulkhead);
        Operation<String> text = cached.operation("stock");
        Operation<Integer> number = cached.operation("stock");
        StepVerifier.create(ReactiveCall.of(text.key("sku-1")).mono(attempt -> Mono.just("seven")))
                .expectNext("seven")
                .verifyComplete();
        StepVerifier.create(ReactiveCall.of(number.key("sku-1")).mono(attempt -> Mono.just(7)))
                .expectNext(7)
                .verifyComplete();
    }

    /** As {@code next()} and {@code take(1)} do. */
    @Test
    void aRefreshGoesOnAfterItsSubscriberHasCancelled() {
        Deque<Runnable> tasks = new ArrayDeque<>();
        Pipeline cached = Pipeline.builder("shop")
                .time(time)
                .policies(
                        StaleCachePolicy.of(
                                c -> c.fresh(Duration.ofMinutes(1)).staleWhileRevalidate(Duration.ofHours(1))),
                        bulkhead)
                .backgroundExecutor(tasks::add)
                .build();
        Operation<String> stock = cached.operation("stock");
        Mono<String> answer =
                ReactiveCall.of(stock.key("sku-1").refreshable()).mono(attempts(Mono.just("7"), Mono.just("8")));
        StepVerifier.create(answer).expectNext("7").verifyComplete();
        time.advance(Duration.ofMinutes(2));
        StepVerifier.create(answer.flux().next()).expectNext("7").verifyComplete();
        assertThat(tasks).hasSize(1);
        tasks.remove().run();
        assertThat(probes).hasSize(2);
        assertThat(bulkhead.inFlight()).isZero();
        StepVerifier.create(answer).expectNext("8").verifyComplete();
    }

    // ---- values that nobody gets

    @Test
    void theValueOfARetriedAttemptIsDiscarded() {
        Operation<String> stock = pipeline(retry(2), bulkhead)
                .operation(
                        "stock",
                        o -> o.classifier((value, error) -> "bad".equals(value) ? Verdict.FAILURE : Verdict.SUCCESS)
                                .discard(ofOperation::add));
        StepVerifier.create(ReactiveCall.of(stock)
                        .mono(attempts(Mono.just("bad"), Mono.just("good")))
                        .doOnDiscard(String.class, discarded::add))
                .then(time::run)
                .expectNext("good")
                .verifyComplete();
        assertThat(discarded).containsExactly("bad");
        assertThat(ofOperation).containsExactly("bad");
    }

    @Test
    void theLastValueThatIsAFailureIsDelivered() {
        Operation<String> stock =
                pipeline(retry(2), bulkhead).operation("stock", o -> o.classifier((value, error) -> Verdict.FAILURE));
        StepVerifier.create(ReactiveCall.of(stock)
                        .mono(attempts(Mono.just("bad"), Mono.just("worse")))
                        .doOnDiscard(String.class, discarded::add))
                .then(time::run)
                .expectNext("worse")
                .verifyComplete();
        assertThat(discarded).containsExactly("bad");
    }

    @Test
    void aValueThatNobodyAskedForIsDiscardedWhenItsSubscriberCancels() {
        ReactiveCall.of(discarding(bulkhead))
                .mono(attempts(Mono.just("a")))
                .doOnDiscard(String.class, discarded::add)
                .subscribe(asksNothing);
        asksNothing.cancel();
        asksNothing.cancel();
        assertThat(discarded).containsExactly("a");
        assertThat(ofOperation).containsExactly("a");
    }

    @Test
    void aFallbackThatNobodyAskedForIsDiscardedWhenItsSubscriberCancels() {
        ReactiveCall.of(discarding(FallbackPolicy.of(error -> "instead"), bulkhead))
                .mono(attempts(Mono.error(failure)))
                .doOnDiscard(String.class, discarded::add)
                .subscribe(asksNothing);
        asksNothing.cancel();
        assertThat(discarded).containsExactly("instead");
        assertThat(ofOperation).containsExactly("instead");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aValueThatACacheKeepsIsNotDiscardedWhenItsSubscriberCancels(boolean already) {
        ReactiveCall<String> call =
                ReactiveCall.of(discarding(StaleCachePolicy.of(c -> c.fresh(Duration.ofMinutes(1))), bulkhead)
                        .key("sku"));
        Mono<String> answer = call.mono(attempts(Mono.just("kept")));
        if (already) {
            StepVerifier.create(answer).expectNext("kept").verifyComplete();
        }
        answer.doOnDiscard(String.class, discarded::add).subscribe(asksNothing);
        asksNothing.cancel();
        StepVerifier.create(answer).expectNext("kept").verifyComplete();
        assertThat(probes).hasSize(1);
        assertThat(discarded).isEmpty();
        assertThat(ofOperation).isEmpty();
    }

    @Test
    void aValueThatACacheInsideKeepsIsNotDiscardedWhenItsSubscriberCancels() {
        ReactiveCall<String> cached = ReactiveCall.of(pipeline(StaleCachePolicy.of(c -> c.fresh(Duration.ofMinutes(1))))
                .<String>operation("cached")
                .key("sku"));
        ReactiveCall.of(discarding(bulkhead))
                .mono(attempt -> cached.mono(attempts(Mono.just("kept"))))
                .doOnDiscard(String.class, discarded::add)
                .subscribe(asksNothing);
        asksNothing.cancel();
        assertThat(discarded).isEmpty();
        assertThat(ofOperation).isEmpty();
    }

    @Test
    void aValueThatComesAfterTheTimeoutIsDiscarded() {
        Late late = new Late();
        StepVerifier.create(ReactiveCall.of(discarding(bulkhead, TimeoutPolicy.of(Duration.ofMillis(50))))
                        .mono(attempt -> late)
                        .doOnDiscard(String.class, discarded::add))
                .then(time::run)
                .verifyError(CallTimeoutException.class);
        late.subscriber.onNext("late");
        late.subscriber.onComplete();
        assertThat(discarded).containsExactly("late");
        assertThat(ofOperation).containsExactly("late");
    }

    @Test
    void aValueThatComesAfterACancelIsDiscarded() {
        Late late = new Late();
        TestSubscriber<String> subscriber = TestSubscriber.create();
        ReactiveCall.of(discarding(bulkhead))
                .mono(attempt -> late)
                .doOnDiscard(String.class, discarded::add)
                .subscribe(subscriber);
        subscriber.cancel();
        late.subscriber.onNext("late");
        late.subscriber.onComplete();
        assertThat(discarded).containsExactly("late");
        assertThat(ofOperation).containsExactly("late");
    }

    private Operation<String> discarding(Policy... policies) {
        return pipeline(policies).operation("stock", o -> o.discard(ofOperation::add));
    }

    @Test
    void anErrorThatComesAfterTheTimeoutIsNobodys() {
        Late late = new Late();
        StepVerifier.create(this.<String>call(bulkhead, TimeoutPolicy.of(Duration.ofMillis(50)))
                        .mono(attempt -> late))
                .then(time::run)
                .verifyError(CallTimeoutException.class);
        late.subscriber.onError(failure);
        assertThat(droppedErrors).isEmpty();
    }

    @Test
    void aSourceThatBreaksTheRulesIsHeardOf() {
        Late rude = new Late();
        TestSubscriber<String> subscriber = TestSubscriber.create();
        this.<String>call(bulkhead).mono(attempt -> rude).subscribe(subscriber);
        rude.subscriber.onNext("a");
        rude.subscriber.onError(failure);
        assertThat(subscriber.getReceivedOnNext()).containsExactly("a");
        assertThat(droppedErrors).containsExactly(failure);
        droppedErrors.clear();
    }

    /** Does not end when it is cancelled, as no good source does. */
    private static final class Late extends Mono<String> {
        private CoreSubscriber<? super String> subscriber = TestSubscriber.create();

        @Override
        public void subscribe(CoreSubscriber<? super String> actual) {
            subscriber = actual;
            actual.onSubscribe(new Subscription() {
                @Override
                public void request(long n) {}

                @Override
                public void cancel() {}
            });
        }
    }
}
