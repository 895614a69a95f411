/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.stalecache.Flight.Landing;
import dev.holdfast.testing.ThreadKind;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

@ThreadKind.Each
class FlightsTest {
    private static final Landing LANDING = new Landing(Outcome.SUCCESS, "value", null);

    private final Flights flights = new Flights();

    @Test
    void firstLeadsAndTheOthersWait() {
        Ticket leader = flights.board("key");
        Ticket follower = flights.board("key");
        assertThat(leader.leads()).isTrue();
        assertThat(follower.leads()).isFalse();
        assertThat(flights.board("other").leads()).isTrue();
        assertThat(flights.waiting()).isOne();
    }

    @Test
    void landingTellsAllAndIsOverBeforeAnybodyHears() {
        Ticket leader = flights.board("key");
        Ticket one = flights.board("key");
        Ticket two = flights.board("key");
        List<Boolean> underWay = new ArrayList<>();
        one.register(() -> underWay.add(flights.isUnderWay("key")));
        flights.land(leader, LANDING);
        assertThat(underWay).containsExactly(false);
        assertThat(one.isDone()).isTrue();
        assertThat(two.isDone()).isTrue();
        assertThat(two.flight().landing()).isSameAs(LANDING);
        assertThat(leader.isDone()).isFalse();
    }

    @Test
    void onlyTheLeaderLands() {
        Ticket leader = flights.board("key");
        Ticket follower = flights.board("key");
        flights.land(follower, LANDING);
        assertThat(flights.isUnderWay("key")).isTrue();
        assertThat(follower.isDone()).isFalse();
        flights.land(leader, LANDING);
        flights.land(leader, new Landing(Outcome.FAILURE, null, null));
        assertThat(follower.flight().landing()).isSameAs(LANDING);
    }

    @Test
    void whenTheLeaderLeavesTheLongestWaiterLeadsAndNobodyElseIsTold() {
        Ticket leader = flights.board("key");
        Ticket first = flights.board("key");
        Ticket second = flights.board("key");
        flights.leave(leader);
        assertThat(first.isDone()).isTrue();
        assertThat(first.leads()).isTrue();
        assertThat(first.flight().landing()).isNull();
        assertThat(second.isDone()).isFalse();
        assertThat(flights.board("key").leads()).isFalse();
        flights.land(first, LANDING);
        assertThat(second.isDone()).isTrue();
    }

    @Test
    void followerThatLeavesIsNotPromoted() {
        Ticket leader = flights.board("key");
        Ticket first = flights.board("key");
        Ticket second = flights.board("key");
        flights.leave(first);
        flights.leave(first);
        flights.leave(leader);
        assertThat(first.isDone()).isFalse();
        assertThat(second.leads()).isTrue();
    }

    @Test
    void flightThatAllHaveLeftIsOver() {
        Ticket leader = flights.board("key");
        Ticket follower = flights.board("key");
        flights.leave(follower);
        flights.leave(leader);
        assertThat(flights.size()).isZero();
        assertThat(leader.flight().join()).isNull();
        assertThat(flights.board("key").leads()).isTrue();
    }

    @Test
    void tenThousandFollowersThatLeaveLeaveNobodyBehind() {
        Ticket leader = flights.board("key");
        List<Ticket> crowd = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            crowd.add(flights.board("key"));
        }
        crowd.forEach(flights::leave);
        assertThat(flights.waiting()).isZero();
        flights.land(leader, LANDING);
        assertThat(flights.size()).isZero();
    }

    @Test
    void refreshIsBegunOnlyWhereNothingIsUnderWay() {
        Ticket refresh = flights.tryBegin("key", true);
        assertThat(refresh).isNotNull().returns(true, Ticket::isRefresh);
        assertThat(flights.tryBegin("key", true)).isNull();
        assertThat(flights.board("key").leads()).isFalse();
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
        Ticket ticket = flights.board("key");
        if (!ticket.leads()) {
            CountDownLatch told = new CountDownLatch(1);
            if (ticket.register(told::countDown)) {
                told.await();
            }
        }
        if (ticket.flight().landing() != null) {
            return;
        }
        assertThat(ticket.leads()).isTrue();
        most.accumulateAndGet(leaders.incrementAndGet(), Math::max);
        leaders.decrementAndGet();
        if (leaves) {
            flights.leave(ticket);
        } else {
            flights.land(ticket, LANDING);
        }
    }
}
