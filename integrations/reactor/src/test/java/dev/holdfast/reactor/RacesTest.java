/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.reactor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

/** On real threads: whoever is first, nothing is lost, delivered twice, dropped or kept. */
class RacesTest extends Bench {
    private static final int ROUNDS = 10_000;

    private final BulkheadPolicy permits =
            BulkheadPolicy.of(b -> b.maxConcurrentCalls(1_000).maxWait(Duration.ZERO));
    private final Pipeline pipeline = Pipeline.builder("inventory")
            .policies(
                    RetryPolicy.of(r -> r.maxAttempts(2)
                            .initialBackoff(Duration.ofMillis(1))
                            .maxBackoff(Duration.ofMillis(1))
                            .budgetEnabled(false)),
                    permits,
                    TimeoutPolicy.of(Duration.ofMinutes(5)))
            .build();

    @AfterEach
    void allPermitsAreBack() {
        assertThat(permits.inFlight()).isZero();
        pipeline.close();
    }

    /** What a subscriber hears, also after it has cancelled, and whether that is by the rules. */
    private static final class Heard implements CoreSubscriber<Integer> {
        final List<Integer> elements = new CopyOnWriteArrayList<>();
        final AtomicInteger inside = new AtomicInteger();
        private final long initially;
        private volatile @Nullable Subscription subscription;
        volatile boolean ended;
        volatile @Nullable String broken;

        Heard(long initially) {
            this.initially = initially;
        }

        @Override
        public void onSubscribe(Subscription given) {
            subscription = given;
            if (initially > 0) {
                given.request(initially);
            }
        }

        private void hear(String what, Runnable rest) {
            if (ended) {
                broken = what + " after the end";
            }
            if (inside.getAndIncrement() != 0) {
                broken = what + " beside another signal";
            }
            rest.run();
            inside.getAndDecrement();
        }

        @Override
        public void onNext(Integer element) {
            hear("an element", () -> elements.add(element));
        }

        @Override
        public void onError(Throwable error) {
            hear("an error", () -> ended = true);
        }

        @Override
        public void onComplete() {
            hear("the end", () -> ended = true);
        }

        void request(long n) {
            Objects.requireNonNull(subscription).request(n);
        }

        void cancel() {
            Objects.requireNonNull(subscription).cancel();
        }
    }

    private interface Side {
        void go(int round) throws Exception;
    }

    /** Both sides of each round begin at once; between rounds one of them looks at what has come of it. */
    private static void race(Side one, Side other, Side before, Side after) throws Exception {
        CyclicBarrier barrier = new CyclicBarrier(2);
        FutureTask<Void> others = new FutureTask<>(() -> {
            for (int round = 0; round < ROUNDS; round++) {
                barrier.await(1, TimeUnit.MINUTES);
                other.go(round);
                barrier.await(1, TimeUnit.MINUTES);
            }
            return null;
        });
        new Thread(others).start();
        for (int round = 0; round < ROUNDS; round++) {
            before.go(round);
            barrier.await(1, TimeUnit.MINUTES);
            one.go(round);
            barrier.await(1, TimeUnit.MINUTES);
            after.go(round);
        }
        others.get(1, TimeUnit.MINUTES);
    }

    /** A source that gives its value although it was cancelled meanwhile, as the rules allow. */
    private static final class Given extends Mono<Integer> {
        private volatile @Nullable CoreSubscriber<? super Integer> subscriber;

        @Override
        public void subscribe(CoreSubscriber<? super Integer> actual) {
            subscriber = actual;
            actual.onSubscribe(Operators.emptySubscription());
        }

        void give(int value) {
            CoreSubscriber<? super Integer> to = Objects.requireNonNull(subscriber);
            to.onNext(value);
            to.onComplete();
        }
    }

