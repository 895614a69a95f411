/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A policy is told of an attempt that runs too long while it runs, at most once an entry, and knows of it when it settles. */
@Logs("overdueRunsUserCode of watcher in '.*' threw; told once: .*odd")
@ThreadKind.Each
class OverdueTest {
    private static final long MILLI = 1_000_000;
    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    private final long start = time.nanos();
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void close() {
        time.close();
    }

    /** Asks to be told after so many milliseconds; remembers its name's length in the slot. */
    private class Watcher extends Policy {
        private final String called;
        private final long afterNanos;
        private final AtomicInteger told = new AtomicInteger();
        private final AtomicInteger knew = new AtomicInteger();

        Watcher(String called, long afterNanos) {
            super("watcher", ENTER | SUCCESS | FAILURE | OVERDUE);
            this.called = called;
            this.afterNanos = afterNanos;
        }

        @Override
        public int enter(Passage passage) {
            passage.slot(called.length());
            passage.beside().overdueAfter(afterNanos);
            return PROCEED;
        }

        @Override
        public void overdue(long slot, long now) {
            told.incrementAndGet();
            log.add(called + " told at " + (now - start) / MILLI + " slot " + slot);
        }

        @Override
        public int settle(Passage passage) {
            if (passage.beside().overdue()) {
                knew.incrementAndGet();
            }
            log.add(called + (passage.beside().overdue() ? " settles overdue" : " settles"));
            return KEEP;
        }
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("p").policies(policies).time(time).build();
    }

