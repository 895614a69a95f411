/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;

class LossLimitTest {
    private static final long MILLI = 1_000_000;
    private static final long ATTEMPT = 50 * MILLI;
    private static final long MINUTE = 60_000 * MILLI;
    private static final long TIMEOUT = 1_000 * MILLI;

    private long now = 77;
    private LossLimit limit = limit(1, 100, 200);

    /** Its pauses have the length in the middle. */
    private static LossLimit limit(int floor, int first, int ceiling) {
        LossLimit limit = new LossLimit(floor, first, ceiling);
        limit.attemptLimit(() -> TIMEOUT);
        return limit;
    }

    /** So many attempts are served, one each 10 ms, while all permits are out. */
    private void served(int count) {
        served(count, ATTEMPT);
    }

    private void served(int count, long nanos) {
        for (int i = 0; i < count; i++) {
            now += 10 * MILLI;
            limit.served(now, nanos, limit.limit());
        }
    }

    private void dropped(int count) {
        for (int i = 0; i < count; i++) {
            now += 10 * MILLI;
            limit.dropped(now, ATTEMPT, limit.limit(), () -> 0.5);
        }
    }

    private void failed(int count) {
        for (int i = 0; i < count; i++) {
            now += 10 * MILLI;
            limit.failed(now, ATTEMPT, limit.limit(), () -> 0.5);
        }
    }

    /** Of each ten attempts, the first ones are lost. */
    private void tens(int tens, int lost) {
        for (int i = 0; i < tens; i++) {
            dropped(lost);
            served(10 - lost);
        }
    }

    /** The dependency answers nothing for so long. */
    private void silent(long millis) {
        for (long end = now + millis * MILLI; now - end < 0; ) {
            dropped(1);
        }
    }

    @Test
    void whileNothingIsLostAndNoCallWaitsNearlyAllAttemptsNeedNotBeTold() {
        served(300);
        int indifferent = 0;
        Random random = new Random(1);
        for (int i = 0; i < 1_000; i++) {
            indifferent += limit.isIndifferentTo(ATTEMPT + random.nextInt(1_000_000)) ? 1 : 0;
        }

        assertThat(indifferent).isBetween(900, 970);
        assertThat(limit.isIndifferentTo(0)).as("not measured").isTrue();
        assertThat(limit.limit()).isEqualTo(100);
    }

    /** Half of the calls are slow, which the first answers do not tell: the slow ones come back last. */
    @Test
    void slowCallsAmongFastOnesAreNotLate() {
        Random random = new Random(5);
        served(50, MILLI);
        for (int i = 0; i < 5_000; i++) {
            now += 10 * MILLI;
            limit.served(now, random.nextInt(3) == 0 ? MILLI : TIMEOUT * 9 / 10, limit.limit());
            assertThat(limit.limit()).isGreaterThanOrEqualTo(100);
        }
    }

    @Test
    void failuresAreNoLossesAsLongAsSomethingElseComesBack() {
        Random random = new Random(5);
        for (int i = 0; i < 5_000; i++) {
            now += 10 * MILLI;
            if (random.nextInt(10) < 6) {
                limit.failed(now, ATTEMPT, limit.limit(), () -> 0.5);
            } else {
                limit.served(now, ATTEMPT, limit.limit());
            }
            assertThat(limit.limit()).isEqualTo(100);
        }
    }

    /** The slow disk is not our doing, so what was held back is free again, and the limit doubles as before. */
    @Test
    void afterATrialInVainTheLimitGrowsAsBefore() {
        limit = limit(1, 10, 200);
        served(300);
        long slow = TIMEOUT * 9 / 10;
        for (int i = 0; i < 60; i++) {
            now += slow / Math.max(1, limit.limit());
            limit.wanted();
            limit.served(now, slow, limit.limit());
        }
        for (int i = 0; i < 300; i++) {
            now += slow / Math.max(1, limit.limit());
            limit.wanted();
            limit.served(now, slow, limit.limit());
        }

        assertThat(limit.limit()).isGreaterThan(100);
    }

    @Test
    void anotherTimeoutHoldsAtOnce() {
        served(300);
        limit.attemptLimit(() -> 100 * TIMEOUT);
        for (int i = 0; i < 100; i++) {
            now += 10 * MILLI;
            limit.served(now, TIMEOUT, limit.limit());
        }

        assertThat(limit.limit()).as("a hundredth of the time").isEqualTo(100);
    }

    @Test
    void aTenthIsNoTrouble() {
        tens(50, 1);

        assertThat(limit.limit()).isGreaterThan(95);
    }

