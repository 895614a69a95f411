/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.CheckedFunction;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Where the time that an attempt had is just enough to say something of the dependency, and whose limit it was that struck. */
class CutShortEdgesTest {
    private final VirtualTime time = VirtualTime.seeded(1);
    private final List<String> heard = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void close() {
        time.close();
    }

    private final class Ear extends Policy {
        Ear() {
            super("ear", SUCCESS | FAILURE);
        }

        @Override
        public int settle(Passage passage) {
            heard.add(passage.outcome()
                    + (passage.cutShort() ? " cut short" : "")
                    + (passage.personal() ? " personal" : ""));
            return KEEP;
        }
    }

    private Pipeline pipeline(String name, Policy... policies) {
        return Pipeline.builder(name)
                .time(time)
                .executor(time.executor())
                .policies(policies)
                .build();
    }

    // ---- while nobody knows how long answers take

    /** The last thing that is heard of a second attempt which hangs; the first one fails after this time. */
    private String secondAttemptHangs(Way way, Duration limit, Duration firstFailsAfter) {
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(2)
                .initialBackoff(ofNanos(1))
                .maxBackoff(ofNanos(1))
                .jitter(Jitter.NONE)
                .budgetEnabled(false));
        Pipeline pipeline = pipeline("p", DeadlinePolicy.of(limit), retry, new Ear());
        Duration first = firstFailsAfter.minusNanos(1);
        Call<String> call =
                pipeline.<String>operation("x", o -> o.idempotent(true)).unkeyed();
        if (way == Way.CALL) {
            var unused = time.spawn(() -> call.call(attempt -> {
                time.sleep(attempt.number() == 1 ? first : Duration.ofDays(1));
                throw new IOException("ill");
            }));
        } else {
            var unused = call.callAsync(attempt -> {
                CompletableFuture<String> answer = new CompletableFuture<>();
                if (attempt.number() == 1) {
                    time.schedule(first.toNanos(), () -> answer.completeExceptionally(new IOException("ill")));
                }
                return answer;
            });
        }
        time.run();
        return heard.get(heard.size() - 1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void attemptThatHadHalfOfWhatThePolicyAllowsWasNotCutShort(Way way) {
        assertThat(secondAttemptHangs(way, ofMillis(800), ofMillis(400))).isEqualTo("TIMEOUT");
        assertThat(secondAttemptHangs(way, ofMillis(800), ofMillis(400).plusNanos(1)))
                .isEqualTo("TIMEOUT cut short");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void attemptThatHadASecondWasNotCutShort(Way way) {
        assertThat(secondAttemptHangs(way, ofSeconds(10), ofSeconds(9))).isEqualTo("TIMEOUT");
        assertThat(secondAttemptHangs(way, ofSeconds(10), ofSeconds(9).plusNanos(1)))
                .isEqualTo("TIMEOUT cut short");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void laterAttemptsHaveAWholeTimeoutOfTheirOwn(Way way) {
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(4)
                .initialBackoff(ofMillis(100))
                .jitter(Jitter.NONE)
                .budgetEnabled(false));
        Pipeline pipeline = pipeline("p", retry, TimeoutPolicy.of(ofMillis(250)), new Ear());
        Call<String> call =
                pipeline.<String>operation("x", o -> o.idempotent(true)).unkeyed();
        if (way == Way.CALL) {
            var unused = time.spawn(() -> call.call(attempt -> {
                time.sleep(Duration.ofDays(1));
                return "never";
            }));
        } else {
            var unused = call.callAsync(attempt -> new CompletableFuture<>());
        }
        time.run();
        assertThat(heard).hasSize(4).containsOnly("TIMEOUT");
    }

    // ---- clients that give up by themselves

    /** What is heard of a call that has this time, and fails this long before its end. */
    private String failsBeforeTheEnd(Duration deadline, Duration before, Throwable error) {
        Pipeline pipeline = pipeline("p", new Ear());
        var answered = time.spawn(() -> pipeline.call(() -> {
            time.sleep(ofSeconds(1));
            return "answer";
        }));
        time.run();
        assertThat(answered).isCompletedWithValue("answer");
        Operation<String> operation = pipeline.operation("x");
        var unused = time.spawn(() -> operation.unkeyed().deadline(deadline).call(attempt -> {
            time.sleep(deadline.minus(before));
            throw new IllegalStateException(error);
        }));
        time.run();
        return heard.get(heard.size() - 1);
    }

    @Test
    void clientThatGivesUpTwoMillisecondsBeforeTheEndIsCutShort() {
        Throwable error = new SocketTimeoutException("Read timed out");
        assertThat(failsBeforeTheEnd(ofMillis(10), ofMillis(2), error)).isEqualTo("FAILURE cut short personal");
        assertThat(failsBeforeTheEnd(ofMillis(10), ofMillis(2).plusNanos(1), error))
                .isEqualTo("FAILURE");
    }

    @Test
    void clientThatGivesUpWithinATenthOfItsTimeBeforeTheEndIsCutShort() {
        Throwable error = new TimeoutException("timed out");
        assertThat(failsBeforeTheEnd(ofMillis(110), ofMillis(10), error)).isEqualTo("FAILURE cut short personal");
        assertThat(failsBeforeTheEnd(ofMillis(110), ofMillis(11), error)).isEqualTo("FAILURE");
    }

    @Test
    void anyTimeoutIsOneAndNothingElse() {
        assertThat(failsBeforeTheEnd(ofMillis(10), ofMillis(1), new HttpTimeoutException("timed out")))
                .isEqualTo("FAILURE cut short personal");
        assertThat(failsBeforeTheEnd(ofMillis(10), ofMillis(1), new IOException("connection reset")))
                .isEqualTo("FAILURE");
    }

    // ---- whose it is

    /** Forks when the call itself enters; hears what becomes of the fork. */
    private final class Forking extends Policy {
        Forking() {
            super("forking", ENTER | SUCCESS | FAILURE);
        }

        @Override
        public int enter(Passage passage) {
            passage.beside().fork("fork", ofMillis(10).toNanos());
            return passage.answer("at once", Source.FRESH, 0);
        }

        @Override
        public int settle(Passage passage) {
            heard.add(passage.outcome() + (passage.personal() ? " personal" : ""));
            return KEEP;
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void endOfABackgroundCallIsNobodysOwn(Way way) {
        Pipeline pipeline = pipeline("p", new Forking());
        Operation<String> operation = pipeline.operation("x");
        if (way == Way.CALL) {
            CheckedFunction<String, String, InterruptedException> decorated = operation.decorate(key -> {
                time.sleep(ofSeconds(1));
                return "never";
            });
            var unused = time.spawn(() -> decorated.apply("key"));
        } else {
            var unused = operation
                    .<String>decorateAsync(key -> new CompletableFuture<>())
                    .apply("key");
        }
        time.run();
        assertThat(heard).containsExactly("TIMEOUT");
    }

    /** Waits further in than the time allows. */
    private static final class Waiting extends Policy {
        private final boolean pausing;

        Waiting(boolean pausing) {
            super("waiting", ENTER);
            this.pausing = pausing;
        }

        @Override
        public int enter(Passage passage) {
            return pausing ? passage.pause(ofSeconds(1).toNanos()) : passage.await(new Completion(), Long.MAX_VALUE);
        }
    }

    private Throwable nested(Way way, boolean pausing) {
        Pipeline outer = pipeline("outer", new Ear());
        Pipeline inner = pipeline("inner", new Waiting(pausing));
        Call<String> call = outer.<String>operation("x").unkeyed().deadline(ofMillis(20));
        CompletableFuture<String> end = way == Way.CALL
                ? time.spawn(() -> call.call(attempt -> inner.call(() -> "never")))
                : call.callAsync(attempt -> inner.callAsync(() -> CompletableFuture.completedFuture("never")));
        time.run();
        return end.handle((value, error) -> Judge.unwrapped(error)).join();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void rejectionOfANestedCallThatCouldNotEndInTimeIsARejectionWhileThereIsTimeLeft(Way way) {
        long start = time.nanos();
        assertThat(nested(way, true)).isInstanceOfSatisfying(CallRejectedException.class, rejection -> {
            assertThat(rejection.pipeline()).isEqualTo("inner");
            assertThat(rejection.reason()).isEqualTo(Reason.DEADLINE_EXCEEDED);
        });
        assertThat(time.nanos()).isEqualTo(start);
        assertThat(heard).containsExactly("REJECTED");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void rejectionOfANestedCallByTheLimitAroundBothIsThatLimitsTimeout(Way way) {
        assertThat(nested(way, false))
                .isInstanceOfSatisfying(
                        CallTimeoutException.class,
                        timeout -> assertThat(timeout.pipeline()).isEqualTo("outer"));
        assertThat(heard).containsExactly("TIMEOUT cut short personal");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void timeoutOfANestedPipelinesOwnLimitIsAFailureLikeAnyOther(Way way) {
        Pipeline outer = pipeline("outer", new Ear());
        Pipeline inner = pipeline("inner", TimeoutPolicy.of(ofMillis(20)));
        Call<String> call = outer.<String>operation("x").unkeyed().deadline(ofMillis(30));
        CompletableFuture<String> end = way == Way.CALL
                ? time.spawn(() -> call.call(attempt -> inner.call(() -> {
                    time.sleep(ofSeconds(1));
                    return "never";
                })))
                : call.callAsync(attempt -> inner.callAsync(CompletableFuture::new));
        time.run();
        assertThat(end).isCompletedExceptionally();
        assertThat(heard).containsExactly("FAILURE");
    }
}
