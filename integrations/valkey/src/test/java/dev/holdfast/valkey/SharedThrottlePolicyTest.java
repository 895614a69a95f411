/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call.Priority;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.RecordedMeters;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.valkey.SharedThrottleSettings.WhenStoreIsAway;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Logs("burst-of-one")
class SharedThrottlePolicyTest {
    private static final long MILLI = 1_000_000;
    private static final int LIMIT = 200;
    private static final int BURST = 20;
    private static final Pattern METER = Pattern.compile("(?m)^\\| `holdfast\\.([a-z.]+)` \\| (?:gauge|counter) \\|");

    private final VirtualTime time = new VirtualTime();
    private final FakeStore store = new FakeStore(time, LIMIT, BURST);
    private final List<String> changes = new ArrayList<>();
    private final CallObserver observer = new CallObserver() {
        @Override
        public void stateChanged(String pipeline, String policy, String from, String to, String cause) {
            changes.add(pipeline + " " + policy + " " + from + " > " + to + ": " + cause);
        }
    };

    @AfterEach
    void close() {
        time.close();
    }

    /** 200 calls a second for two processes: a batch is 5. */
    private SharedThrottlePolicy throttle(Consumer<SharedThrottleSettings.Builder> changed) {
        return throttle(store, changed);
    }

    private static SharedThrottlePolicy throttle(PermitStore store, Consumer<SharedThrottleSettings.Builder> changed) {
        return new SharedThrottlePolicy(store, SharedThrottleSettings.of(s -> {
            s.key("inventory").limit(LIMIT).burst(BURST).replicas(2).storeTimeout(ofMillis(50));
            changed.accept(s);
        }));
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("inventory")
                .policies(policies)
                .time(time)
                .observer(observer)
                .build();
    }

