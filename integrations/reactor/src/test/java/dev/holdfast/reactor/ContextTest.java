/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.reactor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.internal.micrometer.DeadlineAccessor;
import dev.holdfast.timeout.TimeoutPolicy;
import io.micrometer.context.ContextRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;
import reactor.util.context.Context;

/** What holds where somebody subscribes, holds in each attempt, on whichever thread that is. */
class ContextTest extends Bench {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final ThreadLocal<String> REQUEST = new ThreadLocal<>();

    private final List<@Nullable Object> seen = new CopyOnWriteArrayList<>();
    private final List<Thread> threads = new CopyOnWriteArrayList<>();

    private static Mono<String> failing() {
        return Mono.error(new IOException("down"));
    }

    // ---- Reactor's context

    @Test
    void eachAttemptSeesTheContextOfItsSubscriber() {
        Mono<String> answer = this.<String>call(retry(3), bulkhead)
                .mono(attempt -> Mono.deferContextual(context -> {
                    seen.add(context.get("user"));
                    threads.add(Thread.currentThread());
                    return attempt.number() < 3 ? failing() : Mono.just("a");
                }));
        for (String user : List.of("ann", "bob")) {
            StepVerifier.create(answer.contextWrite(context -> context.put("user", user)))
                    .then(time::run)
                    .expectNext("a")
                    .verifyComplete();
        }
        assertThat(seen).containsExactly("ann", "ann", "ann", "bob", "bob", "bob");
        assertThat(threads.get(1)).isNotSameAs(threads.get(0));
    }

    @Test
    void eachAttemptOfAFluxSeesIt() {
        StepVerifier.create(this.<String>call(retry(2), bulkhead)
                        .flux(attempt -> Flux.deferContextual(context -> {
                            seen.add(context.get("user"));
                            return attempt.number() < 2 ? failing() : Flux.just("a", "b");
                        }))
                        .contextWrite(context -> context.put("user", "ann")))
                .then(time::run)
                .expectNext("a", "b")
                .verifyComplete();
        assertThat(seen).containsExactly("ann", "ann");
    }

    // ---- the deadline

    @Test
    void theDeadlineOfTheSubscribingThreadHoldsInEachAttempt() {
        Mono<String> answer = this.<String>call(retry(2), bulkhead).mono(attempt -> {
            seen.add(Deadline.remaining().orElseThrow());
            return attempt.number() < 2 ? failing() : Mono.just("a");
        });
        Deadline.within(
                time,
                SECOND,
                () -> StepVerifier.create(answer)
                        .then(time::run)
                        .expectNext("a")
                        .verifyComplete());
        assertThat(seen).containsExactly(SECOND, SECOND.minus(BACKOFF));
    }

    @Test
    void theDeadlineOfTheSubscribingThreadEndsTheCall() {
        Deadline.within(
                time,
                SECOND,
                () -> StepVerifier.create(this.<String>call(bulkhead).mono(attempt -> Mono.never()))
                        .then(time::run)
                        .verifyError(CallTimeoutException.class));
    }

    @Test
    void theAttemptHasItsOwnLimit() {
        StepVerifier.create(this.<String>call(bulkhead, TimeoutPolicy.of(Duration.ofMillis(50)))
                        .mono(attempt -> {
                            seen.add(Deadline.remaining().orElseThrow());
                            return Mono.just("a");
                        }))
                .expectNext("a")
                .verifyComplete();
        assertThat(seen).containsExactly(Duration.ofMillis(50));
        assertThat(Deadline.remaining()).isEmpty();
    }

    private Context within(Duration limit, Context context) {
        return Deadline.within(time, limit, () -> ReactiveCall.capture(context));
    }

    @Test
    void aDeadlineInTheContextHolds() {
        StepVerifier.create(this.<String>call(bulkhead)
                        .mono(attempt -> {
                            seen.add(Deadline.remaining().orElseThrow());
                            return Mono.never();
                        })
                        .contextWrite(context -> within(SECOND, context)))
                .then(time::run)
                .verifyError(CallTimeoutException.class);
        assertThat(seen).containsExactly(SECOND);
        assertThat(Deadline.remaining()).isEmpty();
    }

    @Test
    void aDeadlineInTheContextThatIsOverRejects() {
        StepVerifier.create(this.<String>call(bulkhead)
                        .mono(attempts())
                        .contextWrite(context -> within(Duration.ZERO, context)))
                .verifyErrorSatisfies(error -> assertThat(error)
                        .isInstanceOfSatisfying(
                                CallRejectedException.class,
                                rejected -> assertThat(rejected.reason()).isEqualTo(Reason.DEADLINE_EXCEEDED)));
    }

