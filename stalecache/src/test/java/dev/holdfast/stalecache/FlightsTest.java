/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import dev.holdfast.stalecache.Flight.Landing;
import dev.holdfast.testing.ThreadKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

@ThreadKind.Each
class FlightsTest {
    private static final Landing LANDING = new Landing(Outcome.SUCCESS, "value", null, Source.LIVE, false, false, true);

    private static final long SLOW = 1_000;
    private static final long MILLI = 1_000_000;

    private final Flights flights = new Flights(1_000_000, 1_000_000);

    private Ticket board(Object key) {
        return board(flights, key, 0);
    }

    private static Ticket board(Flights flights, Object key, long now) {
        Ticket ticket = flights.board(key, false, now, SLOW);
        assertThat(ticket).isNotNull();
        return Objects.requireNonNull(ticket);
    }

    private void leave(Ticket ticket) {
        flights.leave(ticket, 0);
    }

    @Test
    void firstLeadsAndTheOthersWait() {
        Ticket leader = board("key");
        Ticket follower = board("key");
        assertThat(leader.leads()).isTrue();
        assertThat(follower.leads()).isFalse();
        assertThat(board("other").leads()).isTrue();
        assertThat(flights.waiting()).isOne();
    }

    @Test
    void anAttemptOfACallThatLeadsNoMoreIsNotTheLeaders() {
        Ticket first = board("key");
        Ticket next = board("key");
        Flight flight = first.flight();
        leave(first);
        flight.attemptStarts(first, new Flight.Running("call", true, 1, 0, 1));
        assertThat(flight.outlived(Flight.GRACE_NANOS * 2)).isNull();
        flight.attemptStarts(next, new Flight.Running("call", true, 1, 0, 1));
        flight.attemptEnds(first);
        assertThat(flight.outlived(1)).as("looked at in time").isNull();
        assertThat(flight.outlived(Flight.GRACE_NANOS * 2)).isNotNull();
    }

    private Flight withAttempt(long limitNanos) {
        Ticket leader = board("key");
        leader.flight().attemptStarts(leader, new Flight.Running("timeout", false, 1, 0, limitNanos));
        return leader.flight();
    }

    /** Nobody would hear of its answer but its own caller. */
    @Test
    void anAttemptForWhichNobodyWaitsIsOutlivedAfterTheGraceWheneverSomebodyLooks() {
        Flight flight = withAttempt(100 * MILLI);
        assertThat(flight.outlived(1_000 * MILLI)).isNotNull();
    }

    private Flight withAttemptAndFollower(long limitNanos) {
        Flight flight = withAttempt(limitNanos);
        assertThat(board("key").flight()).isSameAs(flight);
        return flight;
    }

    @Test
    void anAttemptAtWhichSomebodyLooksInTimeIsOutlivedAfterTheGrace() {
        Flight flight = withAttempt(100 * MILLI);
        long look = flight.untilLook(Long.MAX_VALUE, 0);
        assertThat(look).isBetween(100 * MILLI, 140 * MILLI);
        assertThat(flight.outlived(look)).isNull();
        assertThat(look + flight.untilLook(Long.MAX_VALUE, look)).isEqualTo(150 * MILLI);
        assertThat(flight.outlived(150 * MILLI - 1)).isNull();
        assertThat(flight.outlived(150 * MILLI)).isNotNull();
    }

    /** Its answer may have come unseen, and its limit strikes later. */
    @Test
    void anAttemptAtWhichNobodyCouldLookInTimeIsWaitedForOnce() {
        Flight flight = withAttemptAndFollower(100 * MILLI);
        assertThat(flight.outlived(1_000 * MILLI)).isNull();
        assertThat(flight.untilLook(Long.MAX_VALUE, 1_000 * MILLI)).isEqualTo(150 * MILLI);
        assertThat(flight.outlived(1_150 * MILLI - 1)).isNull();
        assertThat(flight.outlived(1_150 * MILLI)).isNotNull();
        assertThat(flight.outlived(5_000 * MILLI)).as("a second standstill").isNotNull();
    }

    /** The timer of limits counts as late from 50 ms on; a follower may look some milliseconds before it. */
    @Test
    void anAttemptAtWhichTheFirstLookIsNearlySoLateIsWaitedForToo() {
        Flight flight = withAttemptAndFollower(100 * MILLI);
        assertThat(flight.outlived(145 * MILLI)).isNull();
        assertThat(flight.outlived(160 * MILLI)).isNull();
        assertThat(flight.outlived(295 * MILLI)).isNotNull();
    }