    private List<Running<String>> calls(Dependency dependency, Pipeline pipeline, int number) {
        List<Running<String>> calls = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            calls.add(dependency.call(pipeline, ZERO));
        }
        return calls;
    }

    private static void assertThrottled(Running<String> call, Duration retryAfter, String message) {
        assertThat(call.error()).isInstanceOfSatisfying(CallRejectedException.class, rejection -> {
            assertThat(rejection.reason()).isEqualTo(Reason.THROTTLED);
            assertThat(rejection.policy()).isEqualTo("throttle");
            assertThat(rejection.retryAfter()).contains(retryAfter);
            assertThat(rejection).hasMessage(message).hasNoCause();
        });
    }

    /** As a client does that has no stack or no memory left. */
    @Test
    void aStoreThatThrowsAnErrorIsAwayAndIsAskedAgain() {
        store.lose(new StackOverflowError());
        assertStoreIsMissedOnce(ofSeconds(1), "the store failed: java.lang.StackOverflowError");
    }

    @Test
    void aThrottleThatThePipelineLosesWhileItsStoreIsAwayIsToldAsShared() {
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(throttle(s -> {}));
        time.advance(ofMillis(1));
        store.standStill();
        for (int i = 0; i < 100; i++) {
            Running<String> unused = dependency.call(pipeline, ZERO);
            time.advance(ofMillis(10));
        }
        assertThat(changes).hasSize(1);
        pipeline.replace();
        assertThat(changes.subList(1, changes.size()))
                .containsExactly("inventory throttle away > shared: the policy was removed");
    }

    /** What should have answered has thrown, on another thread. */
    @Test
    void aQuestionThatNobodyAnswersIsAskedAgain() {
        store.lose(null);
        assertStoreIsMissedOnce(ofSeconds(12), "the store has not answered within 50ms");
    }

    private void assertStoreIsMissedOnce(Duration within, String cause) {
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(throttle(s -> {}));
        List<Running<String>> calls = new ArrayList<>();
        for (Duration passed = ZERO; passed.compareTo(within) < 0; passed = passed.plusMillis(20)) {
            calls.add(dependency.call(pipeline, ZERO));
            time.advance(ofMillis(20));
        }
        time.advance(ofSeconds(3));
        Running<String> unused = dependency.call(pipeline, ZERO);
        assertThat(calls).allSatisfy(call -> assertThat(call.result()).isDone());
        assertThat(changes.get(0)).contains("shared > away: " + cause);
        assertThat(changes.get(1)).contains("away > shared: the store answers again after ");
        assertThat(changes).hasSize(2);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void steadyCallsNeverWaitForTheStoreAndAskItOnceABatch(Way way) {
        store.answersAfter(ofMillis(8));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle(s -> {}));
        time.advance(ofMillis(8));

        for (int i = 0; i < 100; i++) {
            dependency.call(pipeline, ZERO);
            time.advance(ofMillis(10));
        }

        for (int i = 0; i < 100; i++) {
            assertThat(dependency.starts().get(i)).as("start %d", i).isEqualTo((8 + 10L * i) * MILLI);
        }
        assertThat(store.questions()).isBetween(20, 50);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void withABatchOfOneEachCallAsksAndNothingIsHeld(Way way) {
        store.answersAfter(ofMillis(4));
        SharedThrottlePolicy throttle = throttle(s -> s.batch(1));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(10));
        assertThat(store.questions()).isZero();

        calls(dependency, pipeline, 1);
        time.advance(ofMillis(10));
        calls(dependency, pipeline, 1);
        time.run();

        assertThat(dependency.starts()).containsExactly(14 * MILLI, 24 * MILLI);
        assertThat(store.questions()).isEqualTo(2);
        assertThat(throttle.available()).isZero();
        assertThat(throttle.waited()).isEqualTo(2);
    }

    /** The store answers after 30 ms. The usual wait is 40 ms, so a sheddable call does not see the answer. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void theMoreImportantCallWaitsLongerForTheStore(Way way) {
        store.answersAfter(ofMillis(30));
        for (Priority priority : Priority.values()) {
            Dependency dependency = new Dependency(time, way);
            Pipeline pipeline = pipeline(throttle(s -> s.batch(1).maxWait(ofMillis(40))));
            Running<String> call =
                    dependency.call(pipeline.<String>operation("work").unkeyed().priority(priority), ZERO);
            time.advance(ofMillis(200));

            assertThat(dependency.starts()).hasSize(priority == Priority.SHEDDABLE ? 0 : 1);
            assertThat(call.result().isCompletedExceptionally()).isEqualTo(priority == Priority.SHEDDABLE);
        }
        store.answersAfter(ofMillis(70));
        for (Priority priority : Priority.values()) {
            Dependency dependency = new Dependency(time, way);
            Pipeline pipeline =
                    pipeline(throttle(s -> s.batch(1).maxWait(ofMillis(40)).storeTimeout(ofMillis(500))));
            dependency.call(pipeline.<String>operation("work").unkeyed().priority(priority), ZERO);
            time.advance(ofMillis(200));

            assertThat(dependency.starts()).as("%s", priority).hasSize(priority == Priority.CRITICAL ? 1 : 0);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theBurstStartsAtOnceAlthoughOneProcessHoldsABatchOfItOnly(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle(s -> s.maxWait(ofMillis(3))));
        time.advance(ofMillis(1));

        List<Running<String>> calls = calls(dependency, pipeline, BURST + 10);
        time.advance(ofMillis(3));

        assertThat(dependency.starts()).hasSize(BURST);
        assertThat(calls.stream().filter(call -> call.result().isCompletedExceptionally()))
                .hasSize(10);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatOneProcessHasTakenTheOtherDoesNotGet(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline one = pipeline(throttle(s -> s.maxWait(ofMillis(3))));
        Pipeline other = pipeline(throttle(s -> s.maxWait(ofMillis(3))));
        time.advance(ofMillis(1));

        calls(dependency, one, BURST);
        time.advance(ofMillis(3));
        int first = dependency.starts().size();
        calls(dependency, other, BURST);
        time.advance(ofMillis(3));

        assertThat(first).isEqualTo(BURST - 5);
        assertThat(dependency.starts()).hasSizeBetween(BURST, BURST + 1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatMayNotWaitIsTurnedAwayWithATimeToTryAgain(Way way) {
        SharedThrottlePolicy throttle = throttle(s -> s.maxWait(ZERO));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        for (int i = 0; i < BURST; i++) {
            time.advance(ofMillis(1));
            calls(dependency, pipeline, 5);
        }
        time.advance(ofNanos(1));

        Running<String> late = calls(dependency, pipeline, 1).get(0);
        time.advance(ZERO);

        assertThat(late.error()).isInstanceOfSatisfying(CallRejectedException.class, rejection -> {
            assertThat(rejection.reason()).isEqualTo(Reason.THROTTLED);
            assertThat(rejection.retryAfter().orElseThrow()).isBetween(ofNanos(1), ofMillis(10));
            assertThat(rejection.getMessage())
                    .startsWith("throttle of 'inventory' lets 200 calls of 2 processes start in 1s, the next one in ");
        });
        assertThat(throttle.waiting()).isZero();
        assertThat(throttle.rejected()).isPositive();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsThatMayWaitAllStartAtTheRateOfTheLimit(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle(s -> s.maxWait(ofSeconds(10))));
        time.advance(ofMillis(1));

        calls(dependency, pipeline, 220);
        time.run();

        assertThat(dependency.starts()).hasSize(220);
        // 20 at once, and 200 in a second.
        assertThat(dependency.starts().get(219)).isBetween(1_000 * MILLI, 1_050 * MILLI);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatGivesUpLeavesItsPermitToTheNextAndNoMoreThanABatchIsKept(Way way) {
        SharedThrottlePolicy throttle = throttle(s -> {});
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));
        List<Running<String>> crowd = calls(dependency, pipeline, 15);
        time.advance(ZERO);
        assertThat(throttle.waiting()).isEqualTo(10);
        time.advance(ofMillis(1));
        assertThat(throttle.waiting()).isEqualTo(7);

        crowd.forEach(call -> call.giveUp().run());
        time.advance(ofMillis(5));

        assertThat(throttle.waiting()).isZero();
        assertThat(throttle.available()).isEqualTo(5);
        calls(dependency, pipeline, 5);
        time.advance(ZERO);
        assertThat(dependency.starts()).hasSize(8 + 5);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aPermitThatAnInnerLayerDidNotUseIsGivenBack(Way way) {
        SharedThrottlePolicy throttle = throttle(s -> {});
        Policy inner = new Policy("inner", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                return passage.reject(Reason.OTHER, -1, "no");
            }
        };
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle, inner);
        time.advance(ofMillis(1));
        int questions = store.questions();

        for (int i = 0; i < 100; i++) {
            calls(dependency, pipeline, 1);
            time.advance(ZERO);
        }

        assertThat(throttle.givenBack()).isEqualTo(100);
        assertThat(throttle.available()).isEqualTo(5);
        assertThat(store.questions()).isEqualTo(questions);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aStoreThatDoesNotAnswerIsFeltOnceAndThenTheShareOfTheProcessCounts(Way way) {
        SharedThrottlePolicy throttle = throttle(s -> {});
        RecordedMeters meters = new RecordedMeters();
        throttle.meters(meters);
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));
        store.standStill();

        List<Running<String>> calls = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            calls.addAll(calls(dependency, pipeline, 1));
            time.advance(ofMillis(10));
        }
        time.advance(ofMillis(50));

        // 100 a second are the share of one of two processes.
        assertThat(calls).allSatisfy(call -> assertThat(call.result()).isDone());
        assertThat(dependency.starts()).hasSizeBetween(95, 100);
        assertThat(throttle.storeIsAway()).isTrue();
        assertThat(changes).containsExactly("inventory throttle shared > away: the store has not answered within 50ms");
        assertThat(meters.values()).containsEntry("throttle.store.away", 1.0);
        assertThat(meters.values().get("throttle.without.store")).isBetween(85.0, 95.0);
        // The first batch, and a question that stays open.
        assertThat(store.questions()).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aStoreThatHangsAndThenRefusesIsAskedAfterGrowingTimes(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle(s -> {}));
        time.advance(ofMillis(1));
        store.standStill();
        steady(dependency, pipeline, 50);
        store.stop();
        int before = store.questions();

        steady(dependency, pipeline, 100);

        // After 50, 100, 200, 400 ms.
        assertThat(store.questions() - before).isBetween(3, 5);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatIsRejectedWhileTheStoreHangsSaysSo(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle(s -> s.batch(1).maxWait(ofMillis(20))));
        store.standStill();

        Running<String> call = calls(dependency, pipeline, 1).get(0);
        time.advance(ofMillis(20));

        assertThat(call.error())
                .hasMessageStartingWith("throttle of 'inventory' lets 200 calls of 2 processes start in 1s,"
                        + " and its store has not answered yet, the next one in ");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aThrottleOfOneProcessDoesNotCountIt(Way way) {
        Dependency dependency = new Dependency(time, way);
        store.stop();
        Pipeline pipeline = pipeline(throttle(s -> s.replicas(1).maxWait(ZERO)));

        Running<String> late = calls(dependency, pipeline, BURST + 1).get(BURST);
        time.advance(ofMillis(1));

        assertThat(late.error())
                .hasMessageStartingWith("throttle of 'inventory' lets 200 calls start in 1s, and its store is away, ");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void noCallNoticesThatTheStoreRefuses(Way way) {
        SharedThrottlePolicy throttle = throttle(s -> {});
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));
        store.stop();

        List<Running<String>> calls = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            calls.addAll(calls(dependency, pipeline, 1));
            time.advance(ofMillis(20));
        }

        assertThat(calls).allSatisfy(call -> assertThat(call.result()).isCompletedWithValue("done"));
        assertThat(changes)
                .containsExactly(
                        "inventory throttle shared > away: the store failed: java.lang.IllegalStateException: refused");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theThrottleGoesBackToTheStoreByItself(Way way) {
        SharedThrottlePolicy throttle = throttle(s -> {});
        RecordedMeters meters = new RecordedMeters();
        throttle.meters(meters);
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));
        store.stop();
        steady(dependency, pipeline, 500);
        assertThat(throttle.storeIsAway()).isTrue();

        store.start();
        steady(dependency, pipeline, 300);

        assertThat(throttle.storeIsAway()).isFalse();
        assertThat(meters.values()).containsEntry("throttle.store.away", 0.0);
        assertThat(changes).hasSize(2);
        assertThat(changes.get(1)).startsWith("inventory throttle away > shared: the store answers again after ");
        long without = throttle.withoutStore();
        steady(dependency, pipeline, 300);
        assertThat(throttle.withoutStore()).isEqualTo(without);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aLateAnswerShowsThatTheStoreIsBack(Way way) {
        SharedThrottlePolicy throttle = throttle(s -> {});
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));
        store.standStill();
        steady(dependency, pipeline, 300);
        assertThat(throttle.storeIsAway()).isTrue();

        store.start();
        steady(dependency, pipeline, 2);

        assertThat(throttle.storeIsAway()).isFalse();
    }

    /** The question is broken off long after it was too late: as a connection that swallows packets. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aStoreThatSwallowsQuestionsCostsNoCallOfTheShare(Way way) {
        SharedThrottlePolicy throttle = throttle(s -> s.maxWait(ZERO));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));
        store.standStill();
        steady(dependency, pipeline, 200);
        for (int i = 0; i < 3; i++) {
            store.stop();
            store.standStill();
            for (int k = 0; k < 200; k++) {
                Running<String> call = dependency.call(pipeline, ZERO);
                time.advance(ofMillis(10));
                assertThat(call.result()).isCompleted();
            }
        }
        assertThat(throttle.storeIsAway()).isTrue();
    }

    /** Calls 10 ms apart. */
    private void steady(Dependency dependency, Pipeline pipeline, int number) {
        for (int i = 0; i < number; i++) {
            calls(dependency, pipeline, 1);
            time.advance(ofMillis(10));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void ifCallsMayGoOpenEachOneStarts(Way way) {
        SharedThrottlePolicy throttle = throttle(s -> s.whenStoreIsAway(WhenStoreIsAway.OPEN));
        Dependency dependency = new Dependency(time, way);
        store.stop();
        Pipeline pipeline = pipeline(throttle);

        calls(dependency, pipeline, 1_000);
        time.advance(ofMillis(1));

        assertThat(dependency.starts()).hasSize(1_000);
        assertThat(throttle.withoutStore()).isEqualTo(1_000);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void ifCallsMayNotGoNoneStartsUntilTheStoreIsBack(Way way) {
        SharedThrottlePolicy throttle = throttle(s -> s.whenStoreIsAway(WhenStoreIsAway.CLOSED));
        Dependency dependency = new Dependency(time, way);
        store.stop();
        Pipeline pipeline = pipeline(throttle);

        Running<String> call = calls(dependency, pipeline, 1).get(0);
        time.advance(ofMillis(10));

        assertThrottled(
                call,
                ofMillis(50),
                "throttle of 'inventory' lets no call start while its store is away, asked again in 50 ms");
        store.start();
        time.advance(ofMillis(40));
        calls(dependency, pipeline, 1);
        time.advance(ofMillis(1));
        assertThat(throttle.storeIsAway()).isFalse();
        time.advance(ofMillis(20));
        calls(dependency, pipeline, 1);
        time.run();
        assertThat(dependency.starts()).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aProcessThatStartsWithoutTheStoreHasItsShareOfTheBurst(Way way) {
        store.stop();
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle(s -> s.maxWait(ZERO)));

        calls(dependency, pipeline, 30);
        time.advance(ofMillis(1));

        assertThat(dependency.starts()).hasSize(BURST / 2);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void afterALongQuietTimeAwayACallAsksBeforeItUsesTheShare(Way way) {
        SharedThrottlePolicy throttle = throttle(s -> {});
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));
        store.stop();
        steady(dependency, pipeline, 100);
        long without = throttle.withoutStore();
        time.advance(ofSeconds(60));
        store.start();

        calls(dependency, pipeline, 1);
        time.advance(ofMillis(50));

        assertThat(throttle.withoutStore() - without).isLessThanOrEqualTo(1);
        assertThat(throttle.storeIsAway()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aProcessThatGetsNoProcessorTakesNoStoreForAway(Way way) {
        FakeStore.Connection connection = store.connection();
        SharedThrottlePolicy throttle = throttle(connection, s -> s.maxWait(ofSeconds(5)));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));
        calls(dependency, pipeline, 5 + 10);
        time.advance(ZERO);
        assertThat(throttle.waiting()).isEqualTo(10);

        connection.standStill();
        time.advance(ofSeconds(1));
        connection.goOn();
        time.advance(ofMillis(25));

        assertThat(dependency.starts()).hasSize(5 + 10);
        assertThat(throttle.withoutStore()).isZero();
        assertThat(changes).isEmpty();
    }

    /** The others may have used the limit meanwhile. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void ofPermitsThatAStallMadeOldABatchStartsAndNoMore(Way way) {
        FakeStore.Connection connection = store.connection();
        SharedThrottlePolicy throttle = throttle(connection, s -> s.maxWait(ofSeconds(5)));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));
        calls(dependency, pipeline, 5 + 15);
        time.advance(ofMillis(1));
        int before = dependency.starts().size();
        assertThat(throttle.waiting())
                .as("calls for which there are permits on their way")
                .isEqualTo(20 - before);

        connection.standStill();
        time.advance(ofSeconds(1));
        store.standStill();
        connection.goOn();
        time.advance(ZERO);

        assertThat(dependency.starts()).hasSize(before + 5);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aStoreThatHangsIsAwayAfterItsTimeAlsoWithoutFurtherCalls(Way way) {
        SharedThrottlePolicy throttle = throttle(s -> {});
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));
        store.standStill();

        calls(dependency, pipeline, 3);
        time.advance(ofMillis(50).minusNanos(1));
        assertThat(throttle.storeIsAway()).isFalse();
        time.advance(ofNanos(1));

        assertThat(throttle.storeIsAway()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallAMinuteStartsByTheShareOfAStoreThatHangs(Way way) {
        SharedThrottlePolicy throttle = throttle(s -> {});
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));
        store.standStill();

        for (int i = 0; i < 10; i++) {
            calls(dependency, pipeline, 1);
            time.advance(ofSeconds(60));
        }

        assertThat(dependency.starts()).hasSize(10);
        assertThat(throttle.withoutStore()).isEqualTo(5);
    }

    /** A connection that does not answer is given up after a while. Then each call is the first to ask. */
    @ParameterizedTest
    @EnumSource(WhenStoreIsAway.class)
    void aCallEachThreeSecondsDoesNotWaitForAStoreThatHangs(WhenStoreIsAway decides) {
        SharedThrottlePolicy throttle = throttle(s -> s.maxWait(ZERO).whenStoreIsAway(decides));
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));
        calls(dependency, pipeline, 5);
        time.advance(ofMillis(1));
        store.standStill();
        time.advance(ofSeconds(3));
        for (int i = 0; i < 5; i++) {
            calls(dependency, pipeline, 1); // uses up what is at hand
        }
        int before = dependency.starts().size();

        for (int i = 0; i < 10; i++) {
            time.advance(ofSeconds(2));
            store.breakOff();
            time.advance(ofSeconds(1));
            calls(dependency, pipeline, 1);
        }

        assertThat(dependency.starts()).hasSize(before + (decides == WhenStoreIsAway.CLOSED ? 0 : 10));
    }

    @Test
    void callsThatComeTogetherAfterAQuietTimeStartIfCallsMayGoOpen() {
        SharedThrottlePolicy throttle = throttle(s -> s.maxWait(ZERO).whenStoreIsAway(WhenStoreIsAway.OPEN));
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(throttle);
        store.stop();
        calls(dependency, pipeline, 20);
        store.standStill();
        time.advance(ofSeconds(3));
        int before = dependency.starts().size();

        calls(dependency, pipeline, 20);

        assertThat(dependency.starts()).hasSize(before + 20);
    }

    /** The other has noticed long ago that the store is back, and uses all of the limit. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aProcessThatMissedAProbeStartsOneCallBeforeItKnows(Way way) {
        SharedThrottlePolicy quiet = throttle(s -> s.maxWait(ZERO));
        SharedThrottlePolicy busy = throttle(s -> s.maxWait(ZERO));
        Dependency dependency = new Dependency(time, way);
        Pipeline one = pipeline(quiet);
        Pipeline other = pipeline(busy);
        time.advance(ofMillis(1));
        store.stop();
        for (int i = 0; i < 50; i++) {
            calls(dependency, one, 1);
            calls(dependency, other, 1);
            time.advance(ofMillis(10));
        }
        store.start();
        steady(dependency, other, 170);
        long without = busy.withoutStore();
        steady(dependency, other, 1);
        assertThat(busy.withoutStore()).as("the share is over").isEqualTo(without);
        without = quiet.withoutStore();

        calls(dependency, one, 20);
        time.advance(ZERO);

        assertThat(quiet.storeIsAway()).isTrue();
        assertThat(quiet.withoutStore()).isEqualTo(without + 1);
    }

    @Test
    void theMetersAreThoseOfThePages() throws IOException {
        RecordedMeters meters = new RecordedMeters();
        throttle(s -> {}).meters(meters);

        assertThat(meters.values().keySet()).containsExactlyInAnyOrderElementsOf(rows("many-machines", "Metrics"));
        Set<String> general = rows("metrics", "Meters of the policies");
        general.addAll(rows("metrics", "Meters of a shared throttle"));
        general.removeIf(name -> !name.startsWith("throttle."));
        assertThat(meters.values().keySet()).containsExactlyInAnyOrderElementsOf(general);
    }

    private static Set<String> rows(String page, String heading) throws IOException {
        String text = Files.readString(Path.of("../../docs/" + page + ".md"));
        int begin = text.indexOf("\n## " + heading + "\n");
        assertThat(begin).as(heading).isPositive();
        String section = text.substring(begin, text.indexOf("\n## ", begin + 1));
        return METER.matcher(section).results().map(row -> row.group(1)).collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void aThrottleThatTakesThePlaceOfAnotherHasItsTotals() {
        SharedThrottlePolicy first = throttle(s -> s.maxWait(ZERO));
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(first);
        calls(dependency, pipeline, 30);
        time.advance(ofMillis(10));
        assertThat(first.rejected()).isPositive();

        SharedThrottlePolicy second = throttle(s -> s.maxWait(ofMillis(1)));
        pipeline.replace(second);

        assertThat(second.rejected()).isEqualTo(first.rejected());
    }

    /** A question of the first one that fails after the second has taken its place counts, too. */
    @Test
    void questionsToTheStoreAndTheirFailuresAreTotalsThatAReloadKeeps() {
        SharedThrottlePolicy first = throttle(s -> s.maxWait(ZERO));
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(first);
        steady(dependency, pipeline, 100);
        assertThat(totals(first)).isEqualTo(List.of((double) store.questions(), 0.0));
        store.standStill();
        calls(dependency, pipeline, 10);
        time.advance(ofMillis(1));
        double open = totals(first).get(0);

        SharedThrottlePolicy second = throttle(s -> s.maxWait(ofMillis(1)));
        pipeline.replace(second);
        assertThat(totals(second).get(0)).isGreaterThanOrEqualTo(open).isEqualTo(store.questions());
        assertThat(totals(second).get(1)).isZero();
        store.stop();
        calls(dependency, pipeline, 10);
        time.advance(ofMillis(1));

        assertThat(totals(second).get(0)).isEqualTo(store.questions());
        assertThat(totals(second).get(1)).as("one of each").isEqualTo(2);
        assertThat(totals(first)).isEqualTo(totals(second));
    }

    private static List<Double> totals(SharedThrottlePolicy throttle) {
        RecordedMeters meters = new RecordedMeters();
        throttle.meters(meters);
        return List.of(
                meters.values().get("throttle.store.asked"), meters.values().get("throttle.store.failed"));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void reloadsOfAProcessThatHasNotReachedTheStoreBringNoFurtherBurst(Way way) {
        store.stop();
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle(s -> s.maxWait(ZERO)));
        for (int reload = 0; reload < 5; reload++) {
            calls(dependency, pipeline, 30);
            time.advance(ofMillis(1));
            pipeline.replace(throttle(s -> s.maxWait(ofNanos(1))));
        }

        assertThat(dependency.starts()).hasSize(BURST / 2);
        assertThat(changes).hasSize(1);
    }

    /** The others may not have noticed yet that the store is back, and use their shares. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aThrottleThatTakesThePlaceOfAnotherAsTheStoreComesBackKeepsToTheShare(Way way) {
        SharedThrottlePolicy first = throttle(s -> s.maxWait(ZERO));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(first);
        time.advance(ofMillis(1));
        store.stop();
        steady(dependency, pipeline, 200);
        store.start();
        SharedThrottlePolicy second = throttle(s -> s.maxWait(ofNanos(1)));
        pipeline.replace(second);
        assertThat(second.storeIsAway()).isTrue();
        while (second.storeIsAway()) {
            steady(dependency, pipeline, 1);
        }
        pipeline.replace(throttle(s -> s.maxWait(ZERO)));
        int before = dependency.starts().size();

        for (int i = 0; i < 1_000; i++) {
            calls(dependency, pipeline, 1);
            time.advance(ofMillis(1));
        }

        // A share of 100 a second, and a batch.
        assertThat(dependency.starts().size() - before).isBetween(90, LIMIT / 2 + 5);
        assertThat(changes).hasSize(2);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aShareThatWasTakenOverFollowsTheNewLimit(Way way) {
        store.stop();
        SharedThrottlePolicy first = throttle(s -> s.maxWait(ZERO));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(first);
        calls(dependency, pipeline, 30);
        time.advance(ofMillis(1));
        pipeline.replace(throttle(s -> s.limit(20).burst(2).maxWait(ZERO)));
        time.advance(ofSeconds(1));
        int before = dependency.starts().size();

        for (int i = 0; i < 1_000; i++) {
            calls(dependency, pipeline, 1);
            time.advance(ofMillis(1));
        }

        assertThat(dependency.starts().size() - before).isBetween(9, 11);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theTimeAwayIsThatOfTheLastOutage(Way way) {
        SharedThrottlePolicy throttle = throttle(s -> {});
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));
        store.stop();
        steady(dependency, pipeline, 300);
        store.start();
        while (throttle.storeIsAway()) {
            steady(dependency, pipeline, 1);
        }
        steady(dependency, pipeline, 1); // sees it, and tells
        store.stop();
        steady(dependency, pipeline, 10);
        store.start();
        steady(dependency, pipeline, 100);

        assertThat(changes).hasSize(4);
        assertThat(changes.get(3))
                .matches("inventory throttle away > shared: the store answers again after [0-9.]+ ms");
    }
}
