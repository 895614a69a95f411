/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import java.util.concurrent.CompletionStage;
import java.util.function.IntSupplier;

/**
 * The number of processes that say in a store that they are alive. Each says so about every {@link #ROUND_NANOS}, and is counted for
 * {@link #ALIVE}. While the store does not answer, the last number holds.
 *
 * <p>A list of which the store says that it is young may lack processes that have signed an older one, which the store has lost. It
 * can only make the number greater. The number is never too small for this reason, and right again when the list is as old as a
 * sign counts. The same holds after a round without an answer, and after one that comes so late that the sign before it no longer
 * counts, as in a machine that was halted: whatever kept this process from signing may have kept others, whose signs no longer count
 * then, although they are alive.
 */
final class RollCall implements IntSupplier {
    static final long ROUND_NANOS = 3_000_000_000L;
    /** How long a sign counts, in milliseconds: three may be lost. */
    static final long ALIVE = 4 * ROUND_NANOS / 1_000_000;

    /** So many rounds after one without an answer, all that are alive have signed again: at the least as long as a sign counts. */
    private static final int ROUNDS_OF_DOUBT = 6;

    /** The list of one name in the store. */
    interface Book {
        /** Says that this process is alive, and counts. Does not block; fails if the store does not answer. */
        CompletionStage<Count> sign();

        /** Runs a task later, unless the store is closed before. */
        void later(long nanos, Runnable task);

        /** The time of this process. */
        long nanos();

        /** From 0 to below 1. */
        double random();
    }

    /**
     * What the store has counted.
     *
     * @param alive with this process
     * @param complete whether the list is older than a sign counts, so that nobody who is alive can be missing
     */
    record Count(long alive, boolean complete) {}

    private final Book book;
    private volatile int number;
    /** For so many more answers the number can only become greater. */
    private int doubt;
    /** Whether a complete list has said the number. */
    private boolean counted;

    private long lastRound;

    /** So many until the store has answered. */
    RollCall(Book book, int atFirst) {
        this.book = book;
        number = atFirst;
        lastRound = book.nanos();
    }

    /** Signs, now and in each round from now on. Completes with the first answer, and never fails. */
    CompletionStage<?> begin() {
        // Processes that begin together do not go on together.
        book.later((long) (ROUND_NANOS * (0.75 + book.random() / 2)), this::begin);
        signing(book.nanos());
        return book.sign().handle((count, failed) -> {
            if (count == null) {
                heardNothing();
            } else {
                heard(count);
            }
            return null;
        });
    }

    /** At least so many until a complete list says the number: of several that ask, each may know only the least. */
    synchronized void atFirst(int processes) {
        if (!counted) {
            number = Math.max(number, processes);
        }
    }

    private synchronized void signing(long now) {
        if (now - lastRound >= ALIVE * 1_000_000) {
            heardNothing();
        }
        lastRound = now;
    }

    private synchronized void heard(Count count) {
        int alive = (int) Math.max(1, Math.min(Integer.MAX_VALUE, count.alive()));
        boolean complete = count.complete() && doubt == 0;
        counted |= complete;
        number = complete ? alive : Math.max(number, alive);
        doubt = Math.max(0, doubt - 1);
    }

    private synchronized void heardNothing() {
        doubt = ROUNDS_OF_DOUBT;
    }

    @Override
    public int getAsInt() {
        return number;
    }
}
