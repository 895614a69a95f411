/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Limits that are none, that have been left, and the moment in which one strikes. */
@ThreadKind.Each
class LimitEdgesTest {

    @ParameterizedTest
    @ValueSource(longs = {Long.MAX_VALUE, Long.MAX_VALUE / 2, Long.MAX_VALUE / 4 + 1})
    void limitThatIsEndlessIsNone(long nanos) {
        for (Way way : Way.values()) {
            try (Lab lab = new Lab()) {
                List<Long> remaining = new ArrayList<>();
                lab.layers(
                        lab.probe("limiting").entering(p -> {
                            p.limit(nanos);
                            return Decision.GO_ON;
                        }),
                        lab.probe("inner").entering(p -> {
                            remaining.add(p.remaining());
                            return Decision.GO_ON;
                        }));
                assertThat(lab.run(way, Step.value("well").after(5)).end())
                        .isEqualTo(new Lab.End("well from LIVE", 1, millis(5)));
                assertThat(remaining).containsExactly(Long.MAX_VALUE);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void longestLimitIsOne(Way way) {
        try (Lab lab = new Lab()) {
            List<Long> remaining = new ArrayList<>();
            lab.layers(
                    lab.probe("limiting").entering(p -> {
                        p.limit(Long.MAX_VALUE / 4);
                        return Decision.GO_ON;
                    }),
                    lab.probe("inner").entering(p -> {
                        remaining.add(p.remaining());
                        return Decision.GO_ON;
                    }));
            assertThat(lab.run(way, Step.value("well")).value()).isEqualTo("well");
            assertThat(remaining).containsExactly(Long.MAX_VALUE / 4);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void limitThatWasLeftGivesItsNameBackToTheCallers(Way way) {
        try (Lab lab = new Lab()) {
            List<String> limited = new ArrayList<>();
            lab.layers(
                    lab.probe("outer").settling(p -> {
                        limited.add(p.limitedBy() + " " + p.remaining() / 1_000_000);
                        return Decision.GO_ON;
                    }),
                    TimeoutPolicy.of(millis(5)));
            lab.run(way, call -> call.deadline(millis(100)), Step.value("never").after(50));
            assertThat(limited).containsExactly("call 95");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void deadlineOfTheCallerThatStrikesAfterALimitFurtherInWasLeftIsTheCallers(Way way) {
        try (Lab lab = new Lab()) {
            RetryPolicy retry = RetryPolicy.of(
                    r -> r.initialBackoff(millis(22)).jitter(Jitter.NONE).budgetEnabled(false));
            lab.layers(retry, TimeoutPolicy.of(millis(5)));
            // The second attempt begins at 27 ms, when the deadline is nearer than its own limit.
            Lab.Running running = lab.run(
                    way, call -> call.deadline(millis(30)), Step.value("never").after(50));
            assertThat(running.end()).isEqualTo(new Lab.End("timeout of call", 2, millis(30)));
        }
    }

    /** Looks at something in the moment in which a thread is interrupted. */
    private static final class Looking extends Around {
        private volatile Runnable look = () -> {};

        Looking(TimeSource time) {
            super(time);
        }

        @Override
        public void interrupt(Thread thread) {
            look.run();
            super.interrupt(thread);
        }
    }

    /** So that an action which is woken by its interrupt can tell it from one that is not for it. */
    @Test
    void attemptIsCancelledBeforeItsThreadIsInterrupted() {
        try (Lab lab = new Lab()) {
            Looking looking = new Looking(lab.time);
            List<Boolean> cancelled = Collections.synchronizedList(new ArrayList<>());
            lab.building(builder -> builder.time(looking)).layers(TimeoutPolicy.of(millis(5)));
            CompletableFuture<Object> end =
                    lab.time.spawn(() -> lab.operation().unkeyed().call(attempt -> {
                        looking.look = () -> cancelled.add(attempt.isCancelled());
                        lab.time.sleep(millis(50));
                        return "never";
                    }));
            lab.time.run();
            assertThat(end).isCompletedExceptionally();
            assertThat(cancelled).containsExactly(true);
        }
    }

    // ---- a call inside a call of another pipeline inside a call

    private static final class Recursion {
        private final Lab lab = new Lab();
        private final List<Boolean> recursive = Collections.synchronizedList(new ArrayList<>());
        private final Operation<Object> a = asked("a");
        private final Operation<Object> b = asked("b");

        private Operation<Object> asked(String name) {
            Probe asking = lab.probe(name).entering(p -> {
                recursive.add(Probe.recursive(p));
                return Decision.GO_ON;
            });
            return Pipeline.builder(name)
                    .policies(asking)
                    .time(lab.time)
                    .executor(lab.time.executor())
                    .build()
                    .operation("x");
        }

        private CompletableFuture<Object> call(
                Way way, Operation<Object> operation, String key, @Nullable Inner inner) {
            if (way == Way.CALL) {
                try {
                    return CompletableFuture.completedFuture(operation
                            .key(key)
                            .call(attempt ->
                                    inner == null ? "innermost" : inner.call().join()));
                } catch (Throwable thrown) {
                    return CompletableFuture.failedFuture(thrown);
                }
            }
            return operation
                    .key(key)
                    .callAsync(
                            attempt -> inner == null ? CompletableFuture.completedFuture("innermost") : inner.call());
        }

        private interface Inner {
            CompletableFuture<Object> call();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callInsideAnotherPipelinesCallInsideOneOfItsKeyIsRecursive(Way way) {
        Recursion r = new Recursion();
        try (r.lab) {
            CompletableFuture<?> end = r.lab.time.spawn(() -> {
                var unused = r.call(way, r.a, "k", () -> r.call(way, r.b, "k", () -> r.call(way, r.a, "k", null)));
                return "made";
            });
            r.lab.time.run();
            assertThat(end).isCompleted();
            assertThat(r.recursive).containsExactly(false, false, true);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callOfAnotherKeyInsideIsNotRecursive(Way way) {
        Recursion r = new Recursion();
        try (r.lab) {
            CompletableFuture<?> end = r.lab.time.spawn(() -> {
                var unused = r.call(way, r.a, "k", () -> r.call(way, r.b, "k", () -> r.call(way, r.a, "other", null)));
                return "made";
            });
            r.lab.time.run();
            assertThat(end).isCompleted();
            assertThat(r.recursive).containsExactly(false, false, false);
        }
    }

    @Test
    void errorOfAnAttemptThatEndsAtItsLimitToTheNanosecondIsItsOwn() {
        try (Lab lab = new Lab()) {
            lab.layers(TimeoutPolicy.of(millis(5)));
            // The timer of the action was set before the limit's: it is first.
            CompletableFuture<Object> work = new CompletableFuture<>();
            lab.time.schedule(millis(5).toNanos(), () -> work.completeExceptionally(new IOException("in time")));
            CompletableFuture<Object> future = lab.operation().unkeyed().callAsync(attempt -> work);
            lab.time.run();
            assertThat(future.handle((value, error) -> String.valueOf(error)).join())
                    .contains("in time");
        }
    }
}
