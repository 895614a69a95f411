/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.valkey.TurnQueue.Grant;
import dev.holdfast.valkey.TurnQueue.Ticket;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TurnQueueTest {
    private static final Grant GRANT = new Grant(SharedPermits.PERMIT, null, null);

    private record Waiting(Ticket ticket, int number) {
        int rank() {
            return ticket.rank;
        }
    }

    private final TurnQueue queue = new TurnQueue();
    private final List<Waiting> model = new ArrayList<>();

    private int join(int rank, int number) {
        Ticket ticket = new Ticket(rank);
        int before = queue.joins(ticket);
        model.add(new Waiting(ticket, number));
        return before;
    }

    private int served() {
        assertThat(queue.grant(GRANT)).isTrue();
        Waiting next =
                model.stream().filter(w -> w.ticket().grant != null).findFirst().orElseThrow();
        model.remove(next);
        assertThat(next.ticket().waits()).isFalse();
        return next.number();
    }

    @Test
    void theFirstRankIsServedFirstAndInsideARankTheOldest() {
        int[] ranks = {2, 1, 3, 0, 1, 0};
        for (int number = 0; number < ranks.length; number++) {
            join(ranks[number], number);
        }

        List<Integer> order = new ArrayList<>();
        while (!queue.isEmpty()) {
            order.add(served());
        }

        assertThat(order).containsExactly(3, 5, 1, 4, 0, 2);
        assertThat(queue.grant(GRANT)).isFalse();
    }

    @Test
    void theCallThatWaitsLongestIsPassedOverAtMostSevenTimes() {
        join(2, 0);
        join(1, 1);
        for (int number = 2; number < 40; number++) {
            join(0, number);
        }

        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            order.add(served());
        }

        assertThat(order.indexOf(0)).isEqualTo(TurnQueue.PASSED_OVER);
        assertThat(order.indexOf(1)).isEqualTo(2 * TurnQueue.PASSED_OVER + 1);
    }

    @Test
    void aCallThatJoinsIsToldHowManyAreInFrontOfIt() {
        assertThat(join(1, 0)).isZero();
        assertThat(join(2, 1)).isEqualTo(1);
        assertThat(join(0, 2)).isZero();
        assertThat(join(1, 3)).isEqualTo(2);
        assertThat(join(2, 4)).isEqualTo(4);
        assertThat(queue.joins(model.get(4).ticket())).as("waits already").isEqualTo(-1);
    }

    @Test
    void theFirstOneWatchesTheTimeAndTheNextOneIsToldToWhenItLeaves() {
        join(1, 0);
        join(1, 1);
        Ticket first = model.get(0).ticket();
        Ticket second = model.get(1).ticket();
        var unused = queue.await(first);
        var toldSecond = queue.await(second);
        assertThat(queue.watches(first)).isTrue();
        assertThat(queue.watches(second)).isFalse();
        assertThat(queue.called()).isEmpty();

        queue.remove(first);

        assertThat(queue.called()).hasSize(1).first().isSameAs(toldSecond);
        assertThat(queue.called()).as("told once").isEmpty();
    }

    /** Against the rule written with lists: no call is lost or served twice, whichever leaves from wherever. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void servesAsTheRuleSays(long seed) {
        Random random = new Random(seed);
        int over = 0;
        for (int number = 0; number < 5_000; number++) {
            int what = random.nextInt(10);
            if (what < 6 || model.isEmpty()) {
                int rank = random.nextInt(4);
                long before = model.stream().filter(w -> w.rank() <= rank).count();
                assertThat(join(rank, number)).isEqualTo((int) before);
            } else if (what < 9) {
                Waiting oldest = model.stream()
                        .min(Comparator.comparing(Waiting::number))
                        .orElseThrow();
                Waiting usual = model.stream()
                        .min(Comparator.comparing(Waiting::rank).thenComparing(Waiting::number))
                        .orElseThrow();
                Waiting expected = over == TurnQueue.PASSED_OVER ? oldest : usual;
                over = expected.equals(oldest) ? 0 : over + 1;
                assertThat(served()).isEqualTo(expected.number());
            } else {
                Waiting leaves = model.remove(random.nextInt(model.size()));
                queue.remove(leaves.ticket());
                assertThat(leaves.ticket().waits()).isFalse();
            }
            assertThat(queue.size()).isEqualTo(model.size());
        }
    }
}