    @Test
    void ofMoreThanAFifthTheLimitIsCutByHalfOfTheShare() {
        served(20);
        now += MINUTE;
        dropped(4);
        served(6);

        assertThat(limit.limit()).as("4 of 10 were lost").isEqualTo(80);
    }

    @Test
    void ofMostOfThemTheLimitIsCutByTheShareOfWhatIsInUse() {
        served(20);
        now += MINUTE;
        for (int i = 0; i < 10; i++) {
            now += 10 * MILLI;
            if (i % 5 > 2) {
                limit.served(now, ATTEMPT, 40);
            } else {
                limit.dropped(now, ATTEMPT, 40, () -> 0.5);
            }
        }

        assertThat(limit.limit()).as("6 of 10 of 40 in use").isEqualTo(16);
    }

    /** A fifth hangs until its timeout: after a start those that began first end together, and others were served meanwhile. */
    @Test
    void lossesThatComeLateAreAShareOfThoseThatBeganWithThem() {
        served(20);
        limit.wanted();
        served(30);
        for (int i = 0; i < 9; i++) {
            now += MILLI;
            limit.dropped(now, 500 * MILLI, 20, () -> 0.5);
        }
        served(2);

        assertThat(limit.limit()).isGreaterThanOrEqualTo(100);
    }

    @Test
    void thePermitOfALostAttemptIsHeldBackUntilAllIsKnown() {
        served(1);
        dropped(1);
        assertThat(limit.limit()).isEqualTo(99);

        served(40);

        assertThat(limit.limit()).isEqualTo(100);
    }

    @Test
    void afterLossesAloneOneAttemptIsMadeAtATime() {
        served(20);
        silent(200);

        assertThat(limit.limit()).isEqualTo(1);
        assertThat(limit.pauseNanos(now)).isZero();
    }

    @Test
    void twoLossesInOneMomentAreNoOutage() {
        served(20);
        limit.dropped(now, ATTEMPT, 5, () -> 0.5);
        limit.dropped(now, ATTEMPT, 5, () -> 0.5);
        served(20);

        assertThat(limit.limit()).isGreaterThan(90);
    }

    @Test
    void ifNothingComesBackThenThereArePausesThatGetLonger() {
        served(20);
        silent(200);
        long last = 0;
        for (int i = 0; i < 8; i++) {
            for (int k = 0; k < 3 && limit.limit() > 0; k++) {
                now += TIMEOUT;
                limit.dropped(now, TIMEOUT, 1, () -> 0.5);
            }

            assertThat(limit.limit()).isZero();
            long pause = limit.pauseNanos(now);
            assertThat(pause).isBetween(Math.min(2 * last, 2_000 * MILLI), 2_000 * MILLI);
            last = pause;
            assertThat(limit.pauseNanos(now + pause - 1)).isEqualTo(1);
            now += pause;
            assertThat(limit.pauseNanos(now)).isZero();
            assertThat(limit.limit()).as("after the pause").isEqualTo(1);
        }
        assertThat(last).isEqualTo(2_000 * MILLI);

        served(1);
        silent(400);
        assertThat(limit.pauseNanos(now)).as("after an answer").isLessThan(500 * MILLI);
    }

    /** It has left no work in the dependency, and who asks it again soon sees soon that it is back. */
    @Test
    void afterFailuresThatComeAtOncePausesGetLongerSlowly() {
        served(20);
        silent(200);
        long began = now;
        List<Long> pauses = new ArrayList<>();
        while (now - began < 60_000 * MILLI) {
            for (int k = 0; limit.limit() > 0; k++) {
                now += 100 * MILLI;
                limit.failed(now, ATTEMPT, 1, () -> 0.5);
                assertThat(k).isLessThan(25);
            }
            pauses.add(limit.pauseNanos(now));
            now += limit.pauseNanos(now);
            assertThat(limit.pauseNanos(now)).isZero();
        }

        assertThat(pauses.subList(0, 5)).allMatch(pause -> pause < 300 * MILLI);
        assertThat(pauses).isSorted();
        assertThat(pauses.get(pauses.size() - 1)).isGreaterThan(500 * MILLI);
    }

    @Test
    void answersThatAreAsLateWithAQuarterOfTheLimitHaveAnotherReasonThanTheLoad() {
        served(300);
        int before = limit.limit();
        long late = TIMEOUT / 2;
        int least = before;
        int attempts = 0;
        while (limit.limit() < before || least == before) {
            now += late;
            limit.served(now, late, limit.limit());
            least = Math.min(least, limit.limit());
            assertThat(attempts++).isLessThan(45);
        }

        assertThat(least).isEqualTo(before / 4);
        assertThat(limit.limit()).isEqualTo(before);
    }

