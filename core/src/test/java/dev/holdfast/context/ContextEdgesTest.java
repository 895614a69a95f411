/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.context;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Contexts are taken away in the reverse order, whatever was thrown under them; and each call has its own. */
@Logs("an onCancel hook of '.*' threw; told once: .*broken hook")
@ThreadKind.Each
class ContextEdgesTest {
    private static final ThreadLocal<@Nullable String> TENANT = new ThreadLocal<>();

    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void close() {
        TENANT.remove();
        time.close();
    }

    private CallContext named(String name) {
        return () -> {
            String captured = TENANT.get();
            return () -> {
                log.add(name + " on");
                String before = TENANT.get();
                TENANT.set(captured);
                return () -> {
                    TENANT.set(before);
                    log.add(name + " off");
                };
            };
        };
    }

    private Pipeline.Builder builder(Policy... layers) {
        return Pipeline.builder("p").policies(layers).time(time);
    }

    /** Attempts on threads of their own. */
    private static final class Dedicated extends Policy {
        Dedicated() {
            super("dedicated", ENTER);
        }

        @Override
        public int dedicatedThreads() {
            return 4;
        }
    }

    @Test
    void twoContextsAreTakenAwayInTheReverseOfTheirOrder() {
        try (Pipeline pipeline =
                builder(new Dedicated()).context(named("one"), named("two")).build()) {
            CompletableFuture<String> answer = time.spawn(() -> pipeline.call(() -> {
                log.add("action");
                return "answer";
            }));
            time.run();
            assertThat(answer).isCompletedWithValue("answer");
            assertThat(log).containsExactly("one on", "two on", "action", "two off", "one off");
        }
    }

    @Test
    void hookThatThrowsLeavesNoContextBehind() {
        try (Pipeline pipeline =
                builder(TimeoutPolicy.of(ofMillis(5))).context(named("one")).build()) {
            CompletableFuture<String> answer = time.spawn(() -> {
                TENANT.set("shop");
                try {
                    return pipeline.<String>operation("x").unkeyed().call(attempt -> {
                        attempt.onCancel(() -> {
                            throw new IllegalStateException("broken hook");
                        });
                        attempt.onCancel(() -> log.add("hook for " + TENANT.get()));
                        time.sleep(ofMillis(50));
                        return "never";
                    });
                } finally {
                    TENANT.remove();
                }
            });
            time.run();
            assertThat(answer).isCompletedExceptionally();
            assertThat(log).containsExactly("one on", "one off", "one on", "hook for shop", "one off");
        }
    }

    private String act() {
        log.add("action for " + TENANT.get());
        return "answer";
    }

    @Test
    void eachBlockingCallOfAThreadTakesWhatTheThreadHasAtThatMoment() {
        try (Pipeline pipeline = builder(new Dedicated()).context(named("one")).build()) {
            CheckedSupplier<String, RuntimeException> action = this::act;
            CompletableFuture<String> last = time.spawn(() -> {
                TENANT.set("first");
                pipeline.call(action);
                TENANT.set("second");
                pipeline.call(action);
                TENANT.remove();
                return pipeline.call(action);
            });
            time.run();
            assertThat(last).isCompletedWithValue("answer");
            assertThat(log)
                    .filteredOn(line -> line.startsWith("action"))
                    .containsExactly("action for first", "action for second", "action for null");
        }
    }

    /** Cancels in the moment in which the call goes on: the stage has come, and nobody has looked at it. */
    @Test
    void valueOfAStageThatComesTogetherWithTheCancellationIsDiscarded() {
        List<Object> discarded = new ArrayList<>();
        Policy outer = new Policy("outer", Policy.SUCCESS | Policy.FAILURE) {
            @Override
            public int settle(Passage passage) {
                log.add("settled " + passage.outcome());
                return KEEP;
            }
        };
        AtomicReference<@Nullable Runnable> whenItGoesOn = new AtomicReference<>();
        CallContext meddling = () -> () -> {
            Runnable once = whenItGoesOn.getAndSet(null);
            if (once != null) {
                once.run();
            }
            return () -> {};
        };
        CompletableFuture<Object> fallback = new CompletableFuture<>();
        try (Pipeline pipeline = builder(outer, FallbackPolicy.ofAsync(error -> fallback))
                .context(meddling)
                .build()) {
            Call<Object> call =
                    pipeline.operation("x", o -> o.discard(discarded::add)).unkeyed();
            CompletableFuture<Object> future = call.callAsync(attempt -> {
                throw new IllegalStateException("ill");
            });
            whenItGoesOn.set(() -> future.cancel(true));
            fallback.complete("fallback");
            time.run();
            assertThat(future).isCancelled();
            assertThat(discarded).containsExactly("fallback");
            assertThat(log).containsExactly("settled CANCELLED");
        }
    }

    /** As the one for context-propagation does it. */
    private static CallContext deadline() {
        return () -> {
            Deadline.Binding captured = Deadline.Binding.current();
            return () -> {
                Deadline.Binding before = Deadline.Binding.current();
                Deadline.Binding.set(captured);
                return () -> Deadline.Binding.restore(before);
            };
        };
    }

    @Test
    void threadThatGoesOnWithACallWhoseContextBindsADeadlineKeepsNone() throws Exception {
        try (Pipeline pipeline = builder().context(deadline()).build()) {
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> answer =
                    Deadline.within(time, Duration.ofHours(1), () -> pipeline.callAsync(() -> work));
            var unused =
                    answer.thenRun(() -> log.add("bound " + Deadline.remaining().isPresent()));
            work.complete("answer");
            time.run();
            assertThat(answer).isCompletedWithValue("answer");
            assertThat(log).containsExactly("bound true");
            assertThat(Deadline.remaining()).isEmpty();
        }
    }
}
