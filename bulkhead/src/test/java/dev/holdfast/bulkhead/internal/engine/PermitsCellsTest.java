/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Permits after threads were seen to contend, and while they are resized. */
class PermitsCellsTest {

    private static Permits striped(int limit, int queueLimit) {
        Permits permits = PermitsTest.permits(limit, queueLimit);
        permits.openCells();
        assertThat(permits.striped()).isTrue();
        return permits;
    }

    @Test
    void aPermitThatCameBackIsTakenFromTheCellWhereItLies() {
        Permits permits = striped(2, 0);
        assertThat(permits.tryAcquire(0)).isTrue();
        permits.release(1);
        assertThat(permits.inFlight()).isZero();

        assertThat(permits.tryAcquire(1)).isTrue();
        assertThat(permits.tryAcquire(1)).isTrue();

        assertThat(permits.striped()).isTrue();
        assertThat(permits.inFlight()).isEqualTo(2);
    }

    @Test
    void eachStripeHasACellOfItsOwnForWhatItGivesBackAndTakesAgain() {
        FreeCells cells = new FreeCells(4);
        Permits permits = new Permits(2, 0, new TicketQueue(false, TicketQueue.NEVER), cells);
        permits.openCells();
        assertThat(permits.tryAcquire(0)).isTrue();
        assertThat(permits.tryAcquire(0)).isTrue();

        permits.release(1);
        permits.release(2);
        assertThat(cells.sum()).isEqualTo(2);
        assertThat(permits.tryAcquire(2)).isTrue();

        assertThat(cells.take(2)).isFalse();
        assertThat(cells.take(1)).isTrue();
    }

    @Test
    void cellsThatOneThreadOpenedAndClosedAreOpenedByAnother() {
        Permits permits = striped(1, 0);
        assertThat(permits.tryAcquire(0)).isTrue();
        assertThat(permits.tryAcquire(0)).isFalse();
        assertThat(permits.striped()).isFalse();

        CompletableFuture.runAsync(permits::openCells, task -> new Thread(task).start())
                .join();

        assertThat(permits.striped()).isTrue();
    }

    @Test
    void aCallIsRefusedOnlyAfterEveryCellWasTried() {
        Permits permits = striped(4, 0);
        for (int i = 0; i < 4; i++) {
            assertThat(permits.tryAcquire(0)).isTrue();
        }
        for (int i = 0; i < 4; i++) {
            permits.release(i);
        }
        for (int i = 0; i < 4; i++) {
            assertThat(permits.tryAcquire(2)).as("permit %d", i).isTrue();
        }

        assertThat(permits.striped()).isTrue();
        assertThat(permits.tryAcquire(2)).isFalse();
        assertThat(permits.striped()).isFalse();
        assertThat(permits.inFlight()).isEqualTo(4);
    }

    @Test
    void whoJoinsBringsAllFreePermitsBackAndClosesTheCells() {
        Permits permits = striped(3, 2);
        assertThat(permits.tryAcquire(0)).isTrue();
        assertThat(permits.tryAcquire(0)).isTrue();
        permits.release(3);
        permits.release(2);

        Ticket ticket = Objects.requireNonNull(permits.join(0));

        assertThat(ticket.granted()).isTrue();
        assertThat(permits.striped()).isFalse();
        assertThat(permits.inFlight()).isEqualTo(1);
        assertThat(permits.tryAcquire(0)).isTrue();
        assertThat(permits.tryAcquire(0)).isTrue();
        assertThat(permits.tryAcquire(0)).isFalse();
    }

    @Test
    void cellsStayClosedWhileAnybodyWaitsOrMoreAreOutThanMayBe() {
        Permits permits = PermitsTest.permits(1, 2);
        assertThat(permits.tryAcquire(0)).isTrue();
        Ticket ticket = Objects.requireNonNull(permits.join(0));
        permits.openCells();
        assertThat(permits.striped()).isFalse();
        assertThat(permits.withdraw(ticket)).isTrue();
        permits.openCells();
        assertThat(permits.striped()).isTrue();

        permits.resize(2);
        assertThat(permits.striped()).isFalse();
        assertThat(permits.tryAcquire(0)).isTrue();
        permits.resize(1);
        permits.openCells();
        assertThat(permits.striped()).isFalse();
    }

