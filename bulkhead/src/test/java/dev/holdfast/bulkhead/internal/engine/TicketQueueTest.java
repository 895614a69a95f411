/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TicketQueueTest {
    private record Waiting(Ticket ticket, int rank, int number) {}

    private final List<Waiting> model = new ArrayList<>();

    private void append(TicketQueue queue, int rank, int number) {
        Ticket ticket = new Ticket();
        queue.append(ticket, rank, 0);
        model.add(new Waiting(ticket, rank, number));
    }

    private int served(TicketQueue queue) {
        Ticket next = queue.next();
        Waiting waiting =
                model.stream().filter(w -> w.ticket() == next).findFirst().orElseThrow();
        model.remove(waiting);
        return waiting.number();
    }

    @Test
    void theFirstRankIsServedFirstAndInsideARankTheOldest() {
        TicketQueue queue = new TicketQueue(false, TicketQueue.NEVER);
        int[] ranks = {2, 1, 0, 1, 0};
        for (int number = 0; number < ranks.length; number++) {
            append(queue, ranks[number], number);
        }

        List<Integer> order = new ArrayList<>();
        while (!queue.isEmpty()) {
            order.add(served(queue));
        }

        assertThat(order).containsExactly(2, 4, 1, 3, 0);
    }

    @Test
    void whoWaitsLongestIsPassedOverAtMostSevenTimes() {
        TicketQueue queue = new TicketQueue(false, TicketQueue.NEVER);
        append(queue, 2, 0);
        append(queue, 2, 1);
        append(queue, 1, 2);
        for (int number = 3; number < 40; number++) {
            append(queue, 0, number);
        }

        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < 26; i++) {
            order.add(served(queue));
        }

        assertThat(order.indexOf(0)).isEqualTo(TicketQueue.PASSED_OVER);
        assertThat(order.indexOf(1)).isEqualTo(2 * TicketQueue.PASSED_OVER + 1);
        assertThat(order.indexOf(2)).isEqualTo(3 * TicketQueue.PASSED_OVER + 2);
    }

    @Test
    void whereTheNewestIsServedFirstTheOldestOfAllIsPassedOverAtMostSevenTimesWhileSeveralRanksWait() {
        TicketQueue queue = new TicketQueue(true, TicketQueue.NEVER);
        append(queue, 1, 0);
        append(queue, 2, 1);
        for (int number = 2; number < 40; number++) {
            append(queue, 1, number);
        }

        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            order.add(served(queue));
        }

        assertThat(order.indexOf(0)).isEqualTo(TicketQueue.PASSED_OVER);
        assertThat(order.indexOf(1)).isEqualTo(2 * TicketQueue.PASSED_OVER + 1);
        assertThat(order.subList(16, 20)).as("one rank alone").containsExactly(25, 24, 23, 22);
    }

    @Test
    void aFullQueueGivesUpTheNewestOfTheLastRank() {
        TicketQueue queue = new TicketQueue(false, TicketQueue.NEVER);
        append(queue, 1, 0);
        append(queue, 2, 1);
        append(queue, 2, 2);

        assertThat(queue.displaced(2)).as("no room among equals").isNull();
        assertThat(queue.displaced(0)).isSameAs(model.get(2).ticket());
        assertThat(queue.displaced(1)).isSameAs(model.get(1).ticket());
        assertThat(queue.displaced(1)).as("no room among equals").isNull();
        assertThat(queue.displaced(0)).isSameAs(model.get(0).ticket());
        assertThat(queue.displaced(0)).isNull();
    }

    @Test
    void whereTheNewestIsServedFirstAFullQueueGivesUpTheOldestOfTheLastRank() {
        TicketQueue queue = new TicketQueue(true, TicketQueue.NEVER);
        append(queue, 1, 0);
        append(queue, 1, 1);
        append(queue, 0, 2);

        assertThat(queue.displaced(2)).as("all others are more important").isNull();
        assertThat(queue.displaced(1)).isSameAs(model.get(0).ticket());
        assertThat(queue.displaced(0)).isSameAs(model.get(1).ticket());
        assertThat(queue.displaced(0)).isSameAs(model.get(2).ticket());
        assertThat(queue.displaced(0)).isNull();
    }

    /** Against the rule written with lists: nobody is lost or served twice, whoever leaves from wherever. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void servesAsTheRuleSays(long seed) {
        Random random = new Random(seed);
        boolean newestFirst = random.nextBoolean();
        TicketQueue queue = new TicketQueue(newestFirst, TicketQueue.NEVER);
        int over = 0;
        for (int number = 0; number < 5_000; number++) {
            int what = random.nextInt(10);
            if (what < 6 || model.isEmpty()) {
                append(queue, random.nextInt(TicketQueue.LANES), number);
            } else if (what < 9) {
                Waiting oldest = model.stream()
                        .min(Comparator.comparing(Waiting::number))
                        .orElseThrow();
                int first = model.stream().mapToInt(Waiting::rank).min().orElseThrow();
                boolean several = model.stream().anyMatch(w -> w.rank() > first);
                Comparator<Waiting> order = Comparator.comparing(Waiting::number);
                Waiting usual = model.stream()
                        .filter(w -> w.rank() == first)
                        .min(newestFirst ? order.reversed() : order)
                        .orElseThrow();
                Waiting expected = several && over == TicketQueue.PASSED_OVER ? oldest : usual;
                over = several && expected.number() != oldest.number() ? over + 1 : 0;
                assertThat(served(queue)).isEqualTo(expected.number());
            } else {
                Waiting leaves = model.remove(random.nextInt(model.size()));
                assertThat(queue.holds(leaves.ticket())).isTrue();
                queue.take(leaves.ticket());
                assertThat(queue.holds(leaves.ticket())).isFalse();
            }
            assertThat(queue.isEmpty()).isEqualTo(model.isEmpty());
        }
    }
}