    @Test
    void theShorterOneOfThreadAndContextHolds() {
        Mono<String> answer = this.<String>call(bulkhead).mono(attempt -> {
            seen.add(Deadline.remaining().orElseThrow());
            return Mono.just("a");
        });
        Duration longer = SECOND.multipliedBy(2);
        // Made where nothing else holds: inside a shorter one they would be as short.
        Context later = within(longer, Context.empty());
        Context sooner = within(SECOND, Context.empty());
        Deadline.within(time, SECOND, () -> answer.contextWrite(later).subscribe());
        Deadline.within(time, longer, () -> answer.contextWrite(sooner).subscribe());
        assertThat(seen).containsExactly(SECOND, SECOND);
    }

    @Test
    void whatIsNoDeadlineInTheContextIsLeftAlone() {
        StepVerifier.create(this.<String>call(bulkhead)
                        .mono(attempt -> Mono.just("a"))
                        .contextWrite(context -> context.put(DeadlineAccessor.KEY, "tomorrow")))
                .expectNext("a")
                .verifyComplete();
    }

    @Test
    void nothingBoundChangesNoContext() {
        Context context = Context.of("a", 1);
        assertThat(ReactiveCall.capture(context)).isSameAs(context);
    }

    /** A flatMap behind an answer that came on some thread of the client's. */
    @Test
    void aPipelineInsideTheSourceInheritsTheLimitWhereverItIsSubscribed() {
        ReactiveCall<String> outer = call(DeadlinePolicy.of(SECOND));
        ReactiveCall<String> inner = call(bulkhead);
        StepVerifier.create(outer.mono(attempt -> after(Duration.ofMillis(400), "a")
                        .flatMap(a -> {
                            threads.add(Thread.currentThread());
                            return inner.mono(inside -> {
                                seen.add(Deadline.remaining().orElseThrow());
                                return Mono.never();
                            });
                        })))
                .then(time::run)
                .verifyError(CallTimeoutException.class);
        assertThat(seen).containsExactly(Duration.ofMillis(600));
        assertThat(threads).doesNotContain(Thread.currentThread());
    }

    @Test
    void aPipelineInsideARetryDoesNotRetry() {
        ReactiveCall<String> outer = call(retry(3));
        ReactiveCall<String> inner = call(retry(3), bulkhead);
        StepVerifier.create(outer.mono(attempt -> after(Duration.ofMillis(1), "a")
                        .flatMap(a -> inner.mono(inside -> {
                            seen.add(attempt.number());
                            return failing();
                        }))))
                .then(time::run)
                .verifyError(IOException.class);
        assertThat(seen).containsExactly(1, 1, 1, 2, 3);
    }

    @Test
    void afterTheFirstElementTheLimitOfTheAttemptIsOver() {
        ReactiveCall<String> outer = call(TimeoutPolicy.of(Duration.ofMillis(50)));
        ReactiveCall<String> inner = call(bulkhead);
        StepVerifier.create(outer.flux(attempt -> Flux.concat(Mono.just("a"), after(SECOND, "b"))
                        .concatMap(element -> inner.mono(inside -> {
                            seen.add(Deadline.remaining());
                            return Mono.just(element);
                        }))))
                .then(time::run)
                .expectNext("a", "b")
                .verifyComplete();
        assertThat(seen).containsExactly(Optional.of(Duration.ofMillis(50)), Optional.empty());
    }

    @Test
    void whatFollowsTheAnswerHasTheDeadlineOfTheSubscriber() {
        Deadline.within(
                time,
                SECOND,
                () -> StepVerifier.create(this.<String>call(bulkhead)
                                .mono(attempt -> after(Duration.ofMillis(400), "a"))
                                .doOnNext(
                                        answer -> seen.add(Deadline.remaining().orElseThrow())))
                        .then(time::run)
                        .expectNext("a")
                        .verifyComplete());
        assertThat(seen).containsExactly(Duration.ofMillis(600));
    }

    // ---- Micrometer's context-propagation

    @Test
    void aCapturedContextHasTheDeadline() {
        Scheduler elsewhere = Schedulers.newSingle("elsewhere");
        try {
            Mono<String> answer = this.<String>call(bulkhead)
                    .mono(attempt -> {
                        seen.add(Deadline.remaining().orElseThrow());
                        return Mono.just("a");
                    })
                    .subscribeOn(elsewhere)
                    .contextCapture();
            assertThat(Deadline.within(time, SECOND, () -> answer.block())).isEqualTo("a");
            assertThat(seen).containsExactly(SECOND);
        } finally {
            elsewhere.dispose();
        }
    }