    private void call(Pipeline p, boolean async, long millis) {
        if (async) {
            CompletableFuture<String> called = p.callAsync(() -> {
                CompletableFuture<String> answer = new CompletableFuture<>();
                time.schedule(millis * MILLI, () -> answer.complete("answer"));
                return answer;
            });
            time.run();
            assertThat(called).isDone();
        } else {
            CompletableFuture<String> called = time.spawn(() -> p.call(() -> {
                time.sleep(Duration.ofMillis(millis));
                return "answer";
            }));
            time.run();
            assertThat(called).isDone();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void eachLayerIsToldInItsTurnAndOnce(boolean async) {
        Pipeline p = pipeline(new Watcher("late", 20 * MILLI), new Watcher("early", 10 * MILLI));
        call(p, async, 50);
        assertThat(log)
                .containsExactly(
                        "early told at 11 slot 5",
                        "late told at 21 slot 4",
                        "early settles overdue",
                        "late settles overdue");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void attemptThatEndsInTimeIsNotTold(boolean async) {
        Pipeline p = pipeline(new Watcher("quick", 10 * MILLI));
        call(p, async, 9);
        call(p, async, 10);
        assertThat(log).containsExactly("quick settles", "quick settles");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void timeoutEndsTheWatchingToo(boolean async) {
        Pipeline p = pipeline(new Watcher("limited", 10 * MILLI), TimeoutPolicy.of(Duration.ofMillis(5)));
        call(p, async, 50);
        assertThat(log).containsExactly("limited settles");
    }

    @Test
    void entryAroundARetryIsToldOnceAndOneInsideItForEachAttempt() {
        Pipeline p = pipeline(
                new Watcher("outer", 10 * MILLI),
                RetryPolicy.of(r ->
                        r.maxAttempts(2).initialBackoff(Duration.ofMillis(1)).maxBackoff(Duration.ofMillis(1))),
                new Watcher("in", 10 * MILLI));
        CompletableFuture<Object> call = time.spawn(() -> p.call(() -> {
            time.sleep(Duration.ofMillis(30));
            throw new IOException("again");
        }));
        time.run();
        assertThatThrownBy(call::join).hasRootCauseMessage("again");
        assertThat(log.stream().map(line -> line.replaceAll(" at \\d+", "")))
                .containsExactly(
                        "outer told slot 5",
                        "in told slot 2",
                        "in settles overdue",
                        "in told slot 2",
                        "in settles overdue",
                        "outer settles overdue");
    }

    @Test
    void callWhoseAlarmCannotBeSetIsMadeAllTheSame() throws Exception {
        TimeSource noTimers = (TimeSource) Proxy.newProxyInstance(
                TimeSource.class.getClassLoader(), new Class<?>[] {TimeSource.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("schedule")) {
                        throw new RejectedExecutionException("no timers");
                    }
                    return method.invoke(time, arguments);
                });
        Pipeline p = Pipeline.builder("p")
                .policies(new Watcher("unwatched", MILLI))
                .time(noTimers)
                .build();
        assertThat(p.<String, Exception>call(() -> "blocking")).isEqualTo("blocking");
        assertThat(p.callAsync(() -> CompletableFuture.completedFuture("async")))
                .isCompletedWithValue("async");
        assertThat(log).containsExactly("unwatched settles", "unwatched settles");
    }

    @Test
    void onTheSystemsTimeAHungCallIsToldWhileItHangs() throws Exception {
        CountDownLatch told = new CountDownLatch(2);
        Policy watcher = new Policy("watcher", Policy.ENTER | Policy.OVERDUE) {
            @Override
            public int enter(Passage passage) {
                passage.beside().overdueAfter(MILLI);
                return PROCEED;
            }

            @Override
            public void overdue(long slot, long now) {
                told.countDown();
            }
        };
        try (Pipeline p = Pipeline.of("p", watcher)) {
            CompletableFuture<String> hangs = new CompletableFuture<>();
            CompletableFuture<String> async = p.callAsync(() -> hangs);
            String answer = p.call(() -> told.await(5, TimeUnit.MINUTES) ? "told" : "not told");
            assertThat(answer).isEqualTo("told");
            hangs.complete("answer");
            assertThat(async).isCompletedWithValue("answer");
        }
    }

    private static void awaitPatiently(BooleanSupplier condition) {
        for (long start = System.nanoTime();
                !condition.getAsBoolean() && System.nanoTime() - start < TimeUnit.MINUTES.toNanos(5); ) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void whoWasToldKnowsItAlsoWhenTheAttemptEndsInThatMoment() throws Exception {
        Watcher watcher = new Watcher("racing", 2 * MILLI);
        try (Pipeline p = Pipeline.of("p", watcher)) {
            Thread[] threads = new Thread[4];
            for (int t = 0; t < threads.length; t++) {
                long seed = t;
                threads[t] = ThreadKind.current().newThread(() -> {
                    for (int i = 0; i < 150; i++) {
                        // From well below what is told after, 3 ms, to well above it.
                        long nanos = 2 * MILLI + (seed * 7 + i) % 20 * (MILLI / 10);
                        p.call(() -> {
                            for (long end = System.nanoTime() + nanos; System.nanoTime() - end < 0; ) {
                                Thread.onSpinWait();
                            }
                            return "answer";
                        });
                    }
                });
                threads[t].start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
            // Whatever the timer's thread missed: one that goes on until it is told.
            p.call(() -> {
                awaitPatiently(() -> watcher.told.get() > 0);
                return "answer";
            });
            assertThat(watcher.told).hasPositiveValue();
            // Known before it is told.
            awaitPatiently(() -> watcher.told.get() >= watcher.knew.get());
            assertThat(watcher.knew).hasValue(watcher.told.get());
        }
    }

    @Test
    void morePoliciesThanCanBeToldAreRefused() {
        Policy[] many = new Policy[17];
        for (int i = 0; i < many.length; i++) {
            many[i] = new Watcher("many", 1);
        }
        assertThatThrownBy(() -> pipeline(many))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("pipeline 'p' has 17 policies that watch running calls, but at most 16 can");
    }

    private Throwable error(Pipeline p, boolean blocking) {
        CompletableFuture<String> called = blocking
                ? time.spawn(() -> p.call(() -> "never"))
                : p.callAsync(() -> CompletableFuture.completedFuture("never"));
        time.run();
        return assertThatThrownBy(called::join)
                .cause()
                .isInstanceOf(IllegalStateException.class)
                .actual();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void policyThatDoesNotHearOverdueCannotAskForIt(boolean blocking) {
        Policy deaf = new Policy("deaf", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                passage.beside().overdueAfter(MILLI);
                return PROCEED;
            }

            @Override
            public void overdue(long slot, long now) {
                log.add("told");
            }
        };
        assertThat(error(pipeline(deaf), blocking))
                .hasMessage("overdueAfter of deaf without OVERDUE in its constructor");
        assertThat(log).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void policyThatDoesNotHearHedgeCannotAskForIt(boolean blocking) {
        Policy deaf = new Policy("deaf", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                passage.beside().hedgeAfter(MILLI);
                return PROCEED;
            }
        };
        assertThat(error(pipeline(deaf), blocking)).hasMessage("hedgeAfter of deaf without HEDGE in its constructor");
    }

    @Test
    void policyThatCannotSayWhoseCodeItRunsDoesNotStopTheTimers() {
        Pipeline p = pipeline(new Watcher("odd", 10 * MILLI) {
            @Override
            public boolean overdueRunsUserCode() {
                throw new IllegalStateException("odd");
            }
        });
        call(p, true, 50);
        assertThat(log).contains("odd settles overdue");
    }
}
