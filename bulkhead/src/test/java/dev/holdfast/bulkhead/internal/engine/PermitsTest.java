/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PermitsTest {

    static Permits permits(int limit, int queueLimit) {
        return new Permits(limit, queueLimit, new TicketQueue(false, TicketQueue.NEVER), new FreeCells(4));
    }

    private static Ticket joined(Permits permits) {
        return Objects.requireNonNull(permits.join(0), "the queue is full");
    }

    private static Permits exhausted(int limit, int queueLimit) {
        Permits permits = permits(limit, queueLimit);
        for (int i = 0; i < limit; i++) {
            assertThat(permits.tryAcquire(0)).isTrue();
        }
        return permits;
    }

    @Test
    void exactlyTheLimitIsGivenOut() {
        Permits permits = exhausted(3, 0);

        assertThat(permits.tryAcquire(0)).isFalse();
        assertThat(permits.inFlight()).isEqualTo(3);
    }

    @Test
    void aReturnedPermitIsFreeAgain() {
        Permits permits = exhausted(1, 0);

        permits.release(0);

        assertThat(permits.inFlight()).isZero();
        assertThat(permits.tryAcquire(0)).isTrue();
    }

    @Test
    void whatNobodyContendsForStaysInOneWord() {
        Permits permits = exhausted(2, 0);
        permits.release(0);
        assertThat(permits.tryAcquire(1)).isTrue();

        assertThat(permits.striped()).isFalse();
    }

    @Test
    void theFirstInTheQueueIsServedFirst() {
        Permits permits = exhausted(1, 3);
        Ticket first = joined(permits);
        Ticket second = joined(permits);

        permits.release(0);

        assertThat(first.granted()).isTrue();
        assertThat(first.isDone()).isTrue();
        assertThat(second.granted()).isFalse();
        assertThat(permits.waiting()).isEqualTo(1);
    }

    @Test
    void aPermitThatIsHandedOverIsNeverFreeInBetween() {
        Permits permits = exhausted(1, 3);
        Ticket ticket = joined(permits);
        boolean[] free = new boolean[1];
        ticket.register(() -> free[0] = permits.tryAcquire(0));

        permits.release(0);

        assertThat(ticket.granted()).isTrue();
        assertThat(free[0]).isFalse();
        assertThat(permits.inFlight()).isEqualTo(1);
    }

    @Test
    void nobodyOvertakesThoseWhoWait() {
        Permits permits = exhausted(1, 3);
        Ticket waiter = joined(permits);

        assertThat(permits.tryAcquire(0)).isFalse();
        permits.release(0);
        assertThat(permits.tryAcquire(0)).isFalse();
        assertThat(waiter.granted()).isTrue();
    }

    @Test
    void aFullQueueTurnsAway() {
        Permits permits = exhausted(1, 2);
        joined(permits);
        joined(permits);

        assertThat(permits.join(0)).isNull();
        assertThat(permits.waiting()).isEqualTo(2);
    }

    @Test
    void joiningTakesAPermitThatCameBackMeanwhile() {
        Permits permits = exhausted(1, 1);
        permits.release(0);

        Ticket ticket = joined(permits);

        assertThat(ticket.granted()).isTrue();
        assertThat(ticket.isDone()).as("nobody waits for what has come").isTrue();
        assertThat(permits.waiting()).isZero();
        assertThat(permits.inFlight()).isEqualTo(1);
    }

    @Test
    void aWithdrawnTicketIsNeverGranted() {
        Permits permits = exhausted(1, 3);
        Ticket gone = joined(permits);
        Ticket next = joined(permits);

        assertThat(permits.withdraw(gone)).isTrue();
        permits.release(0);

        assertThat(gone.granted()).isFalse();
        assertThat(gone.isDone()).isFalse();
        assertThat(next.granted()).isTrue();
    }

    @Test
    void aGrantedTicketCannotBeWithdrawn() {
        Permits permits = exhausted(1, 3);
        Ticket ticket = joined(permits);
        permits.release(0);

        assertThat(permits.withdraw(ticket)).isFalse();
        assertThat(permits.inFlight()).isEqualTo(1);
    }

    @Test
    void withdrawingTwiceCountsOnce() {
        Permits permits = exhausted(1, 3);
        Ticket ticket = joined(permits);
        joined(permits);

        assertThat(permits.withdraw(ticket)).isTrue();
        assertThat(permits.withdraw(ticket)).isTrue();
        assertThat(permits.waiting()).isEqualTo(1);
    }

    @Test
    void turnedAwayCallsEatNoPermit() {
        Permits permits = exhausted(1, 1);
        Ticket waited = joined(permits);
        assertThat(permits.join(0)).isNull();
        assertThat(permits.join(0)).isNull();
        assertThat(permits.withdraw(waited)).isTrue();

        permits.release(0);

        assertThat(permits.inFlight()).isZero();
        assertThat(permits.tryAcquire(0)).isTrue();
    }

    @Test
    void tenThousandThatGiveUpLeaveNobodyInTheQueue() {
        Permits permits = exhausted(1, 10_000);
        List<Ticket> tickets = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            tickets.add(joined(permits));
        }
        Collections.shuffle(tickets, new Random(7));

        tickets.forEach(permits::withdraw);

        assertThat(permits.waiting()).isZero();
        permits.release(0);
        assertThat(permits.inFlight()).isZero();
        assertThat(tickets).noneMatch(Ticket::granted);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 1_000_000})
    void behavesLikeAListAndACounter(int limit) {
        for (long seed = 0; seed < 300; seed++) {
            new Comparison(seed, limit).run(400);
        }
    }

    /** The engine beside a model that is obviously right. */
    private static final class Comparison {
        private final long seed;
        private final Random random;
        private final int limit;
        private final int queueLimit;
        private final Permits permits;
        private final Deque<Ticket> queue = new ArrayDeque<>();
        private final List<Ticket> granted = new ArrayList<>();
        private int out;

        Comparison(long seed, int limit) {
            this.seed = seed;
            this.limit = limit;
            random = new Random(seed);
            queueLimit = random.nextInt(6);
            permits = permits(limit, queueLimit);
        }

        void run(int steps) {
            for (int i = 0; i < steps; i++) {
                switch (random.nextInt(4)) {
                    case 0 -> acquire();
                    case 1 -> join();
                    case 2 -> withdraw();
                    default -> release();
                }
                assertThat(permits.inFlight()).as("seed %d: out", seed).isEqualTo(out);
                assertThat(permits.waiting()).as("seed %d: waiting", seed).isEqualTo(queue.size());
                assertThat(queue).as("seed %d", seed).noneMatch(Ticket::granted);
                assertThat(granted).as("seed %d", seed).allMatch(Ticket::granted);
            }
        }

        private void acquire() {
            boolean expected = out < limit;
            assertThat(permits.tryAcquire(0)).as("seed %d: acquire", seed).isEqualTo(expected);
            out += expected ? 1 : 0;
        }

        private void join() {
            Ticket ticket = permits.join(0);
            if (out < limit) {
                out++;
                assertThat(ticket).as("seed %d: join", seed).isNotNull().matches(Ticket::granted);
            } else if (queue.size() >= queueLimit) {
                assertThat(ticket).as("seed %d: join", seed).isNull();
            } else {
                queue.add(Objects.requireNonNull(ticket));
            }
        }

        private void withdraw() {
            if (queue.isEmpty()) {
                return;
            }
            Ticket ticket = new ArrayList<>(queue).get(random.nextInt(queue.size()));
            queue.remove(ticket);
            assertThat(permits.withdraw(ticket)).as("seed %d: withdraw", seed).isTrue();
        }

        private void release() {
            if (out == 0) {
                return;
            }
            permits.release(0);
            Ticket first = queue.poll();
            if (first == null) {
                out--;
            } else {
                granted.add(first);
            }
        }
    }

    @Test
    void whoeverIsServedByALargerLimitIsToldAlsoIfOneOfThemThrows() {
        Permits permits = exhausted(1, 10);
        List<Ticket> tickets = new ArrayList<>();
        List<Integer> told = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            int number = i;
            Ticket ticket = joined(permits);
            assertThat(ticket.register(() -> {
                        told.add(number);
                        if (number % 2 == 0) {
                            throw new StackOverflowError("of " + number);
                        }
                    }))
                    .isTrue();
            tickets.add(ticket);
        }

        assertThatThrownBy(() -> permits.resize(7))
                .isInstanceOf(StackOverflowError.class)
                .hasMessage("of 0");

        assertThat(told).containsExactly(0, 1, 2, 3, 4, 5);
        assertThat(tickets).allMatch(Ticket::granted);
    }
}
