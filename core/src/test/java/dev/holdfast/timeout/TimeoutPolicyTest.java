/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@Logs("timeout-not-below-deadline")
@ThreadKind.Each
class TimeoutPolicyTest {
    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("p").policies(policies).time(time).build();
    }

    @Test
    void bothDriversGiveUpAtTheExactInstant() {
        Pipeline p = pipeline(TimeoutPolicy.of(Duration.ofMillis(250)));
        long start = time.nanos();
        CompletableFuture<String> blocking = time.spawn(() -> p.call(() -> {
            time.sleep(Duration.ofSeconds(5));
            return "late";
        }));
        CompletableFuture<String> attempt = new CompletableFuture<>();
        CompletableFuture<String> async = p.callAsync(() -> attempt);
        time.run();
        assertThat(time.nanos() - start).isEqualTo(250_000_000);
        assertThatThrownBy(blocking::join)
                .hasCauseInstanceOf(CallTimeoutException.class)
                .hasMessageContaining("attempt 1 of 'p' was given up after 250 ms by the timeout (limit 250 ms)");
        assertThatThrownBy(async::join).hasCauseInstanceOf(CallTimeoutException.class);
        assertThat(attempt).isCancelled();
    }

    @Test
    void theNearerOfTwoLimitsStrikes() {
        Pipeline p = pipeline(DeadlinePolicy.of(Duration.ofMillis(100)), TimeoutPolicy.of(Duration.ofMillis(250)));
        assertThatThrownBy(() -> p.call(() -> {
                    time.sleep(Duration.ofSeconds(5));
                    return "late";
                }))
                .isInstanceOfSatisfying(CallTimeoutException.class, e -> {
                    assertThat(e.policy()).isEqualTo("deadline");
                    assertThat(e.pipeline()).isEqualTo("p");
                    assertThat(e.elapsed()).isEqualTo(Duration.ofMillis(100));
                });
    }

    @Test
    void anActionThatIgnoresItsInterruptIsAnOverrun() {
        List<String> events = new ArrayList<>();
        Pipeline p = Pipeline.builder("p")
                .policies(TimeoutPolicy.of(Duration.ofMillis(50)))
                .time(time)
                .observer(new CallObserver() {
                    @Override
                    public void overrun(String pipeline, @Nullable String operation, long nanos) {
                        events.add("overrun " + nanos / 1_000_000);
                    }
                })
                .build();
        assertThatThrownBy(() -> p.call(() -> {
                    for (int i = 0; i < 2; i++) {
                        try {
                            time.sleep(Duration.ofMillis(40));
                        } catch (InterruptedException ignored) {
                            time.sleep(Duration.ofMillis(70));
                        }
                    }
                    return "late";
                }))
                .isInstanceOf(CallTimeoutException.class);
        assertThat(events).containsExactly("overrun 70");
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void onCancelRunsForBothDrivers() {
        Pipeline p = pipeline(TimeoutPolicy.of(Duration.ofMillis(50)));
        List<String> ran = Collections.synchronizedList(new ArrayList<>());
        CompletableFuture<Object> blocking =
                time.spawn(() -> p.operation("x").unkeyed().call(attempt -> {
                    attempt.onCancel(() -> ran.add("blocking"));
                    time.sleep(Duration.ofSeconds(1));
                    return "x";
                }));
        CompletableFuture<Object> async = p.operation("x").unkeyed().callAsync(attempt -> {
            attempt.onCancel(() -> ran.add("async"));
            return new CompletableFuture<>();
        });
        time.run();
        assertThat(async).isCompletedExceptionally();
        assertThat(blocking).isCompletedExceptionally();
        assertThat(ran).containsExactlyInAnyOrder("blocking", "async");
    }

    @Test
    void aPauseThatDoesNotFitIsRejectedAtOnce() {
        Policy slow = new Policy("slow", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                return passage.pause(200_000_000);
            }
        };
        Pipeline p = pipeline(TimeoutPolicy.of(Duration.ofMillis(100)), slow);
        long start = time.nanos();
        assertThatThrownBy(() -> p.call(() -> "never")).isInstanceOfSatisfying(CallRejectedException.class, e -> {
            assertThat(e.reason()).isEqualTo(Reason.DEADLINE_EXCEEDED);
            assertThat(e.policy()).isEqualTo("timeout");
            assertThat(e.retryAfter()).isEmpty();
        });
        assertThat(time.nanos()).isEqualTo(start);
    }

    @Test
    void aLimitOutOfRangeIsRefusedWithItsRange() {
        assertThatThrownBy(() -> TimeoutPolicy.of(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("timeout: limit is 0s but must be 1ms to 1d");
        assertThatThrownBy(() -> DeadlinePolicy.of(Duration.ofDays(2)))
                .hasMessage("deadline: limit is 2d but must be 1ms to 1d");
    }

    /**
     * A call whose action has begun ends as a timeout; one whose thread was held up for its whole limit before that is
     * turned away, which a busy machine does to some.
     */
    private static String endOf(Throwable thrown) {
        return thrown instanceof CallRejectedException late && late.reason() == Reason.DEADLINE_EXCEEDED
                ? "never began"
                : thrown instanceof CallTimeoutException ? "timeout" : String.valueOf(thrown);
    }

    @Test
    void onTheSystemsTimeAThousandLimitsAllStrikeAndLeaveNoInterruptBehind() throws Exception {
        try (Pipeline p = Pipeline.of("p", TimeoutPolicy.of(Duration.ofMillis(5)))) {
            Queue<String> ends = new ConcurrentLinkedQueue<>();
            AtomicInteger began = new AtomicInteger();
            AtomicInteger stray = new AtomicInteger();
            CountDownLatch never = new CountDownLatch(1);
            Thread[] threads = new Thread[8];
            for (int i = 0; i < threads.length; i++) {
                threads[i] = ThreadKind.current().newThread(() -> {
                    for (int k = 0; k < 25; k++) {
                        Throwable thrown = catchThrowable(() -> p.call(() -> {
                            began.incrementAndGet();
                            never.await();
                            return "never";
                        }));
                        ends.add(endOf(thrown));
                        if (Thread.interrupted()) {
                            stray.incrementAndGet();
                        }
                    }
                });
                threads[i].start();
            }
            List<CompletableFuture<Object>> futures = new ArrayList<>();
            for (int i = 0; i < 3_000; i++) {
                futures.add(p.callAsync(() -> {
                    began.incrementAndGet();
                    return new CompletableFuture<>();
                }));
            }
            for (CompletableFuture<Object> future : futures) {
                Throwable thrown = catchThrowable(() -> future.get(5, TimeUnit.MINUTES));
                ends.add(endOf(Objects.requireNonNull(thrown.getCause())));
            }
            for (Thread thread : threads) {
                thread.join(Duration.ofMinutes(5).toMillis());
            }
            assertThat(ends).hasSize(3_200).isSubsetOf("timeout", "never began");
            assertThat(Collections.frequency(ends, "timeout")).isEqualTo(began.get());
            assertThat(stray).hasValue(0);
        }
    }
}