    @Test
    void landingTellsAllAndIsOverBeforeAnybodyHears() {
        Ticket leader = board("key");
        Ticket one = board("key");
        Ticket two = board("key");
        List<Boolean> underWay = new ArrayList<>();
        one.register(() -> underWay.add(flights.isUnderWay("key")));
        flights.land(leader, LANDING);
        assertThat(underWay).containsExactly(false);
        assertThat(one.isDone()).isTrue();
        assertThat(two.isDone()).isTrue();
        assertThat(two.landing()).isSameAs(LANDING);
        assertThat(leader.isDone()).isFalse();
    }

    @Test
    void onlyTheLeaderLands() {
        Ticket leader = board("key");
        Ticket follower = board("key");
        flights.land(follower, LANDING);
        assertThat(flights.isUnderWay("key")).isTrue();
        assertThat(follower.isDone()).isFalse();
        flights.land(leader, LANDING);
        flights.land(leader, new Landing(Outcome.FAILURE, null, null, Source.LIVE, false, false, true));
        assertThat(follower.landing()).isSameAs(LANDING);
    }

    @Test
    void whenTheLeaderLeavesTheLongestWaiterLeadsAndNobodyElseIsTold() {
        Ticket leader = board("key");
        Ticket first = board("key");
        Ticket second = board("key");
        leave(leader);
        assertThat(first.isDone()).isTrue();
        assertThat(first.leads()).isTrue();
        assertThat(first.landing()).isNull();
        assertThat(second.isDone()).isFalse();
        assertThat(board("key").leads()).isFalse();
        flights.land(first, LANDING);
        assertThat(second.isDone()).isTrue();
    }

    @Test
    void followerThatLeavesIsNotPromoted() {
        Ticket leader = board("key");
        Ticket first = board("key");
        Ticket second = board("key");
        leave(first);
        leave(first);
        leave(leader);
        assertThat(first.isDone()).isFalse();
        assertThat(second.leads()).isTrue();
    }

    @Test
    void flightThatAllHaveLeftIsOver() {
        Ticket leader = board("key");
        Ticket follower = board("key");
        leave(follower);
        leave(leader);
        assertThat(flights.size()).isZero();
        assertThat(leader.flight().join(leader.flight().ticket(false), 1, 0)).isEqualTo(Flight.Boarding.OVER);
        assertThat(board("key").leads()).isTrue();
    }