    /** A loss of long ago is no reason to let one call run at a time: a process with few calls may have no three in a row. */
    @Test
    void anAnswerThatBeganAfterTheLastLossMakesOneFour() {
        served(20);
        while (limit.limit() > 1) {
            dropped(1);
        }
        now += 2 * TIMEOUT;
        limit.dropped(now, TIMEOUT, 1, () -> 0.5);
        now += TIMEOUT;
        limit.served(now, TIMEOUT / 10, 1);

        assertThat(limit.limit()).isEqualTo(4);
    }

    /** A quarter of the calls hangs: those that come back first are those that do not, and each one more may take a worker. */
    @Test
    void whereLostAttemptsHangOneGrowsAfterHalfASecondOfNothingButAnswers() {
        downToOneBy(TIMEOUT / 2);
        long began = now;
        while (limit.limit() == 1) {
            limit.wanted();
            now += ATTEMPT;
            limit.served(now, ATTEMPT, 1);
        }

        assertThat(limit.limit()).isEqualTo(3);
        assertThat(now - began).isBetween(500 * MILLI, 800 * MILLI);
    }

    @Test
    void whereLostAttemptsTakeLittleLongerThanOthersTheyAreInAQueueAndOneGrowsAtOnce() {
        downToOneBy(2 * ATTEMPT);
        long began = now;
        while (limit.limit() == 1) {
            limit.wanted();
            now += ATTEMPT;
            limit.served(now, ATTEMPT, 1);
        }

        assertThat(now - began).isLessThanOrEqualTo(300 * MILLI);
    }

    @Test
    void aLossBeginsTheHalfSecondAnew() {
        downToOneBy(TIMEOUT / 2);
        for (int i = 0; i < 10; i++) {
            for (int k = 0; k < 6; k++) {
                limit.wanted();
                now += ATTEMPT;
                limit.served(now, ATTEMPT, 1);
            }
            now += TIMEOUT / 2;
            limit.dropped(now, TIMEOUT / 2, 1, () -> 0.5);
            assertThat(limit.limit()).isLessThanOrEqualTo(1);
            now += limit.pauseNanos(now);
        }
    }

    /** A limit of one, of attempts that are lost after so long. */
    private void downToOneBy(long nanos) {
        limit = limit(1, 10, 200);
        served(300);
        while (limit.limit() > 1) {
            now += 10 * MILLI;
            limit.dropped(now, nanos, limit.limit(), () -> 0.5);
        }
        now += nanos;
    }

    @Test
    void anAnswerThatBeganBeforeTheLastLossDoesNot() {
        served(20);
        while (limit.limit() > 1) {
            dropped(1);
        }
        now += 2 * TIMEOUT;
        limit.dropped(now, TIMEOUT, 2, () -> 0.5);
        now += 200 * MILLI;
        limit.served(now, 210 * MILLI, 1);

        assertThat(limit.limit()).isEqualTo(1);
    }

    @Test
    void aMinimumAboveOneHasNoPauses() {
        limit = limit(4, 100, 200);
        served(20);
        silent(5_000);

        assertThat(limit.limit()).isEqualTo(4);
        assertThat(limit.pauseNanos(now)).isZero();
    }

    @Test
    void untilTheFirstTroubleItDoublesWhereMoreIsWanted() {
        limit = limit(1, 10, 200);
        served(100);
        assertThat(limit.limit()).as("nobody wants more").isEqualTo(10);

        for (int i = 0; i < 3; i++) {
            limit.wanted();
            served(21);
        }
        assertThat(limit.limit()).isBetween(50, 100);
        for (int i = 0; i < 20; i++) {
            limit.wanted();
            served(21);
        }
        assertThat(limit.limit()).isEqualTo(200);
    }

    @Test
    void whatIsLostAgainCountsOnlyBesideOtherAttempts() {
        limit = limit(1, 10, 200);
        served(10);
        for (int i = 0; i < 20; i++) {
            now += 2 * ATTEMPT;
            limit.lostAgain(now, ATTEMPT, 1, true, () -> 0.5);
        }
        assertThat(limit.limit()).as("nothing else has ended").isGreaterThanOrEqualTo(10);

        dropped(1);
        served(8);
        for (int i = 0; i < 5; i++) {
            now += 10 * MILLI;
            limit.lostAgain(now, ATTEMPT, 5, true, () -> 0.5);
        }
        served(6);
        assertThat(limit.limit()).isLessThan(10);
    }