    @Test
    void aValueAndACancel() throws Exception {
        Given given = new Given();
        AtomicReference<Heard> subscriber = new AtomicReference<>();
        Mono<Integer> answer =
                ReactiveCall.<Integer>of(pipeline).mono(attempt -> given).doOnDiscard(Integer.class, discarded::add);
        race(
                round -> subscriber.get().cancel(),
                round -> given.give(round),
                round -> {
                    subscriber.set(new Heard(Long.MAX_VALUE));
                    answer.subscribe(subscriber.get());
                },
                round -> {
                    int got = subscriber.get().elements.size();
                    assertThat(got + discarded.size()).as("round %d", round).isOne();
                    assertThat(subscriber.get().broken).isNull();
                    assertThat(permits.inFlight()).isZero();
                    discarded.clear();
                });
    }

    @Test
    void anErrorAndACancel() throws Exception {
        AtomicReference<MonoSink<Integer>> sink = new AtomicReference<>();
        AtomicReference<Heard> subscriber = new AtomicReference<>();
        Mono<Integer> answer = ReactiveCall.<Integer>of(pipeline.operation("once", o -> o.idempotent(false)))
                .mono(attempt -> Mono.create(sink::set));
        IOException failure = new IOException("down");
        race(
                round -> subscriber.get().cancel(),
                round -> sink.get().error(failure),
                round -> {
                    subscriber.set(new Heard(Long.MAX_VALUE));
                    answer.subscribe(subscriber.get());
                },
                round -> {
                    assertThat(subscriber.get().broken).isNull();
                    assertThat(permits.inFlight()).isZero();
                });
        // A sink tells of an error for which nobody is there any more, whatever stands behind it.
        assertThat(droppedErrors).allSatisfy(error -> assertThat(error).isSameAs(failure));
        droppedErrors.clear();
    }

    @Test
    void theFirstElementADemandAndACancel() throws Exception {
        AtomicReference<FluxSink<Integer>> sink = new AtomicReference<>();
        AtomicReference<Heard> subscriber = new AtomicReference<>();
        Flux<Integer> answer = ReactiveCall.<Integer>of(pipeline)
                .flux(attempt -> Flux.<Integer>create(sink::set))
                .doOnDiscard(Integer.class, discarded::add);
        race(
                round -> {
                    subscriber.get().request(2);
                    subscriber.get().cancel();
                },
                round -> sink.get().next(1).next(2).next(3).complete(),
                round -> {
                    subscriber.set(new Heard(0));
                    answer.subscribe(subscriber.get());
                },
                round -> {
                    int got = subscriber.get().elements.size();
                    assertThat(got).isLessThanOrEqualTo(2);
                    assertThat(got + discarded.size()).as("round %d", round).isEqualTo(3);
                    assertThat(subscriber.get().broken).isNull();
                    assertThat(permits.inFlight()).isZero();
                    discarded.clear();
                });
    }

    @Test
    void theFirstElementAndDemandOneByOne() throws Exception {
        AtomicReference<FluxSink<Integer>> sink = new AtomicReference<>();
        AtomicReference<Heard> subscriber = new AtomicReference<>();
        Flux<Integer> answer = ReactiveCall.<Integer>of(pipeline).flux(attempt -> Flux.<Integer>create(sink::set));
        race(
                round -> {
                    for (int i = 0; i < 4; i++) {
                        subscriber.get().request(1);
                    }
                },
                round -> sink.get().next(1).next(2).next(3).complete(),
                round -> {
                    subscriber.set(new Heard(0));
                    answer.subscribe(subscriber.get());
                },
                round -> {
                    assertThat(subscriber.get().elements).containsExactly(1, 2, 3);
                    assertThat(subscriber.get().ended).isTrue();
                    assertThat(subscriber.get().broken).isNull();
                });
    }

    @Test
    void aThousandAtOnce() {
        Set<Integer> failed = ConcurrentHashMap.newKeySet();
        ReactiveCall<Integer> call = ReactiveCall.of(pipeline);
        StepVerifier.create(Flux.range(0, 1_000)
                        .flatMap(
                                i -> call.mono(attempt -> Mono.fromCallable(() -> {
                                            if (failed.add(i)) {
                                                throw new IOException("down");
                                            }
                                            return i;
                                        })
                                        .subscribeOn(Schedulers.parallel())),
                                1_000)
                        .collect(ConcurrentHashMap::<Integer>newKeySet, Set::add))
                .assertNext(all -> assertThat(all).hasSize(1_000))
                .verifyComplete();
    }
}