    @Test
    void tenThousandFollowersThatLeaveLeaveNobodyBehind() {
        Ticket leader = board("key");
        List<Ticket> crowd = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            crowd.add(board("key"));
        }
        crowd.forEach(this::leave);
        assertThat(flights.waiting()).isZero();
        flights.land(leader, LANDING);
        assertThat(flights.size()).isZero();
    }

    @Test
    void refreshIsBegunOnlyWhereNothingIsUnderWay() {
        Ticket refresh = flights.beginInBackground("key", 0, SLOW);
        assertThat(refresh).isNotNull().returns(true, Ticket::isRefresh);
        assertThat(flights.beginInBackground("key", 0, SLOW)).isNull();
        assertThat(board("key").leads()).isFalse();
    }

    @Test
    void endThatSomeWouldNotHaveHadIsSharedByTheOthersAndOneLeads() {
        Ticket leader = board("key");
        Ticket one = board("key");
        Ticket other = board("key");
        Ticket nested = Objects.requireNonNull(flights.board("key", true, 0, SLOW));
        flights.landInPart(leader, LANDING, Ticket::isNested, 0);
        assertThat(nested.landing()).isSameAs(LANDING);
        assertThat(one.leads()).isTrue();
        assertThat(one.landing()).isNull();
        assertThat(other.isDone()).isFalse();
        assertThat(flights.isUnderWay("key")).isTrue();
        flights.land(one, LANDING);
        assertThat(other.landing()).isSameAs(LANDING);
        assertThat(flights.size()).isZero();
    }

    @Test
    void endThatAllShareInPartIsTheEndOfTheFlight() {
        Ticket leader = board("key");
        Ticket nested = Objects.requireNonNull(flights.board("key", true, 0, SLOW));
        flights.landInPart(leader, LANDING, Ticket::isNested, 0);
        assertThat(nested.landing()).isSameAs(LANDING);
        assertThat(flights.size()).isZero();
    }

    @Test
    void noMoreWaitThanThereIsRoomAndFewerWhereItIsSlow() {
        Flights small = new Flights(3, 1);
        Ticket leader = board(small, "key", 0);
        Ticket first = board(small, "key", 0);
        Ticket second = board(small, "key", 0);
        Ticket third = board(small, "key", 0);
        assertThat(small.board("key", false, 0, SLOW)).isNull();
        assertThat(small.maySoonBeTooMany(first)).isFalse();
        assertThat(small.maySoonBeTooMany(second)).isTrue();
        assertThat(small.isTooMany(second, SLOW - 1)).isFalse();
        assertThat(small.isTooMany(second, SLOW)).isTrue();
        small.leave(second, 0);
        assertThat(small.isTooMany(third, SLOW)).isTrue();
        small.leave(third, 0);
        assertThat(small.isTooMany(first, SLOW)).isFalse();
        assertThat(small.board("key", false, SLOW, SLOW)).isNull();
        assertThat(leader.leads()).isTrue();
    }

    @Test
    void whoHasLostALeaderKnowsHowLongItHasWaited() {
        Ticket leader = board("key");
        Ticket first = board("key");
        Ticket second = board(flights, "key", 10);
        assertThat(leader.flight().waitedInVain(second, 500)).isZero();
        leave(leader);
        Ticket late = board("key");
        assertThat(leader.flight().waitedInVain(second, 500)).isEqualTo(490);
        assertThat(leader.flight().waitedInVain(late, 500)).isZero();
        assertThat(first.leads()).isTrue();
    }

    @Test
    void whatIsForgottenIsJoinedByNobody() {
        Ticket leader = board("key");
        Ticket follower = board("key");
        flights.forgetAll("key"::equals);
        assertThat(board("key").leads()).isTrue();
        flights.land(leader, LANDING);
        assertThat(follower.landing()).isSameAs(LANDING);
        assertThat(flights.isUnderWay("key")).isTrue();
    }

    @Test
    void onManyThreadsThereIsAlwaysExactlyOneLeaderAndNobodyIsForgotten() throws Exception {
        int threads = 4;
        int rounds = 2_000;
        AtomicInteger leaders = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        CyclicBarrier start = new CyclicBarrier(threads);
        ExecutorService pool = Executors.newFixedThreadPool(threads, ThreadKind.current());
        try {
            List<Future<?>> runs = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int seed = t;
                runs.add(pool.submit(() -> {
                    start.await();
                    for (int round = 0; round < rounds; round++) {
                        travel((round + seed) % 3 == 0, leaders, most);
                    }
                    return null;
                }));
            }
            for (Future<?> run : runs) {
                run.get();
            }
        } finally {
            pool.shutdownNow();
        }
        assertThat(most).hasValue(1);
        assertThat(flights.size()).isZero();
    }

    private void travel(boolean leaves, AtomicInteger leaders, AtomicInteger most) throws InterruptedException {
        Ticket ticket = board("key");
        if (!ticket.leads()) {
            CountDownLatch told = new CountDownLatch(1);
            if (ticket.register(told::countDown)) {
                told.await();
            }
        }
        if (ticket.landing() != null) {
            return;
        }
        assertThat(ticket.leads()).isTrue();
        most.accumulateAndGet(leaders.incrementAndGet(), Math::max);
        leaders.decrementAndGet();
        if (leaves) {
            leave(ticket);
        } else {
            flights.land(ticket, LANDING);
        }
    }

    // ---- keys that throw

    /** Its equals throws as long as this is said. All have the same hash code, so that they are compared. */
    private static final class Key {
        private static volatile boolean broken;

        @Override
        public boolean equals(Object other) {
            if (broken) {
                throw new IllegalStateException("equals");
            }
            return this == other;
        }

        @Override
        public int hashCode() {
            return 7;
        }
    }

    @Test
    void landingTellsAllAlthoughEqualsThrowsAndTheNextLoadBegins() {
        board(new Key());
        for (boolean inBackground : new boolean[] {false, true}) {
            Key key = new Key();
            Ticket leader = board(key);
            Ticket follower = board(key);
            Key.broken = true;
            assertThatThrownBy(() -> flights.land(leader, LANDING)).isInstanceOf(IllegalStateException.class);
            Key.broken = false;
            assertThat(follower.isDone()).isTrue();
            assertThat(follower.landing()).isSameAs(LANDING);
            assertThat(flights.isUnderWay(key)).isFalse();
            Ticket next = inBackground ? flights.beginInBackground(key, 0, SLOW) : board(key);
            assertThat(next)
                    .isNotNull()
                    .satisfies(ticket -> assertThat(ticket.leads()).isTrue());
        }
    }
}