    /** At its last cut. */
    private int cutFrom(int first) {
        limit = limit(1, first, 200);
        served(10);
        dropped(5);
        served(6);
        assertThat(limit.limit()).isLessThan(first);
        return limit.limit();
    }

    @Test
    void inTheTenSecondsAfterACutItGrowsByOneASecond() {
        int cut = cutFrom(4);

        for (int second = 1; second <= 2; second++) {
            for (int i = 0; i < 10; i++) {
                limit.wanted();
                served(10);
            }
            assertThat(limit.limit()).as("after %d s", second).isBetween(cut + second - 1, cut + second);
        }
    }

    @Test
    void inTheTenSecondsAfterACutItDoesNotGrowWhileAPartIsNotInUse() {
        int cut = cutFrom(10);

        for (int i = 0; i < 200; i++) {
            limit.wanted();
            now += 40 * MILLI;
            limit.served(now, ATTEMPT, cut - 1);
        }
        assertThat(limit.limit()).isEqualTo(cut);

        for (int i = 0; i < 60; i++) {
            limit.wanted();
            now += 40 * MILLI;
            limit.served(now, ATTEMPT, cut - 1);
        }
        assertThat(limit.limit()).isGreaterThan(cut);
    }

    @Test
    void tenSecondsAfterACutItGrowsByOneInEachPeriod() {
        int cut = cutFrom(10);
        now += 10_000 * MILLI;
        served(1, 5 * MILLI);
        int before = limit.limit();
        assertThat(before).isBetween(cut, cut + 1);

        limit.wanted();
        served(22, 5 * MILLI);

        assertThat(limit.limit()).isBetween(before + 1, before + 4);
    }

    @Test
    void afterATotalLossItDoublesUpToHalfOfWhatItWas() {
        served(20);
        silent(200);
        now += 10 * ATTEMPT;
        for (int i = 0; i < 40 && limit.limit() < 49; i++) {
            limit.wanted();
            now += 250 * MILLI;
            for (int k = limit.limit(); k > 0; k--) {
                limit.served(now, ATTEMPT, limit.limit());
            }
            assertThat(i).as("at %d", limit.limit()).isLessThan(20);
        }
        int half = limit.limit();
        limit.wanted();
        now += 250 * MILLI;
        limit.served(now, ATTEMPT, limit.limit());
        now += 250 * MILLI;
        limit.served(now, ATTEMPT, limit.limit());

        assertThat(limit.limit()).isBetween(half, half + 6);
    }

    @Test
    void oneLossDoesNotHoldTheLimitOfAProcessWithFewCalls() {
        served(20);
        silent(200);
        dropped(1);
        for (int i = 0; i < 6; i++) {
            limit.wanted();
            now += 1_000 * MILLI;
            limit.served(now, ATTEMPT, 1);
        }

        assertThat(limit.limit()).isGreaterThan(3);
    }

    /** The first outage is not the fault of the limit. One that comes while it doubles again may be. */
    @Test
    void anOutageThatComesWhileTheLimitDoublesAgainHalvesHowFarItDoubles() {
        limit = limit(1, 10, 200);
        served(20);
        failed(20);
        int afterOne = answersUpTo(40);
        limit = limit(1, 10, 200);
        served(20);
        failed(20);
        answersUpTo(12);
        failed(20);

        assertThat(answersUpTo(40)).isGreaterThan(5 * afterOne);
    }

    /** So many attempts are served until the limit is that high. */
    private int answersUpTo(int least) {
        int answers = 0;
        for (; limit.limit() < least; answers++) {
            now += 10 * MILLI;
            limit.pauseNanos(now);
            limit.wanted();
            limit.served(now, ATTEMPT, limit.limit());
        }
        return answers;
    }

    /** In an overload of which only some of many servers have a long queue. */
    @Test
    void theUsualTimeDoesNotFollowAQueue() {
        served(300);
        for (int i = 0; i < 2_000; i++) {
            served(3, TIMEOUT * 6 / 10);
            served(2);
        }
        assertThat(limit.limit()).as("not nearly all are late").isEqualTo(100);

        served(200, TIMEOUT * 7 / 10);
        assertThat(limit.limit()).isLessThan(100);
    }

    /** One answer of two seconds says as much as ten of 200 ms. */
    @Test
    void aProcessWithFewCallsGrowsWithEachWholeAttempt() {
        served(20, 2_000 * MILLI);
        while (limit.decided() > 1) {
            dropped(1);
        }
        for (int i = 0; i < 3; i++) {
            limit.wanted();
            now += 2_500 * MILLI;
            limit.served(now, 2_000 * MILLI, 1);
        }

        assertThat(limit.limit()).isEqualTo(6);
    }

