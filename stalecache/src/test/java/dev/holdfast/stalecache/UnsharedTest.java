/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.Perishable.Freshness;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Values that are for the call alone that has loaded them. */
class UnsharedTest {
    private static final Duration LONG = Duration.ofMillis(100);
    private static final Duration REMEMBERED = Duration.ofNanos(Unshared.NANOS);
    private static final Work OWN = Work.reading(() -> Page.own("own")).taking(LONG);

    private final StaleCachePolicy policy = StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO));

    private static List<Running<Reply<Object>>> start(Rig rig, int calls, Work work) {
        List<Running<Reply<Object>>> started = new ArrayList<>();
        for (int i = 0; i < calls; i++) {
            started.add(rig.start("a", work));
        }
        return started;
    }

    private static void assertEachHasItsOwn(List<Running<Reply<Object>>> calls) {
        assertThat(calls).allSatisfy(call -> assertThat(call.result()).isCompleted());
        assertThat(calls).extracting(call -> call.result().join().value()).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @EnumSource
    void callsThatHaveWaitedForItLoadAtOnceAndTogether(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Work own = Work.reading(() -> Page.own("own")).taking(LONG);
            List<Running<Reply<Object>>> calls = start(rig, 20, own);
            rig.time.advance(LONG);
            assertThat(calls.get(0).result()).isCompleted();
            assertThat(own.asked()).isEqualTo(20);
            rig.time.advance(LONG);
            assertEachHasItsOwn(calls);
            assertThat(policy.size()).isZero();
            assertThat(policy.underWay()).isZero();
            assertThat(rig.requests()).containsExactly("miss 20");
            assertThat(rig.discarded).isEmpty();
        }
    }

    /** They may have begun after what has brought the doubt, such as a write. */
    @ParameterizedTest
    @EnumSource
    void callsThatHaveWaitedForAValueInDoubtLoadOnceMoreTogether(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Work doubtful = doubtful();
            List<Running<Reply<Object>>> calls = start(rig, 200, doubtful);
            rig.time.advance(LONG);
            assertThat(calls.get(0).result()).isCompleted();
            assertThat(policy.waiting()).isEqualTo(198);
            rig.time.advance(LONG);
            assertThat(calls).allSatisfy(call -> assertThat(call.result()).isCompleted());
            assertThat(doubtful.asked()).isEqualTo(2);
            assertThat(policy.underWay()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aCallDoesNotTakeAValueInDoubtOfALoadThatBeganBeforeIt(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Work doubtful = doubtful();
            List<Running<Reply<Object>>> calls = start(rig, 3, doubtful);
            rig.time.advance(LONG.plus(LONG.dividedBy(2)));
            Running<Reply<Object>> later = rig.start("a", doubtful);
            rig.time.advance(LONG.dividedBy(2));
            assertThat(calls).allSatisfy(call -> assertThat(call.result()).isCompleted());
            assertThat(later.result()).isNotDone();
            assertThat(doubtful.asked()).isEqualTo(3);
            rig.time.run();
            assertThat(later.result()).isCompleted();
            assertThat(doubtful.asked()).isEqualTo(3);
        }
    }

    private static Work doubtful() {
        return Work.reading(() -> {
                    Page page = Page.of("doubtful", usual -> usual);
                    page.doubt();
                    return page;
                })
                .taking(LONG);
    }

    @ParameterizedTest
    @EnumSource
    void norDoThoseAfterAValueOfAnotherKey(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", Work.value(Page.of("other", Freshness::ofAnother)));
            start(rig, 5, OWN);
            assertThat(policy.waiting()).isZero();
            rig.time.run();
        }
    }

    @ParameterizedTest
    @EnumSource
    void laterCallsDoNotWaitForOneAnotherForAWhile(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", OWN);
            List<Running<Reply<Object>>> calls = start(rig, 5, OWN);
            assertThat(policy.waiting()).isZero();
            rig.time.advance(LONG);
            assertEachHasItsOwn(calls);

            rig.time.advance(REMEMBERED);
            start(rig, 5, OWN);
            assertThat(policy.waiting()).isEqualTo(4);
            rig.time.run();
        }
    }

    @ParameterizedTest
    @EnumSource
    void otherKeysAreSharedAsEver(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("b", OWN);
            start(rig, 5, Work.value("common").taking(LONG));
            assertThat(policy.waiting()).isEqualTo(4);
            rig.time.run();
        }
    }

    @ParameterizedTest
    @EnumSource
    void valueThatMayBeSharedEndsIt(Way way) {
        try (Rig rig = new Rig(way, StaleCachePolicy.of(c -> c.fresh(LONG).staleIfSlow(Duration.ZERO)))) {
            rig.load("a", OWN);
            rig.load("a", Work.value("common"));
            assertThat(rig.run("a", OWN).join().source()).isEqualTo(Source.FRESH);
            rig.time.advance(LONG);
            Work work = Work.value("common").taking(LONG);
            start(rig, 5, work);
            rig.time.run();
            assertThat(work.asked()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource
    void itTakesTheOldValueAway(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", Work.value("old"));
            rig.load("a", OWN);
            assertThat(policy.size()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void refreshThatBringsOneLeavesItToNobody(Way way) {
        StaleCachePolicy revalidating =
                StaleCachePolicy.of(c -> c.fresh(LONG).staleWhileRevalidate(Duration.ofMinutes(1)));
        try (Rig rig = new Rig(way, revalidating)) {
            rig.work = Work.value("old");
            CompletableFuture<?> unused = rig.startRepeatable("a");
            rig.time.advance(LONG);
            rig.work = OWN;
            assertThat(rig.startRepeatable("a").join()).isEqualTo("old");
            Running<Reply<Object>> follower = rig.start("a", OWN);
            assertThat(revalidating.waiting()).isOne();
            rig.time.advance(LONG);
            assertThat(rig.discarded).hasSize(1);
            assertThat(revalidating.size()).isZero();
            rig.time.advance(LONG);
            assertThat(follower.result()).isCompleted();
            List<Running<Reply<Object>>> calls = start(rig, 3, OWN);
            rig.time.advance(LONG);
            assertEachHasItsOwn(calls);
            assertThat(rig.discarded).hasSize(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void failureThatMayNotBeSharedIsNoReasonToLoadWhereThereIsAnOldValue(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", Work.value("old"));
            Work failing = Work.reading(() -> Page.own("failure")).taking(LONG);
            List<Running<Reply<Object>>> calls = start(rig, 5, failing);
            rig.time.run();
            assertThat(calls)
                    .allSatisfy(call -> assertThat(call.result().join().value()).isEqualTo("old"));
            assertThat(failing.asked()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource
    void failureSaysNothingAboutTheNextValue(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Work failing = Work.reading(() -> Page.own("failure")).taking(LONG);
            List<Running<Reply<Object>>> calls = start(rig, 3, failing);
            rig.time.run();
            assertEachHasItsOwn(calls);
            Work common = Work.value("common").taking(LONG);
            start(rig, 5, common);
            rig.time.run();
            assertThat(common.asked()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource
    void ownCallOfAFollowerIsStoredIfItMayBe(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Running<Reply<Object>> leader = rig.start("a", OWN);
            Running<Reply<Object>> follower =
                    rig.start("a", Work.value("common").taking(LONG));
            rig.time.run();
            assertThat(leader.result().join().value()).hasToString("own");
            assertThat(follower.result().join().value()).isEqualTo("common");
            assertThat(policy.size()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource
    void followerThatIsGivenUpInItsOwnCallHoldsNobody(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            List<Running<Reply<Object>>> calls = start(rig, 3, OWN);
            rig.time.advance(LONG);
            calls.get(1).giveUp().run();
            rig.time.run();
            assertThat(calls.get(1).result()).isCompletedExceptionally();
            assertThat(calls.get(2).result()).isCompleted();
            assertThat(policy.underWay()).isZero();
        }
    }

    @Test
    void keysAreForgottenWhenThereAreTooMany() {
        Unshared unshared = new Unshared();
        assertThat(unshared.has(0, 0)).isFalse();
        int keys = 30_000;
        for (int key = 0; key < keys; key++) {
            unshared.note(key, false, 0);
        }
        int known = 0;
        for (int key = 0; key < keys; key++) {
            known += unshared.has(key, 0) ? 1 : 0;
        }
        assertThat(known).isBetween(1, 10_000);
    }
}