    /** As those of {@code Flux.interval}: what holds is captured once, and restored in each of them. */
    private Flux<String> ticks(Duration period) {
        return Flux.create(sink -> {
            Runnable tick = Schedulers.onSchedule(() -> sink.next("tick"));
            for (int i = 1; i <= 3; i++) {
                time.schedule(period.multipliedBy(i).toNanos(), tick);
            }
            time.schedule(period.multipliedBy(3).toNanos() + 1, sink::complete);
        });
    }

    @Test
    void whatAStreamHasCapturedIsThatOfItsSubscriberAfterTheFirstElement() {
        Duration period = Duration.ofMillis(40);
        Hooks.enableAutomaticContextPropagation();
        try {
            Flux<String> stream = this.<String>call(TimeoutPolicy.of(Duration.ofMillis(50)))
                    .flux(attempt -> ticks(period).doOnNext(tick -> seen.add(Deadline.remaining())));
            StepVerifier.create(stream).then(time::run).expectNextCount(3).verifyComplete();
            assertThat(seen).containsExactly(Optional.of(Duration.ofMillis(10)), Optional.empty(), Optional.empty());
            seen.clear();
            Deadline.within(
                    time,
                    SECOND,
                    () -> StepVerifier.create(stream)
                            .then(time::run)
                            .expectNextCount(3)
                            .verifyComplete());
            assertThat(seen)
                    .containsExactly(
                            Optional.of(Duration.ofMillis(10)),
                            Optional.of(SECOND.minus(period.multipliedBy(2))),
                            Optional.of(SECOND.minus(period.multipliedBy(3))));
        } finally {
            Hooks.disableAutomaticContextPropagation();
        }
    }

    @Test
    void aContextThatAStreamHasCopiedIsThatOfItsSubscriberAfterTheFirstElement() {
        ReactiveCall<String> outer = call(TimeoutPolicy.of(Duration.ofMillis(50)));
        ReactiveCall<String> inner = call(bulkhead);
        StepVerifier.create(outer.flux(attempt ->
                        Flux.deferContextual(copied -> Flux.concat(Mono.just("a"), after(SECOND, "b"))
                                .concatMap(element -> inner.mono(inside -> {
                                            seen.add(Deadline.remaining());
                                            return Mono.just(element);
                                        })
                                        .contextWrite(copied)))))
                .then(time::run)
                .expectNext("a", "b")
                .verifyComplete();
        assertThat(seen).containsExactly(Optional.of(Duration.ofMillis(50)), Optional.empty());
    }

    @Test
    void threadLocalsFollowWithAutomaticPropagation() {
        ContextRegistry.getInstance().registerThreadLocalAccessor("request", REQUEST);
        Hooks.enableAutomaticContextPropagation();
        try (Pipeline pipeline = pipeline(retry(3), bulkhead)) {
            StepVerifier.create(ReactiveCall.<String>of(pipeline)
                            .mono(attempt -> {
                                seen.add("attempt " + attempt.number() + " of " + REQUEST.get());
                                return (attempt.number() < 3 ? failing() : after(BACKOFF, "a"))
                                        .doOnNext(a -> seen.add("source of " + REQUEST.get()));
                            })
                            .doOnNext(a -> seen.add("answer of " + REQUEST.get()))
                            .contextWrite(context -> context.put("request", "r-1")))
                    .then(time::run)
                    .expectNext("a")
                    .verifyComplete();
            assertThat(seen)
                    .containsExactly(
                            "attempt 1 of r-1",
                            "attempt 2 of r-1",
                            "attempt 3 of r-1",
                            "source of r-1",
                            "answer of r-1");
            assertThat(REQUEST.get()).isNull();
            seen.clear();
            // The deadline is one of them.
            StepVerifier.create(ReactiveCall.<String>of(pipeline)
                            .mono(attempt -> after(BACKOFF, "a")
                                    .doOnNext(a -> seen.add(Deadline.remaining().orElseThrow())))
                            .contextWrite(context -> within(SECOND, context)))
                    .then(time::run)
                    .expectNext("a")
                    .verifyComplete();
            assertThat(seen).containsExactly(SECOND.minus(BACKOFF));
        } finally {
            Hooks.disableAutomaticContextPropagation();
            ContextRegistry.getInstance().removeThreadLocalAccessor("request");
        }
    }
}