    /** And those that overlap say it once. */
    @Test
    void attemptsThatOverlapAreOnePeriod() {
        served(20, 2_000 * MILLI);
        while (limit.decided() > 1) {
            dropped(1);
        }
        now += 5_000 * MILLI;
        for (int i = 0; i < 10; i++) {
            limit.wanted();
            now += 10 * MILLI;
            limit.served(now, 2_000 * MILLI, 1);
        }

        assertThat(limit.limit()).isEqualTo(4);
    }

    /** Long attempts are under way. The dependency says that it has too much of something, in three milliseconds. */
    private void refused(int count, long eachMillis) {
        for (int i = 0; i < count; i++) {
            now += eachMillis * MILLI;
            limit.dropped(now, 3 * MILLI, 20, () -> 0.5);
        }
    }

    @Test
    void twoRefusalsBetweenTwoAnswersOfLongAttemptsAreNoOutage() {
        served(20, 2_000 * MILLI);
        refused(2, 150);

        assertThat(limit.decided()).isEqualTo(100);
    }

    @Test
    void refusalsForAsLongAsAnAttemptTakesAreAnOutage() {
        served(20, 2_000 * MILLI);
        refused(2, 2_000);

        assertThat(limit.decided()).isEqualTo(1);
    }

    @Test
    void aBatchOfFailuresBetweenTwoAnswersOfLongAttemptsIsNoOutage() {
        served(20, 2_000 * MILLI);
        for (int i = 0; i < 40; i++) {
            now += 6 * MILLI;
            limit.failed(now, 3 * MILLI, 20, () -> 0.5);
        }

        assertThat(limit.decided()).isEqualTo(100);
    }

    /** Two hang and one fails at once: they say nothing of the time before the longest of them began. */
    @Test
    void lossesAreAnOutageOnlyIfTheyLastAsLongAsTheLongestOfThem() {
        served(20);
        now += 10 * MILLI;
        limit.dropped(now, TIMEOUT, 20, () -> 0.5);
        limit.dropped(now, TIMEOUT, 20, () -> 0.5);
        now += 130 * MILLI;
        limit.failed(now, 3 * MILLI, 20, () -> 0.5);

        assertThat(limit.decided()).isEqualTo(100);
    }

    /** Of the attempts that began after a cut, those that are refused at once end first. */
    @Test
    void refusalsAreNotCountedBeforeAnAttemptThatBeganAfterTheCutCanHaveBeenServed() {
        served(20, 1_000 * MILLI);
        for (int i = 0; i < 100 && limit.decided() == 100; i++) {
            refused(3, 40);
            served(2, 1_000 * MILLI);
        }
        int cut = limit.decided();
        assertThat(cut).isBetween(2, 99);
        refused(40, 20);

        assertThat(limit.decided()).isEqualTo(cut);
        assertThat(limit.limit()).as("with no permit held back").isEqualTo(cut);
    }

    @Test
    void whatEndsSoonerThanAnAnswerIsRefusedAtOnceAndKeepsNoPermit() {
        served(20, 100 * MILLI);
        assertThat(limit.isRefusedAtOnce(100 * MILLI - 1)).isTrue();
        assertThat(limit.isRefusedAtOnce(100 * MILLI)).isFalse();

        limit.refused(now, MILLI, 20, () -> 0.5);
        assertThat(limit.limit()).isEqualTo(100);
        limit.dropped(now, 100 * MILLI, 20, () -> 0.5);
        assertThat(limit.limit()).isEqualTo(99);
    }

    /** A part of a second shows nothing of a quota for each second. */
    @Test
    void refusalsAtOnceAreJudgedAfterASecond() {
        served(20);
        for (int i = 0; i < 99; i++) {
            now += 10 * MILLI;
            limit.refused(now, MILLI, 20, () -> 0.5);
        }
        assertThat(limit.decided()).isEqualTo(100);
        now += 20 * MILLI;
        limit.refused(now, MILLI, 20, () -> 0.5);
        assertThat(limit.decided()).isLessThan(100);
    }

    @Test
    void atItsMinimumTwoRefusalsAtOnceAreEnoughForAPause() {
        served(20);
        for (int i = 0; i < 200 && limit.decided() > 1; i++) {
            now += 10 * MILLI;
            limit.refused(now, MILLI, 20, () -> 0.5);
        }
        assertThat(limit.decided()).isEqualTo(1);
        for (int i = 0; i < 2; i++) {
            now += 200 * MILLI;
            limit.refused(now, MILLI, 1, () -> 0.5);
        }
        assertThat(limit.limit()).isZero();
    }

