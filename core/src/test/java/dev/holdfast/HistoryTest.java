/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.Reply.Source;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a caller is told of the attempts of its call. */
@Logs(value = "attempts-beyond-deadline", sometimes = true)
@Logs("gate-outside-retry")
class HistoryTest {
    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    private Operation<String> operation(Policy... policies) {
        return Pipeline.builder("p").policies(policies).time(time).build().operation("x");
    }

    private static RetryPolicy retry(int attempts) {
        return RetryPolicy.of(r -> r.maxAttempts(attempts)
                .initialBackoff(Duration.ofMillis(10))
                .jitter(Jitter.NONE)
                .budgetEnabled(false));
    }

    private static Attempt.End end(int number, Outcome outcome, long millis) {
        return new Attempt.End(number, outcome, Optional.of(Duration.ofMillis(millis)), Optional.empty());
    }

    private static Attempt.End end(int number, Outcome outcome, long millis, Refusal why) {
        return new Attempt.End(number, outcome, Optional.of(Duration.ofMillis(millis)), Optional.of(why));
    }

    @Test
    void aReplyTellsEachAttempt() throws Exception {
        Call<String> call = operation(retry(3)).unkeyed();
        assertThat(call.<Exception>reply(this::failingOnce).history())
                .containsExactly(end(1, Outcome.FAILURE, 3), end(2, Outcome.SUCCESS, 5));
        CompletableFuture<Reply<String>> async = call.replyAsync(attempt -> attempt.number() == 1
                ? CompletableFuture.failedFuture(new IOException())
                : CompletableFuture.completedFuture("ok"));
        time.run();
        assertThat(async.join().history()).containsExactly(end(1, Outcome.FAILURE, 0), end(2, Outcome.SUCCESS, 0));
    }

    private String failingOnce(Attempt attempt) throws IOException, InterruptedException {
        time.sleep(Duration.ofMillis(attempt.number() == 1 ? 3 : 5));
        if (attempt.number() == 1) {
            throw new IOException();
        }
        return "ok";
    }

    @Test
    void aCallThatSucceedsAtFirstHasOneAttemptAlsoAfterOneThatFailed() throws Exception {
        Call<String> call = operation(retry(3)).unkeyed();
        assertThat(call.<Exception>reply(this::failingOnce).history()).hasSize(2);
        assertThat(call.reply(attempt -> {
                            time.sleep(Duration.ofMillis(7));
                            return "ok";
                        })
                        .history())
                .containsExactly(end(1, Outcome.SUCCESS, 7));
    }

    @Test
    void anAttemptThatSucceedsAndIsRepeatedIsInTheHistory() throws Exception {
        Policy again = new Policy("again", Policy.SUCCESS | Policy.FAILURE) {
            @Override
            public int settle(Passage passage) {
                return passage.attempts() == 1 ? passage.retry(0) : KEEP;
            }
        };
        Call<String> call = operation(again).unkeyed();
        for (int i = 0; i < 2; i++) {
            assertThat(call.<Exception>reply(attempt -> {
                                time.sleep(Duration.ofMillis(attempt.number() == 1 ? 3 : 5));
                                return "ok";
                            })
                            .history())
                    .containsExactly(end(1, Outcome.SUCCESS, 3), end(2, Outcome.SUCCESS, 5));
        }
    }

    @Test
    void anAnswerWithoutAnAttemptHasNone() {
        assertThat(operation(new Answering()).unkeyed().reply(attempt -> "x").history())
                .isEmpty();
    }

    @Test
    void aTimeoutTellsAllAttemptsAndWhyThereWasNoOther() {
        CallTimeoutException timeout = timedOut(operation(retry(2), TimeoutPolicy.of(Duration.ofMillis(20))));
        assertThat(timeout.history())
                .containsExactly(end(1, Outcome.TIMEOUT, 20), end(2, Outcome.TIMEOUT, 20, Refusal.EXHAUSTED));
        assertThat(timeout.history())
                .hasToString("[#1 TIMEOUT after 20 ms, #2 TIMEOUT after 20 ms, no further one: EXHAUSTED]");
    }