    @Test
    void aSmallerLimitWaitsForNobodyAndIsKeptAsPermitsComeBack() {
        Permits permits = striped(4, 0);
        for (int i = 0; i < 4; i++) {
            assertThat(permits.tryAcquire(i)).isTrue();
        }

        permits.resize(2);

        assertThat(permits.limit()).isEqualTo(2);
        assertThat(permits.inFlight()).isEqualTo(4);
        permits.release(0);
        permits.release(0);
        assertThat(permits.tryAcquire(0)).isFalse();
        permits.release(0);
        assertThat(permits.tryAcquire(0)).isTrue();
        assertThat(permits.tryAcquire(0)).isFalse();
    }

    @Test
    void aSmallerLimitCountsFreePermitsThatLieInCells() {
        Permits permits = striped(4, 0);
        for (int i = 0; i < 4; i++) {
            assertThat(permits.tryAcquire(i)).isTrue();
        }
        for (int i = 0; i < 3; i++) {
            permits.release(i);
        }

        permits.resize(2);

        assertThat(permits.inFlight()).isEqualTo(1);
        assertThat(permits.tryAcquire(0)).isTrue();
        assertThat(permits.tryAcquire(0)).isFalse();
    }

    @Test
    void whoWaitsIsNotServedByAPermitThatIsTooManyAfterAResize() {
        Permits permits = PermitsTest.permits(2, 2);
        assertThat(permits.tryAcquire(0)).isTrue();
        assertThat(permits.tryAcquire(0)).isTrue();
        Ticket ticket = Objects.requireNonNull(permits.join(0));
        permits.resize(1);

        permits.release(0);
        assertThat(ticket.granted()).isFalse();
        permits.release(0);

        assertThat(ticket.granted()).isTrue();
        assertThat(ticket.isDone()).isTrue();
        assertThat(permits.inFlight()).isEqualTo(1);
    }

    @Test
    void aLargerLimitServesThoseWhoWaitAtOnceAndInTheirOrder() {
        Permits permits = PermitsTest.permits(1, 5);
        assertThat(permits.tryAcquire(0)).isTrue();
        Ticket first = Objects.requireNonNull(permits.join(0));
        Ticket second = Objects.requireNonNull(permits.join(0));
        Ticket third = Objects.requireNonNull(permits.join(0));

        permits.resize(3);

        assertThat(first.granted() && first.isDone()).isTrue();
        assertThat(second.granted() && second.isDone()).isTrue();
        assertThat(third.granted()).isFalse();
        assertThat(permits.waiting()).isEqualTo(1);
        assertThat(permits.inFlight()).isEqualTo(3);
    }

    @Test
    void theNewestIsServedFirstAndTheOldestMakesRoom() {
        Permits permits = new Permits(1, 2, new TicketQueue(true, TicketQueue.NEVER), new FreeCells(2));
        assertThat(permits.tryAcquire(0)).isTrue();
        Ticket oldest = Objects.requireNonNull(permits.join(0));
        Ticket middle = Objects.requireNonNull(permits.join(0));
        Ticket newest = Objects.requireNonNull(permits.join(0));

        assertThat(oldest.displaced() && oldest.isDone()).isTrue();
        assertThat(oldest.granted()).isFalse();
        assertThat(permits.withdraw(oldest)).isTrue();
        assertThat(permits.waiting()).isEqualTo(2);
        permits.release(0);
        assertThat(newest.granted()).isTrue();
        assertThat(middle.granted() || middle.displaced()).isFalse();
    }