    /** Once a pause was needed, each row of refusals brings the next one. */
    @Test
    void afterAPauseRefusalsNeedNotLastAsLongAsAnAnswerTakes() {
        served(20, 2_000 * MILLI);
        for (int i = 0; i < 200 && limit.limit() != 0; i++) {
            refused(1, 100);
        }
        assertThat(limit.limit()).isZero();
        now += limit.pauseNanos(now);
        assertThat(limit.pauseNanos(now)).isZero();
        refused(3, 100);

        assertThat(limit.limit()).isZero();
    }

    /** The answers that come before the deadline are the fast ones. */
    @Test
    void attemptsThatTheirCallersEndTellTheirTimeToo() {
        Random random = new Random(1);
        int lost = 0;
        for (int i = 0; i < 5_000; i++) {
            now += 20 * MILLI;
            long nanos = (long) (-Math.log(1 - random.nextDouble()) * 200 * MILLI);
            if (nanos < 100 * MILLI) {
                limit.served(now, nanos, 10);
            } else if (limit.cutShort(now, 100 * MILLI)) {
                lost++;
            }
        }

        assertThat(lost).isZero();
    }

    @Test
    void aMinuteAfterTheLastCutMoreCallsAreAsNewAsAtFirst() {
        served(20);
        while (limit.decided() > 1) {
            dropped(1);
        }
        limit.ceiling(10_000);
        for (long end = now + 61_000 * MILLI; now - end < 0; ) {
            served(10);
        }
        int before = limit.limit();
        for (int i = 0; i < 100; i++) {
            limit.wanted();
            served(1);
        }

        assertThat(limit.limit()).isGreaterThan(before + 50);
    }

    @Test
    void threeLossesOfAFewAttemptsAreATrouble() {
        served(20);
        now += 10 * TIMEOUT;
        for (int i = 0; i < 3; i++) {
            now += 10 * MILLI;
            limit.dropped(now, TIMEOUT, 2, () -> 0.5);
        }

        assertThat(limit.limit()).isLessThan(30);
    }

    @Test
    void threeLossesAmongManyAttemptsAreChance() {
        served(20);
        for (int i = 0; i < 3; i++) {
            now += 10 * MILLI;
            limit.dropped(now, TIMEOUT, 90, () -> 0.5);
        }
        for (int i = 0; i < 200; i++) {
            now += MILLI;
            limit.served(now, ATTEMPT, 90);
        }

        assertThat(limit.limit()).isEqualTo(100);
    }

    @Test
    void answersThatAreNearlyTooLateCutTheLimit() {
        served(200);
        served(120, 400 * MILLI);

        assertThat(limit.limit()).isBetween(25, 75);
    }

    @Test
    void aSlowAnswerIsNotLateIfAnswersTakeSoLong() {
        served(2_000, 400 * MILLI);

        assertThat(limit.limit()).isEqualTo(100);
    }

    @Test
    void withoutAnyLimitOfAnAttemptNoneIsLate() {
        limit = new LossLimit(1, 100, 200);
        served(200);
        served(400, 60_000 * MILLI);

        assertThat(limit.limit()).isEqualTo(100);
    }

    @Test
    void aThirdOfFailuresIsABugAndNoLoad() {
        for (int i = 0; i < 100; i++) {
            failed(1);
            served(2);
        }

        assertThat(limit.limit()).isEqualTo(100);
    }

    @Test
    void failuresAloneAreAnOutage() {
        served(20);
        failed(30);

        assertThat(limit.limit()).isLessThanOrEqualTo(1);
    }

    @Test
    void attemptsThatBeganBeforeACutDoNotShowWhatItHasChanged() {
        served(20);
        dropped(4);
        served(6);
        int cut = limit.limit();
        long cutAt = now;
        for (int i = 0; i < 100; i++) {
            now += MILLI;
            limit.served(now, now - cutAt + 1, 80);
        }
        for (int i = 0; i < 100; i++) {
            now += MILLI;
            limit.failed(now, now - cutAt + 1, 80, () -> 0.5);
        }

        assertThat(limit.limit()).isEqualTo(cut);
    }

    /** Two bad servers among five: two fifths of the attempts time out, however few there are. */
    @Test
    void lossesThatFewerCallsDoNotChangeBecomeUsual() {
        served(20);

        assertThat(lowestOf(80)).as("until they are").isBetween(50, 90);
        assertThat(lowestOf(60)).as("after it").isGreaterThan(80);
    }

