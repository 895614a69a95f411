/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SingleFlightTest {
    private static final Duration LONG = Duration.ofMillis(100);

    private final StaleCachePolicy policy = StaleCachePolicy.ofDefaults();

    private static List<Running<Reply<Object>>> start(Rig rig, int calls, Work work) {
        List<Running<Reply<Object>>> started = new ArrayList<>();
        for (int i = 0; i < calls; i++) {
            started.add(rig.start("a", work));
        }
        return started;
    }

    private static void assertAll(List<Running<Reply<Object>>> calls, Object value) {
        assertThat(calls)
                .allSatisfy(call -> assertThat(call.result().join().value()).isEqualTo(value));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsOfOneKeyShareOneCallAndItsValue(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Work work = Work.value(1).taking(LONG);
            List<Running<Reply<Object>>> calls = start(rig, 20, work);
            rig.time.run();
            assertAll(calls, 1);
            assertThat(work.asked()).isOne();
            assertThat(calls.get(7).result().join().source()).isEqualTo(Source.LIVE);
            assertThat(calls.get(7).result().join().attempts()).isZero();
            assertThat(rig.requests()).containsExactlyInAnyOrder("miss 1", "joined 19");
            assertThat(policy.underWay()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsOfOtherKeysGoTheirOwnWay(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Work work = Work.value(1).taking(LONG);
            rig.start("a", work);
            rig.start("b", work);
            assertThat(work.asked()).isEqualTo(2);
            rig.time.run();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void followersShareTheLeadersError(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            IOException ill = new IOException("ill");
            Work work = Work.error(ill).taking(LONG);
            List<Running<Reply<Object>>> calls = start(rig, 5, work);
            rig.time.run();
            assertThat(calls).allSatisfy(call -> assertThat(call.error()).isSameAs(ill));
            assertThat(work.asked()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void followersOfAFailedLeaderGetTheLastGoodValue(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", Work.value("old"));
            List<Running<Reply<Object>>> calls =
                    start(rig, 5, Work.error(new IOException("ill")).taking(LONG));
            rig.time.run();
            assertAll(calls, "old");
            assertThat(rig.requests()).containsExactlyInAnyOrder("miss 1", "stale_on_error 5");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void followersShareAFailingValueAsAFailure(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            List<Running<Reply<Object>>> calls =
                    start(rig, 3, Work.value("failure").taking(LONG));
            rig.time.run();
            assertAll(calls, "failure");
            assertThat(policy.size()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheLeaderIsGivenUpExactlyOneFollowerTakesOver(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Work first = Work.value("first").taking(LONG);
            Work second = Work.value("second").taking(LONG);
            Running<Reply<Object>> leader = rig.start("a", first);
            List<Running<Reply<Object>>> followers = start(rig, 10, second);
            rig.time.advance(LONG.dividedBy(2));
            leader.giveUp().run();
            rig.time.run();
            assertThat(leader.result()).isCompletedExceptionally();
            assertAll(followers, "second");
            assertThat(first.asked()).isOne();
            assertThat(second.asked()).isOne();
            assertThat(rig.requests()).containsExactlyInAnyOrder("miss 2", "joined 9");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void fullStackOfTheLeaderIsItsOwn(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Work work = Work.value("second").taking(LONG);
            Running<Reply<Object>> leader =
                    rig.start("a", Work.error(new StackOverflowError()).taking(LONG));
            List<Running<Reply<Object>>> followers = start(rig, 5, work);
            rig.time.run();
            assertThat(leader.error()).isInstanceOf(StackOverflowError.class);
            assertAll(followers, "second");
            assertThat(work.asked()).as("all at once").isEqualTo(5);
        }
    }

    /** Another thread has no more memory than this one. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void endOfMemoryIsNotTheLeadersOwn(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            OutOfMemoryError full = new OutOfMemoryError();
            Work work = Work.error(full).taking(LONG);
            List<Running<Reply<Object>>> calls = start(rig, 5, work);
            rig.time.run();
            assertThat(calls).allSatisfy(call -> assertThat(call.error()).isSameAs(full));
            assertThat(work.asked()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void leadersShortDeadlineIsItsOwn(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Work work = Work.value("value").taking(LONG);
            Running<Reply<Object>> leader = rig.start(rig.call("a").deadline(Duration.ofMillis(10)), work);
            List<Running<Reply<Object>>> followers = start(rig, 10, work);
            rig.time.run();
            assertThat(leader.error()).isInstanceOf(CallTimeoutException.class);
            assertAll(followers, "value");
            assertThat(work.asked()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void timeoutOfAnAttemptIsSharedByAll(Way way) {
        try (Rig rig = new Rig(way, policy, TimeoutPolicy.of(Duration.ofMillis(50)))) {
            Work slow = Work.value("late").taking(LONG);
            List<Running<Reply<Object>>> calls = start(rig, 20, slow);
            rig.time.advance(Duration.ofMillis(60));
            assertThat(calls).allSatisfy(call -> assertThat(call.error()).isInstanceOf(CallTimeoutException.class));
            assertThat(slow.asked()).isOne();
            assertThat(policy.underWay()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void limitOfALayerFurtherOutIsSharedByAll(Way way) {
        try (Rig rig = new Rig(way, DeadlinePolicy.of(Duration.ofMillis(50)), policy)) {
            Work slow = Work.value("late").taking(LONG);
            Running<Reply<Object>> leader = rig.start("a", slow);
            rig.time.advance(Duration.ofMillis(30));
            Running<Reply<Object>> follower = rig.start("a", slow);
            rig.time.advance(Duration.ofMillis(20));
            assertThat(leader.error()).isInstanceOf(CallTimeoutException.class);
            assertThat(follower.error()).isInstanceOf(CallTimeoutException.class);
            assertThat(slow.asked()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void rejectionIsSharedByAll(Way way) {
        StaleCachePolicyTest.Gate gate = new StaleCachePolicyTest.Gate();
        Slow slow = new Slow();
        try (Rig rig = new Rig(way, policy, slow, gate)) {
            gate.closed = true;
            List<Running<Reply<Object>>> calls = start(rig, 6, Work.value("never"));
            rig.time.advance(LONG);
            assertThat(calls).allSatisfy(call -> assertThat(call.error()).isInstanceOf(CallRejectedException.class));
            assertThat(policy.underWay()).isZero();
        }
    }

    /** Each way to cancel what the dependency is asked through would else take its whole time again. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void cancellationByTheClientOfTheDependencyIsSharedByAll(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Work work = Work.error(new CancellationException("by the client")).taking(LONG);
            List<Running<Reply<Object>>> calls = start(rig, 10, work);
            rig.time.advance(LONG);
            assertThat(calls).allSatisfy(call -> assertThat(call.result()).isCompletedExceptionally());
            assertThat(work.asked()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void eachFollowerKeepsItsOwnDeadline(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Running<Reply<Object>> leader = rig.start("a", Work.value("value").taking(LONG));
            Running<Reply<Object>> hasty = rig.start(rig.call("a").deadline(Duration.ofMillis(10)), Work.value("own"));
            rig.time.advance(Duration.ofMillis(10));
            assertThat(hasty.error()).isInstanceOf(CallRejectedException.class);
            assertThat(leader.result()).isNotDone();
            rig.time.run();
            assertThat(leader.result().join().value()).isEqualTo("value");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void followerWhoseTimeRunsOutTakesTheLastGoodValue(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", Work.value("old"));
            Running<Reply<Object>> leader = rig.start("a", Work.value("new").taking(LONG));
            Running<Reply<Object>> hasty = rig.start(rig.call("a").deadline(Duration.ofMillis(16)), Work.value("own"));
            rig.time.advance(Duration.ofMillis(16));
            Reply<Object> reply = hasty.result().join();
            assertThat(reply.value()).isEqualTo("old");
            assertThat(reply.source()).isEqualTo(Source.STALE_ON_ERROR);
            rig.time.run();
            assertThat(leader.result().join().value()).isEqualTo("new");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void crowdThatIsGivenUpLeavesNobodyWaiting(Way way) {
        int callers = way == Way.CALL_ASYNC ? 10_000 : 100;
        StaleCachePolicy policy = StaleCachePolicy.of(b -> b.maxFollowers(callers));
        try (Rig rig = new Rig(way, policy)) {
            Running<Reply<Object>> leader = rig.start("a", Work.value("value").taking(LONG));
            Work never = Work.value("never").taking(LONG);
            List<Running<Reply<Object>>> crowd = new ArrayList<>();
            for (int i = 0; i < callers; i++) {
                crowd.add(never.start(way, rig.time, rig.call("a")));
            }
            rig.time.advance(Duration.ofMillis(1));
            assertThat(policy.waiting()).isEqualTo(callers);
            crowd.forEach(call -> call.giveUp().run());
            rig.time.advance(Duration.ofMillis(1));
            assertThat(policy.waiting()).isZero();
            assertThat(crowd).allSatisfy(call -> assertThat(call.result()).isCompletedExceptionally());
            rig.time.run();
            assertThat(leader.result().join().value()).isEqualTo("value");
            assertThat(never.asked()).isZero();
            assertThat(policy.underWay()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void leaderAndCrowdThatAreGivenUpTogetherLeaveNobodyBehind(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Work work = Work.value("never").taking(LONG);
            List<Running<Reply<Object>>> crowd = start(rig, 50, work);
            rig.time.advance(Duration.ofMillis(1));
            crowd.forEach(call -> call.giveUp().run());
            rig.time.run();
            assertThat(crowd).allSatisfy(call -> assertThat(call.result()).isCompletedExceptionally());
            assertThat(policy.underWay()).isZero();
            assertThat(work.asked()).isLessThanOrEqualTo(50);
            assertThat(rig.run("a", Work.value("well")).join().value()).isEqualTo("well");
        }
    }

    @Test
    void blockingCallInsideTheLoadOfItsOwnKeyFailsAtOnce() {
        try (Rig rig = new Rig(Way.CALL, policy)) {
            CompletableFuture<Object> outer = rig.time.spawn(
                    () -> rig.call("a").call(attempt -> rig.call("a").call(inner -> "never")));
            rig.time.run();
            assertThat(Running.errorOf(outer))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("inside the load of the very key");
            assertThat(policy.underWay()).isZero();
        }
    }

    @Test
    void asynchronousCallInsideTheLoadOfItsOwnKeyFailsAtOnce() {
        try (Rig rig = new Rig(Way.CALL_ASYNC, policy)) {
            CompletableFuture<Object> outer = rig.call("a")
                    .callAsync(attempt -> rig.call("a").callAsync(inner -> CompletableFuture.completedFuture("never")));
            rig.time.run();
            assertThat(Running.errorOf(outer)).isInstanceOf(IllegalStateException.class);
            assertThat(policy.underWay()).isZero();
        }
    }

    @Test
    void callInsideTheLoadOfAnotherKeyIsServed() {
        try (Rig rig = new Rig(Way.CALL, policy)) {
            CompletableFuture<Object> outer = rig.time.spawn(() ->
                    rig.call("a").call(attempt -> "a and " + rig.call("b").call(inner -> "b")));
            rig.time.run();
            assertThat(outer.join()).isEqualTo("a and b");
        }
    }
}