    @Test
    void aNewcomerGetsItsTicketAlsoIfTheHolderOfTheDisplacedOneThrows() {
        Permits permits = new Permits(1, 1, new TicketQueue(true, TicketQueue.NEVER), new FreeCells(2));
        assertThat(permits.tryAcquire(0)).isTrue();
        Ticket oldest = Objects.requireNonNull(permits.join(0));
        assertThat(oldest.register(() -> {
                    throw new OutOfMemoryError("made up");
                }))
                .isTrue();
        Ticket newest = Objects.requireNonNull(permits.join(0));

        permits.release(0);
        assertThat(newest.granted()).isTrue();
    }

    @Test
    void withoutAQueueNobodyIsDisplaced() {
        Permits permits = new Permits(1, 0, new TicketQueue(true, TicketQueue.NEVER), new FreeCells(2));
        assertThat(permits.tryAcquire(0)).isTrue();

        assertThat(permits.join(0)).isNull();
    }

    @Test
    void aQueueThatStandsForTheIntervalMakesNewcomersLateUntilItWasEmpty() {
        Permits permits = new Permits(1, 9, new TicketQueue(false, 100), new FreeCells(2));
        assertThat(permits.tryAcquire(0)).isTrue();

        Ticket first = Objects.requireNonNull(permits.join(1_000));
        assertThat(first.late).isFalse();
        assertThat(Objects.requireNonNull(permits.join(1_099)).late).isFalse();
        assertThat(Objects.requireNonNull(permits.join(1_100)).late).isTrue();
        assertThat(Objects.requireNonNull(permits.join(900)).late).isFalse();
        for (int i = 0; i < 5; i++) {
            permits.release(0);
        }
        assertThat(permits.tryAcquire(0)).isTrue();
        assertThat(Objects.requireNonNull(permits.join(2_000)).late).isFalse();
        assertThat(first.granted()).isTrue();
    }

    @Test
    void aFirstComeQueueMakesNobodyLate() {
        Permits permits = new Permits(1, 9, new TicketQueue(false, TicketQueue.NEVER), new FreeCells(2));
        assertThat(permits.tryAcquire(0)).isTrue();
        permits.join(0);

        assertThat(Objects.requireNonNull(permits.join(1_000_000)).late).isFalse();
    }

    @Test
    void withCellsAndResizingItBehavesLikeAListAndACounter() {
        for (long seed = 0; seed < 2_000; seed++) {
            Random random = new Random(seed);
            Permits permits = PermitsTest.permits(3, 3);
            Deque<Ticket> queue = new ArrayDeque<>();
            int limit = 3;
            int out = 0;
            for (int step = 0; step < 200; step++) {
                int stripe = random.nextInt(8);
                switch (random.nextInt(7)) {
                    case 0 -> permits.openCells();
                    case 1 -> {
                        limit = 1 + random.nextInt(6);
                        permits.resize(limit);
                    }
                    case 2 -> {
                        Ticket ticket = permits.join(0);
                        if (ticket != null && ticket.granted()) {
                            out++;
                        } else if (ticket != null) {
                            queue.add(ticket);
                        }
                    }
                    case 3, 4 -> {
                        boolean expected = out < limit && queue.isEmpty();
                        assertThat(permits.tryAcquire(stripe))
                                .as("seed %d", seed)
                                .isEqualTo(expected);
                        out += expected ? 1 : 0;
                    }
                    default -> {
                        if (out > 0) {
                            permits.release(stripe);
                            out--;
                        }
                    }
                }
                while (out < limit && !queue.isEmpty()) {
                    assertThat(queue.remove().granted()).as("seed %d", seed).isTrue();
                    out++;
                }
                assertThat(permits.inFlight())
                        .as("seed %d, step %d", seed, step)
                        .isEqualTo(out);
                assertThat(permits.waiting()).as("seed %d, step %d", seed, step).isEqualTo(queue.size());
                assertThat(permits.limit()).as("seed %d, step %d", seed, step).isEqualTo(limit);
            }
        }
    }
}