    private int lowestOf(int tens) {
        int lowest = limit.limit();
        for (int i = 0; i < tens; i++) {
            tens(1, 4);
            lowest = Math.min(lowest, limit.limit());
        }
        return lowest;
    }

    @Test
    void aFewLossesInARowAreNoOutageWhereManyAreLostAsARule() {
        served(20);
        tens(120, 4);

        lostEach40Millis(4);
        assertThat(limit.limit()).isGreaterThan(10);

        lostEach40Millis(5);
        assertThat(limit.limit()).isEqualTo(1);
    }

    private void lostEach40Millis(int count) {
        for (int i = 0; i < count; i++) {
            now += 30 * MILLI;
            dropped(1);
        }
    }

    @Test
    void aDependencyThatIsSlowerWhateverTheLoadKeepsItsLimit() {
        served(200);
        served(2_000, 400 * MILLI);

        assertThat(limit.limit()).isGreaterThanOrEqualTo(90);
    }

    @Test
    void afterALossIsKnownToHaveAnotherReasonMoreOfThemAreHeeded() {
        served(20);
        tens(120, 4);
        assertThat(limit.limit()).isGreaterThan(80);

        tens(5, 9);

        assertThat(limit.limit()).isLessThan(20);
    }

    /** An outage, in which three losses meet another thread, and its end. */
    private void threeLossesMeetAnotherThread() {
        served(20);
        silent(200);
        AtomicInteger met = new AtomicInteger();
        DoubleSupplier meeting = () -> {
            for (int i = 0; i < 3; i++) {
                CompletableFuture.runAsync(() -> limit.dropped(now, ATTEMPT, 1, () -> 0.5))
                        .join();
                met.incrementAndGet();
            }
            return 0.5;
        };
        while (limit.limit() > 0) {
            now += TIMEOUT;
            limit.dropped(now, ATTEMPT, 1, meeting);
        }
        assertThat(met).hasValue(3);
        now += limit.pauseNanos(now);
        assertThat(limit.pauseNanos(now)).isZero();
        served(8);
        limit.wanted();
        served(90);
        assertThat(limit.limit()).isGreaterThan(4);
    }

    @Test
    void aLossThatMeetsAnotherThreadIsMadeUpForByTheNext() {
        threeLossesMeetAnotherThread();
        int before = limit.limit();

        now += 10 * MILLI;
        limit.dropped(now, 10 * TIMEOUT, before, () -> 0.5);
        assertThat(limit.limit()).as("of one loss and three that were missed").isEqualTo(before - 4);
    }

    @Test
    void aLossOfAnEarlierOutageThatWasMissedIsForgotten() {
        threeLossesMeetAnotherThread();
        int before = limit.limit();

        dropped(1);
        assertThat(limit.limit()).isEqualTo(before - 1);
    }

    /** Ten answers a second whose time is all that has changed. */
    private void allTake(long nanos) {
        for (int i = 0; i < 400; i++) {
            now += 100 * MILLI;
            limit.wanted();
            limit.served(now, nanos, Math.max(1, limit.limit()));
        }
    }

    @Test
    void answersThatAreAllLaterThanTheyWereDoNotKeepALimitThatIsLowAlready() {
        limit = limit(1, 3, 200);
        served(300);
        allTake(400 * MILLI);
        assertThat(limit.limit()).as("from three").isGreaterThanOrEqualTo(3);

        limit = limit(5, 10, 200);
        served(300);
        allTake(400 * MILLI);
        assertThat(limit.limit()).as("at least five").isGreaterThanOrEqualTo(10);

        limit = limit(1, 10, 200);
        served(300);
        silent(2_000);
        now += limit.pauseNanos(now);
        assertThat(limit.pauseNanos(now)).isZero();
        allTake(400 * MILLI);
        assertThat(limit.limit()).as("after an outage").isGreaterThan(3);
    }

    @Test
    void twoFifthsThatHangInRowsAreAShareAndNoOutage() {
        limit = limit(1, 10, 200);
        served(300);
        assertThat(lowestOfRowsThatHang(2)).as("taken for an outage").isLessThan(2);
        lowestOfRowsThatHang(5);
        assertThat(limit.decided()).as("put back").isEqualTo(10);
        assertThat(lowestOfRowsThatHang(90)).as("known").isGreaterThanOrEqualTo(10);
    }

    private int lowestOfRowsThatHang(int rows) {
        int lowest = limit.decided();
        for (int i = 0; i < rows; i++) {
            now += limit.pauseNanos(now);
            assertThat(limit.pauseNanos(now)).isZero();
            served(3);
            for (int lost = 0; lost < 2; lost++) {
                now += TIMEOUT;
                limit.wanted();
                limit.dropped(now, TIMEOUT, Math.max(1, limit.limit()), () -> 0.5);
            }
            lowest = Math.min(lowest, limit.decided());
        }
        return lowest;
    }

