/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.reactor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallTimeoutException;
import dev.holdfast.Operation;
import dev.holdfast.Verdict;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;
import reactor.test.publisher.TestPublisher.Violation;
import reactor.test.subscriber.TestSubscriber;

/** A Flux with a pipeline around its beginning. */
class FluxTest extends Bench {
    private final IOException failure = new IOException("down");

    private static TestSubscriber<String> asking(long elements) {
        return TestSubscriber.builder().initialRequest(elements).build();
    }

    // ---- elements

    @Test
    void allElementsCome() {
        StepVerifier.create(this.<String>call(retry(3), bulkhead).flux(streams(Flux.just("a", "b", "c"))))
                .expectNext("a", "b", "c")
                .verifyComplete();
        assertThat(probes).hasSize(1);
    }

    @Test
    void transformIsTheSame() {
        StepVerifier.create(Flux.just(1, 2).transform(ReactiveCall.of(pipeline(bulkhead))))
                .expectNext(1, 2)
                .verifyComplete();
    }

    @Test
    void anEmptyFluxIsASuccess() {
        StepVerifier.create(this.<String>call(retry(3), bulkhead).flux(streams(Flux.empty())), 0)
                .verifyComplete();
        assertThat(probes).hasSize(1);
    }

    @Test
    void oneElement() {
        StepVerifier.create(this.<String>call(bulkhead).flux(streams(Flux.just("a"))))
                .expectNext("a")
                .verifyComplete();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7})
    void elementsComeAsTheyAreAskedFor(int atOnce) {
        List<Long> asked = new ArrayList<>();
        TestSubscriber<Integer> subscriber =
                TestSubscriber.builder().initialRequest(0).build();
        this.<Integer>call(bulkhead)
                .flux(attempt -> Flux.range(0, 20).hide().doOnRequest(asked::add))
                .subscribe(subscriber);
        assertThat(asked).as("before the subscriber asks").containsExactly(1L);
        for (int got = 0; got < 20; got += atOnce) {
            assertThat(subscriber.getReceivedOnNext()).hasSize(got);
            subscriber.request(atOnce);
        }
        assertThat(subscriber.getReceivedOnNext()).hasSize(20).isSorted();
        assertThat(subscriber.isTerminatedComplete()).isTrue();
        long most = (20 + atOnce - 1) / atOnce * (long) atOnce;
        assertThat(asked.stream().mapToLong(n -> n).sum()).isEqualTo(most);
    }

    @Test
    void noDemandIsNoDemand() {
        List<Long> asked = new ArrayList<>();
        this.<Integer>call(bulkhead)
                .flux(attempt -> Flux.range(0, 20).hide().doOnRequest(asked::add))
                .subscribe();
        assertThat(asked).containsExactly(1L, Long.MAX_VALUE);
    }

    /** As it asks in onNext, the demand comes while the first element is being delivered. */
    @Test
    void whoAsksForTheNextInsideTheLastGetsAll() {
        StepVerifier.create(
                        this.<Integer>call(bulkhead)
                                .flux(attempt -> Flux.range(0, 1_000).hide())
                                .limitRate(1),
                        1_000)
                .expectNextCount(1_000)
                .verifyComplete();
    }

    @Test
    void aFusedSourceAndAFusedOperatorBehind() {
        StepVerifier.create(this.<Integer>call(bulkhead)
                        .flux(attempt -> Flux.range(0, 1_000).map(i -> i + 1))
                        .filter(i -> i % 2 == 0)
                        .publishOn(Schedulers.immediate(), 3))
                .expectNextCount(500)
                .verifyComplete();
    }

    @Test
    void anEndlessFluxEndsWithItsSubscriber() {
        AtomicLong emitted = new AtomicLong();
        StepVerifier.create(this.<Long>call(bulkhead)
                        .flux(attempt -> Flux.generate(sink -> sink.next(emitted.incrementAndGet())))
                        .takeUntil(i -> i == 10_000)) // which asks for all that there is
                .expectNextCount(10_000)
                .verifyComplete();
        assertThat(emitted).hasValue(10_000);
    }

    @Test
    void elementsOfOtherThreadsComeInTheirOrder() {
        StepVerifier.create(this.<Integer>call(retry(3), bulkhead)
                        .flux(attempt -> Flux.range(0, 10_000).publishOn(Schedulers.parallel(), 4))
                        .publishOn(Schedulers.single(), 8)
                        .reduce(0, (sum, i) -> {
                            assertThat(i).isEqualTo(sum);
                            return sum + 1;
                        }))
                .expectNext(10_000)
                .verifyComplete();
    }

    @Test
    void theEndWaitsForTheFirstElement() {
        TestSubscriber<String> subscriber = asking(0);
        this.<String>call(bulkhead).flux(streams(Flux.just("a"))).subscribe(subscriber);
        assertThat(subscriber.isTerminated()).isFalse();
        subscriber.request(1);
        assertThat(subscriber.getReceivedOnNext()).containsExactly("a");
        assertThat(subscriber.isTerminatedComplete()).isTrue();
    }

    // ---- where the call ends

    @Test
    void thePermitIsBackAtTheFirstElement() {
        TestPublisher<String> source = TestPublisher.create();
        TestSubscriber<String> subscriber = asking(10);
        this.<String>call(bulkhead).flux(attempt -> source).subscribe(subscriber);
        assertThat(bulkhead.inFlight()).isOne();
        source.next("a");
        assertThat(bulkhead.inFlight()).isZero();
        source.next("b").complete();
        assertThat(subscriber.getReceivedOnNext()).containsExactly("a", "b");
    }

    @Test
    void aSourceThatHasEndedIsNotCancelled() {
        List<String> told = new ArrayList<>();
        List<Flux<String>> sources = List.of(Flux.empty(), Flux.error(failure), Flux.just("a"), Flux.just("a", "b"));
        for (Flux<String> source : sources) {
            StepVerifier.create(this.<String>call(retry(2), bulkhead)
                            .flux(attempt -> source.doOnTerminate(() -> told.add("ended"))
                                    .doOnCancel(() -> told.add("cancelled")))
                            .onErrorComplete())
                    .then(time::run)
                    .thenConsumeWhile(element -> true)
                    .verifyComplete();
        }
        assertThat(told).containsExactly("ended", "ended", "ended", "ended", "ended");
        // Nor is one whose end waits for a subscriber that cancels.
        TestSubscriber<String> subscriber = asking(0);
        this.<String>call(bulkhead)
                .flux(attempt -> Flux.just("a").hide().doOnCancel(() -> told.add("cancelled")))
                .subscribe(subscriber);
        subscriber.cancel();
        assertThat(told).doesNotContain("cancelled");
    }

    @Test
    void anErrorBeforeTheFirstElementIsRetried() {
        StepVerifier.create(
                        this.<String>call(retry(3), bulkhead).flux(streams(Flux.error(failure), Flux.just("a", "b"))))
                .then(time::run)
                .expectNext("a", "b")
                .verifyComplete();
    }

    @Test
    void anErrorAfterTheFirstElementIsDeliveredAndNotRetried() {
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.ofDefaults();
        StepVerifier.create(this.<String>call(retry(3), breaker, bulkhead)
                        .flux(streams(Flux.concat(Flux.just("a", "b"), Flux.error(failure)))))
                .expectNext("a", "b")
                .verifyErrorSatisfies(error -> assertThat(error).isSameAs(failure));
        time.run();
        assertThat(probes).hasSize(1);
        assertThat(breaker.asResilience4j().getMetrics().getNumberOfFailedCalls())
                .isZero();
    }

    @Test
    void anErrorRightAfterTheFirstElementWaitsForItsDelivery() {
        TestSubscriber<String> subscriber = asking(0);
        this.<String>call(retry(3), bulkhead)
                .flux(streams(Flux.concat(Flux.just("a"), Flux.error(failure))))
                .subscribe(subscriber);
        subscriber.request(1);
        assertThat(subscriber.getReceivedOnNext()).containsExactly("a");
        subscriber.request(1);
        assertThat(subscriber.expectTerminalError()).isSameAs(failure);
    }

    @Test
    void aTimeoutHoldsUntilTheFirstElement() {
        StepVerifier.create(this.<String>call(retry(2), bulkhead, TimeoutPolicy.of(Duration.ofMillis(50)))
                        .flux(streams(Flux.never(), after(Duration.ofSeconds(1), "late"))))
                .then(time::run)
                .verifyError(CallTimeoutException.class);
        probes.get(0).assertWasCancelled();
        probes.get(1).assertWasCancelled();
    }

    @Test
    void aTimeoutDoesNotHoldAfterTheFirstElement() {
        StepVerifier.create(this.<String>call(bulkhead, TimeoutPolicy.of(Duration.ofMillis(50)))
                        .flux(streams(Flux.concat(Flux.just("a"), after(Duration.ofSeconds(10), "b")))))
                .expectNext("a")
                .then(time::run)
                .expectNext("b")
                .verifyComplete();
    }

    @Test
    void theLoserOfAHedgeIsCancelledAndTheWinnerFlows() {
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(Duration.ofMillis(20)));
        StepVerifier.create(this.<String>call(hedge, bulkhead)
                        .flux(streams(
                                Flux.never(), Flux.concat(after(Duration.ofMillis(10), "a"), Flux.just("b", "c")))))
                .then(time::run)
                .expectNext("a", "b", "c")
                .verifyComplete();
        probes.get(0).assertWasCancelled();
        probes.get(1).assertWasNotCancelled();
    }

    @Test
    void aFirstElementThatIsAFailureIsRetriedAndItsSourceCancelled() {
        Operation<String> stock = pipeline(retry(2), bulkhead)
                .operation(
                        "stock",
                        o -> o.classifier((value, error) -> "bad".equals(value) ? Verdict.FAILURE : Verdict.SUCCESS));
        StepVerifier.create(ReactiveCall.of(stock)
                        .flux(streams(Flux.just("bad").concatWith(Flux.never()), Flux.just("a", "b")))
                        .doOnDiscard(String.class, discarded::add))
                .then(time::run)
                .expectNext("a", "b")
                .verifyComplete();
        probes.get(0).assertWasCancelled();
        assertThat(discarded).containsExactly("bad");
    }

    /** The call knows first elements by the object alone, and these are the same. */
    @Test
    void theLastOfSeveralFailuresFlows() {
        Operation<String> stock =
                pipeline(retry(3), bulkhead).operation("stock", o -> o.classifier((value, error) -> Verdict.FAILURE));
        StepVerifier.create(ReactiveCall.of(stock)
                        .flux(streams(
                                Flux.just("bad", "1").concatWith(Flux.never()),
                                Flux.just("bad", "2").concatWith(Flux.never()),
                                Flux.just("bad", "3"))))
                .then(time::run)
                .expectNext("bad", "3")
                .verifyComplete();
        probes.get(0).assertWasCancelled();
        probes.get(1).assertWasCancelled();
    }

    /** It must not be closed, and so the call does not tell that nobody gets it. */
    @Test
    void aFirstElementThatACacheKeepsEndsWithTheCallToo() {
        Operation<String> cached = pipeline(StaleCachePolicy.of(c -> c.fresh(Duration.ofMinutes(1))))
                .operation("cached");
        Flux<String> kept = ReactiveCall.of(cached.key("sku-1"))
                .mono(attempt -> Mono.just("bad"))
                .concatWith(Flux.never());
        Operation<String> stock = pipeline(retry(2), bulkhead)
                .operation(
                        "stock",
                        o -> o.classifier((value, error) -> "bad".equals(value) ? Verdict.FAILURE : Verdict.SUCCESS));
        StepVerifier.create(ReactiveCall.of(stock)
                        .flux(streams(kept, Flux.just("a", "b")))
                        .doOnDiscard(String.class, discarded::add))
                .then(time::run)
                .expectNext("a", "b")
                .verifyComplete();
        probes.get(0).assertWasCancelled();
        assertThat(discarded).isEmpty();
    }

    @Test
    void aFallbackIsTheOnlyElement() {
        StepVerifier.create(this.<String>call(FallbackPolicy.value("instead"), bulkhead)
                        .flux(streams(Flux.error(failure))))
                .expectNext("instead")
                .verifyComplete();
    }

    /** An attempt that has failed began with the very object. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void soIsOneWithWhichAFailedSourceBegan(int attempts) {
        Operation<String> stock = pipeline(FallbackPolicy.value("unknown"), retry(attempts), bulkhead)
                .operation(
                        "stock",
                        o -> o.classifier(
                                (value, error) -> "unknown".equals(value) ? Verdict.FAILURE : Verdict.SUCCESS));
        AtomicInteger cancelled = new AtomicInteger();
        Flux<String> failing = Flux.just("unknown", "up").doOnCancel(cancelled::incrementAndGet);
        StepVerifier.create(ReactiveCall.of(stock).flux(streams(failing, failing)))
                .then(time::run)
                .expectNext("unknown")
                .verifyComplete();
        assertThat(cancelled).hasValue(attempts);
    }

    @Test
    void noCacheKeepsTheFirstElementOnly() {
        Operation<String> stock = pipeline(StaleCachePolicy.of(c -> c.fresh(Duration.ofMinutes(1))), bulkhead)
                .operation("stock");
        Flux<String> answer =
                ReactiveCall.of(stock.key("sku-1")).flux(streams(Flux.just("a", "b"), Flux.just("c", "d")));
        StepVerifier.create(answer).expectNext("a", "b").verifyComplete();
        StepVerifier.create(answer).expectNext("c", "d").verifyComplete();
    }

    // ---- cancelled

    @Test
    void cancelBeforeTheFirstElementEndsIt() {
        TestSubscriber<String> subscriber = asking(10);
        this.<String>call(retry(3), bulkhead).flux(streams(Flux.never())).subscribe(subscriber);
        subscriber.cancel();
        probes.get(0).assertWasCancelled();
        time.run();
        assertThat(probes).hasSize(1);
    }

    @Test
    void cancelDuringABackoffEndsIt() {
        TestSubscriber<String> subscriber = asking(10);
        this.<String>call(retry(3), bulkhead).flux(streams(Flux.error(failure))).subscribe(subscriber);
        subscriber.cancel();
        time.run();
        assertThat(probes).hasSize(1);
        assertThat(subscriber.isTerminated()).isFalse();
    }

    @Test
    void cancelAfterTheFirstElementEndsTheSource() {
        TestPublisher<String> source = TestPublisher.create();
        TestSubscriber<String> subscriber = asking(10);
        this.<String>call(bulkhead).flux(attempt -> source).subscribe(subscriber);
        source.next("a");
        subscriber.cancel();
        source.assertCancelled();
        assertThat(subscriber.getReceivedOnNext()).containsExactly("a");
    }

    @Test
    void cancelWithAFirstElementThatNobodyAskedForDiscardsIt() {
        TestPublisher<String> source = TestPublisher.create();
        TestSubscriber<String> subscriber = asking(0);
        List<Object> ofOperation = new ArrayList<>();
        Operation<String> stock = pipeline(bulkhead).operation("stock", o -> o.discard(ofOperation::add));
        ReactiveCall.of(stock)
                .flux(attempt -> source)
                .doOnDiscard(String.class, discarded::add)
                .subscribe(subscriber);
        source.next("a");
        subscriber.cancel();
        source.assertCancelled();
        assertThat(discarded).containsExactly("a");
        assertThat(ofOperation).containsExactly("a");
    }

    /** The call knows first elements by the object alone, and these are the same. */
    @Test
    void aFirstElementAfterTheTimeoutIsDiscardedAndTheNextAttemptFlows() {
        TestPublisher<String> late = TestPublisher.createNoncompliant(Violation.DEFER_CANCELLATION);
        TestPublisher<String> flows = TestPublisher.create();
        List<Object> ofOperation = new ArrayList<>();
        Operation<String> stock = pipeline(retry(2), bulkhead, TimeoutPolicy.of(Duration.ofMillis(50)))
                .operation(
                        "stock",
                        o -> o.classifier((value, error) -> {
                                    if (value != null) {
                                        // The other one has been given up, and the call does not have this one yet.
                                        late.next("a");
                                    }
                                    return error == null ? Verdict.SUCCESS : Verdict.FAILURE;
                                })
                                .discard(ofOperation::add));
        StepVerifier.create(ReactiveCall.of(stock)
                        .flux(streams(late.flux(), flows.flux()))
                        .doOnDiscard(String.class, discarded::add))
                .then(() -> time.advance(Duration.ofMillis(150)))
                .then(() -> flows.next("a").next("b").complete())
                .expectNext("a", "b")
                .verifyComplete();
        assertThat(discarded).containsExactly("a");
        assertThat(ofOperation).containsExactly("a");
    }

    @Test
    void cancelInTheFirstElementEndsTheSource() {
        AtomicInteger emitted = new AtomicInteger();
        StepVerifier.create(this.<Integer>call(bulkhead)
                        .flux(attempt -> Flux.<Integer>generate(sink -> sink.next(emitted.incrementAndGet())))
                        .take(1))
                .expectNext(1)
                .verifyComplete();
        assertThat(emitted).hasValue(1);
    }

    // ---- bad sources

    @Test
    void anElementThatNobodyAskedForIsAnErrorAndNotLostInSilence() {
        TestPublisher<String> source = TestPublisher.createNoncompliant(Violation.REQUEST_OVERFLOW);
        TestSubscriber<String> subscriber = asking(0);
        this.<String>call(bulkhead)
                .flux(attempt -> source)
                .doOnDiscard(String.class, discarded::add)
                .subscribe(subscriber);
        source.next("a", "b");
        subscriber.request(10);
        assertThat(subscriber.getReceivedOnNext()).containsExactly("a");
        assertThat(subscriber.expectTerminalError()).isInstanceOf(IllegalStateException.class);
        assertThat(discarded).containsExactly("b");
        source.assertCancelled();
    }

    /** The call is over, and so is the pipeline's part. */
    @Test
    void afterTheFirstElementNobodyCountsWhatTheSourceGives() {
        TestPublisher<String> source = TestPublisher.createNoncompliant(Violation.REQUEST_OVERFLOW);
        TestSubscriber<String> subscriber = asking(1);
        this.<String>call(bulkhead).flux(attempt -> source).subscribe(subscriber);
        source.next("a", "b");
        assertThat(subscriber.getReceivedOnNext()).containsExactly("a", "b");
        assertThat(subscriber.isTerminated()).isFalse();
        source.assertNotCancelled();
    }

    @Test
    void aPublisherOfAnotherLibraryIsASourceToo() {
        StepVerifier.create(this.<String>call(bulkhead)
                        .flux(attempt -> subscriber -> Mono.just("a").subscribe(subscriber)))
                .expectNext("a")
                .verifyComplete();
    }
}