    @Test
    void aTimeoutTellsItsLimit() {
        TimeoutPolicy timeout = TimeoutPolicy.of(Duration.ofMillis(20));
        assertThat(timedOut(operation(timeout)).limit()).contains(Duration.ofMillis(20));
        assertThat(timedOut(operation(retry(2), timeout)).limit())
                .as("of a copy with the history")
                .contains(Duration.ofMillis(20));
        Policy unnamed = new Policy("own", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                passage.limit(20_000_000);
                return PROCEED;
            }
        };
        CallTimeoutException own = timedOut(operation(unnamed));
        assertThat(own.limit()).isEmpty();
        assertThat(own).hasMessage("attempt 1 of 'p' was given up after 20 ms by the own");
    }

    @Test
    void itTellsThatTheDeadlineWasTheReason() {
        assertThat(timedOut(operation(
                                DeadlinePolicy.of(Duration.ofMillis(25)),
                                retry(2),
                                TimeoutPolicy.of(Duration.ofMillis(20))))
                        .history())
                .containsExactly(end(1, Outcome.TIMEOUT, 20, Refusal.DEADLINE));
    }

    @Test
    void itTellsThatTheNextAttemptWasTurnedAway() {
        assertThat(timedOut(operation(retry(3), new Rejecting(2), TimeoutPolicy.of(Duration.ofMillis(20))))
                        .history())
                .containsExactly(end(1, Outcome.TIMEOUT, 20, Refusal.REJECTED));
    }

    private CallTimeoutException timedOut(Operation<String> operation) {
        return catchThrowableOfType(
                CallTimeoutException.class,
                () -> operation.unkeyed().call(attempt -> {
                    time.sleep(Duration.ofSeconds(1));
                    return "x";
                }));
    }

    @Test
    void aRejectionTellsTheAttemptsBeforeIt() {
        RetryPolicy rejections = RetryPolicy.of(r -> r.retryRejections(true).jitter(Jitter.NONE));
        CallRejectedException rejection = catchThrowableOfType(
                CallRejectedException.class,
                () -> operation(new Rejecting(1), rejections).unkeyed().call(attempt -> "x"));
        assertThat(rejection.history()).isEmpty();
        CallRejectedException interrupted = catchThrowableOfType(
                CallRejectedException.class,
                () -> operation(retry(3)).unkeyed().call(attempt -> {
                    Thread.currentThread().interrupt();
                    throw new IOException();
                }));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(interrupted.reason()).isEqualTo(Reason.INTERRUPTED);
        assertThat(interrupted.history())
                .as("nothing measures the first attempt of such a pipeline")
                .containsExactly(new Attempt.End(1, Outcome.FAILURE, Optional.empty(), Optional.empty()))
                .hasToString("[#1 FAILURE]");
    }

    @Test
    void aSecondAttemptIsMeasuredAlsoWhereNothingAsks() {
        CallRejectedException interrupted = catchThrowableOfType(
                CallRejectedException.class,
                () -> operation(retry(3)).unkeyed().call(attempt -> {
                    time.sleep(Duration.ofMillis(5));
                    if (attempt.number() == 2) {
                        Thread.currentThread().interrupt();
                    }
                    throw new IOException();
                }));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(interrupted.history()).hasToString("[#1 FAILURE, #2 FAILURE after 5 ms]");
    }

    @Test
    void whatAnInnerPipelineThrewTellsOfThatOne() {
        Operation<String> inner = operation(TimeoutPolicy.of(Duration.ofMillis(20)));
        Operation<String> outer =
                Pipeline.builder("outer").policies(retry(2)).time(time).build().operation("y");
        CallTimeoutException timeout = catchThrowableOfType(
                CallTimeoutException.class,
                () -> outer.unkeyed().call(attempt -> {
                    throw timedOut(inner);
                }));
        assertThat(timeout.history()).containsExactly(end(1, Outcome.TIMEOUT, 20));
    }

    @Test
    void theUsersOwnExceptionIsLeftAlone() {
        IOException own = new IOException("own");
        assertThatThrownBy(() -> operation(retry(3)).unkeyed().call(attempt -> {
                    throw own;
                }))
                .isSameAs(own)
                .hasNoSuppressedExceptions()
                .hasNoCause();
    }

    @Test
    void ofManyAttemptsTheLastAreKept() throws Exception {
        Reply<String> reply = operation(retry(100)).unkeyed().reply(attempt -> {
            if (attempt.number() < 40) {
                throw new IOException();
            }
            return "ok";
        });
        assertThat(reply.attempts()).isEqualTo(40);
        assertThat(reply.history()).hasSize(16);
        assertThat(reply.history().get(0).number()).isEqualTo(25);
        assertThat(reply.history().get(15)).isEqualTo(end(40, Outcome.SUCCESS, 0));
    }

    @ParameterizedTest
    @EnumSource(Verdictless.class)
    void whatIsNotRetriedHasNoReason(Verdictless kind) {
        CallTimeoutException timeout = timedOut(operation(kind.policies));
        assertThat(timeout.history()).containsExactly(end(1, Outcome.TIMEOUT, 20));
    }

    enum Verdictless {
        WITHOUT_RETRY(TimeoutPolicy.of(Duration.ofMillis(20))),
        ONE_ATTEMPT(retry(1), TimeoutPolicy.of(Duration.ofMillis(20)));

        @SuppressWarnings("ImmutableEnumChecker")
        private final Policy[] policies;

        Verdictless(Policy... policies) {
            this.policies = Arrays.copyOf(policies, policies.length);
        }
    }

    @Test
    void anExceptionThatWasSentElsewhereHasLostIt() throws Exception {
        CallTimeoutException timeout = timedOut(operation(TimeoutPolicy.of(Duration.ofMillis(20))));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new ObjectOutputStream(bytes).writeObject(timeout);
        Object read = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();
        assertThat(((CallTimeoutException) read).history()).isEqualTo(List.of());
    }

    @Test
    void aRejectionThatIsSentElsewhereKeepsItsMessage() throws Exception {
        CallRejectedException rejection = new CallRejectedException(
                Reason.OTHER, "inventory", "gate", () -> "made when asked", 7, null, List.of());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new ObjectOutputStream(bytes).writeObject(rejection);
        Object read = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();
        assertThat(((CallRejectedException) read)).hasMessage("made when asked");
        assertThat(((CallRejectedException) read).retryAfterNanos()).isEqualTo(7);
    }

    @Test
    void aMessageThatCannotBeMadeSaysSo() {
        CallRejectedException rejection = new CallRejectedException(
                Reason.OTHER,
                "inventory",
                "gate",
                () -> {
                    throw new IllegalStateException("no words");
                },
                -1,
                null,
                List.of());
        assertThat(rejection)
                .hasMessage("gate of 'inventory' rejected the call, and the message for it cannot be made: "
                        + "java.lang.IllegalStateException: no words");
    }

    @Test
    void aMessageWhoseWordsEndInAnErrorSaysSo() {
        CallRejectedException rejection = new CallRejectedException(
                Reason.OTHER,
                "inventory",
                "gate",
                () -> {
                    throw new StackOverflowError("no words");
                },
                -1,
                null,
                List.of());
        assertThat(rejection).hasMessageEndingWith("cannot be made: java.lang.StackOverflowError: no words");
    }

    @Test
    void theMessageOfARejectionIsPutTogetherOnce() {
        AtomicInteger made = new AtomicInteger();
        CallRejectedException rejection = new CallRejectedException(
                Reason.OTHER, "inventory", "gate", () -> "made " + made.incrementAndGet(), -1, null, List.of());
        assertThat(made).hasValue(0);
        assertThat(rejection).hasMessage("made 1").hasToString(CallRejectedException.class.getName() + ": made 1");
        assertThat(rejection).hasMessage("made 1");
    }

    /** Turns every pass away from this one on, counted from 1. */
    private static final class Rejecting extends Policy {
        private final int from;
        private int passes;

        Rejecting(int from) {
            super("gate", ENTER);
            this.from = from;
        }

        @Override
        public int enter(Passage passage) {
            passes++;
            return passes >= from ? passage.reject(Reason.OTHER, -1, "closed") : PROCEED;
        }
    }

    private static final class Answering extends Policy {
        Answering() {
            super("answering", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            return passage.answer("known", Source.FRESH, 0);
        }
    }
}