    @Test
    void anAttemptThatNobodyTimedIsTakenForAUsualOne() {
        served(300);
        while (limit.decided() == 100) {
            dropped(1);
        }
        int cut = limit.decided();
        for (int i = 0; i < 10; i++) {
            now += MILLI;
            limit.dropped(now, 0, cut, () -> 0.5);
        }
        served(1, 0);
        assertThat(limit.decided()).as("they began before the cut").isEqualTo(cut);
    }

    @Test
    void aClockMayBeNegative() {
        now = -1_000_000_000_000_000_000L;
        served(300);
        tens(3, 6);
        assertThat(limit.decided()).isLessThan(100);
    }

    @Test
    void afterHalfAMinuteWithoutAnAttemptItIsWhatItWasAtFirst() {
        limit = limit(1, 40, 200);
        silent(150);
        assertThat(limit.limit()).isBetween(1, 20);

        now += MINUTE / 2 - 11 * MILLI;
        served(1, 10 * MILLI);
        assertThat(limit.limit()).as("10 ms of it are the attempt's own").isLessThan(40);

        now += MINUTE / 2;
        served(1, 10 * MILLI);
        assertThat(limit.limit()).isEqualTo(40);
    }

    @Test
    void afterHalfAMinuteWithoutAnAttemptItIsWhatItWasAtFirstAlsoIfTheNextOneIsNotTimed() {
        limit = limit(1, 40, 200);
        silent(150);
        served(1, 10 * MILLI);
        assertThat(limit.limit()).isBetween(1, 20);

        now += MINUTE / 2 - 10 * MILLI;
        served(1, 0);
        assertThat(limit.limit()).as("it began sooner").isLessThan(40);

        now += MINUTE / 2;
        served(1, 0);
        assertThat(limit.limit()).isEqualTo(40);
    }

    @Test
    void anAttemptThatTookLongIsNoTimeWithoutOne() {
        limit = limit(1, 40, 200);
        silent(150);
        now += MINUTE;
        served(1, MINUTE);

        assertThat(limit.limit()).isLessThan(40);
    }

    @Test
    void aPauseThatIsLongOverLeavesWhatItWasAtFirst() {
        silent(400);
        assertThat(limit.limit()).isZero();
        long pause = limit.pauseNanos(now);

        now += pause + MINUTE / 2 - 1;
        assertThat(limit.pauseNanos(now)).isZero();
        assertThat(limit.limit()).as("a nanosecond before half a minute").isEqualTo(1);
    }

    @Test
    void afterALongPauseAllBeginsAnew() {
        silent(400);
        now += limit.pauseNanos(now) + MINUTE / 2;

        assertThat(limit.pauseNanos(now)).isZero();

        assertThat(limit.limit()).isEqualTo(100);
    }

    @Test
    void aLowerMaximumHoldsAtOnceAndToAHigherOneTheLimitDoubles() {
        limit.ceiling(50);
        assertThat(limit.limit()).isEqualTo(50);
        limit.ceiling(80);
        assertThat(limit.limit()).as("nothing is known of 80 calls").isEqualTo(50);
        limit.wanted();
        served(40);
        assertThat(limit.limit()).isGreaterThan(65);
        limit.wanted();
        served(40);
        assertThat(limit.limit()).isEqualTo(80);

        now += MINUTE;
        dropped(1);
        served(1);
        dropped(3);
        served(5);
        int cut = limit.limit();
        assertThat(cut).isLessThan(80);
        limit.ceiling(200);
        assertThat(limit.limit()).isEqualTo(cut);
    }

    @Test
    void itStaysBetweenItsBoundsWhateverHappens() {
        Random random = new Random(3);
        limit = limit(3, 10, 40);
        for (int i = 0; i < 20_000; i++) {
            now += random.nextInt(20) * MILLI;
            long nanos = random.nextInt(1_000) * MILLI;
            switch (random.nextInt(i / 1_000 % 2 == 0 ? 3 : 30)) {
                case 0 -> limit.dropped(now, nanos, random.nextInt(40), () -> 0.5);
                case 1 -> limit.failed(now, nanos, random.nextInt(40), () -> 0.5);
                case 2 -> limit.wanted();
                default -> limit.served(now, nanos / 10, random.nextInt(40));
            }
            assertThat(limit.limit()).isBetween(3, 40);
        }
    }
}
