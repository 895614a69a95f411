/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Permits, queue, cells and resizing under many interleavings: what each thread sees is what a list and a counter would have
 * shown it, with the same calls made one after the other. Bounded in scenarios and invocations.
 */
class PermitsLincheckTest {
    /** For one invocation, in place of their half a minute. */
    private static final long BUSY_MACHINE_MILLIS = 600_000;

    private static final int THREADS = 5; // Lincheck counts what comes before and after as threads of their own

    /** What the users of a bulkhead do. Each thread has its own permits and its own ticket; a stripe is its number. */
    @Param(name = "thread", gen = ThreadIdGen.class)
    @Param(name = "limit", gen = IntGen.class, conf = "1:3")
    public static class OneWord {
        final Permits permits = new Permits(2, 2, new TicketQueue(false, TicketQueue.NEVER), new FreeCells(2));
        private final int[] held = new int[THREADS];
        private final @Nullable Ticket[] tickets = new Ticket[THREADS];

        /** For Lincheck. */
        public OneWord() {}

        @Operation
        public boolean acquire(@Param(name = "thread") int thread) {
            boolean taken = permits.tryAcquire(thread);
            held[thread] += taken ? 1 : 0;
            return taken;
        }

        @Operation
        public boolean release(@Param(name = "thread") int thread) {
            if (held[thread] == 0) {
                return false;
            }
            held[thread]--;
            permits.release(thread);
            return true;
        }

        @Operation
        public String join(@Param(name = "thread") int thread) {
            if (tickets[thread] != null) {
                return "waits already";
            }
            tickets[thread] = permits.join(0);
            return tickets[thread] == null ? "full" : "joined";
        }

        @Operation
        public String withdraw(@Param(name = "thread") int thread) {
            Ticket ticket = tickets[thread];
            tickets[thread] = null;
            if (ticket == null) {
                return "no ticket";
            }
            boolean granted = !permits.withdraw(ticket);
            held[thread] += granted ? 1 : 0;
            return granted ? "granted" : "left";
        }

        @Operation
        public void resize(@Param(name = "limit") int limit) {
            permits.resize(limit);
        }
    }

    /** The same, with the cells in use from the beginning. */
    @Param(name = "thread", gen = ThreadIdGen.class)
    @Param(name = "limit", gen = IntGen.class, conf = "1:3")
    public static class Striped extends OneWord {
        /** For Lincheck. */
        public Striped() {
            permits.openCells();
        }
    }

    /** A list and a counter. */
    public static class Model {
        private final Deque<Integer> queue = new ArrayDeque<>();
        private final boolean[] waits = new boolean[THREADS];
        private final int[] held = new int[THREADS];
        private final int[] handed = new int[THREADS];
        private int limit = 2;
        private int out;

        /** For Lincheck. */
        public Model() {}

        public boolean acquire(int thread) {
            if (out >= limit || !queue.isEmpty()) {
                return false;
            }
            out++;
            held[thread]++;
            return true;
        }

        public boolean release(int thread) {
            if (held[thread] == 0) {
                return false;
            }
            held[thread]--;
            out--;
            serve();
            return true;
        }

        public String join(int thread) {
            if (waits[thread]) {
                return "waits already";
            }
            if (out >= limit && queue.size() >= 2) {
                return "full";
            }
            queue.add(thread);
            waits[thread] = true;
            serve();
            return "joined";
        }

        public String withdraw(int thread) {
            if (!waits[thread]) {
                return "no ticket";
            }
            waits[thread] = false;
            queue.remove(Integer.valueOf(thread));
            boolean granted = handed[thread] > 0;
            held[thread] += handed[thread];
            handed[thread] = 0;
            return granted ? "granted" : "left";
        }

        public void resize(int newLimit) {
            limit = newLimit;
            serve();
        }

        private void serve() {
            while (out < limit && !queue.isEmpty()) {
                handed[queue.remove()]++;
                out++;
            }
        }
    }

    private static ModelCheckingOptions modelChecking() {
        return new ModelCheckingOptions()
                .iterations(8)
                .invocationsPerIteration(200)
                .invocationTimeout$lincheck(BUSY_MACHINE_MILLIS)
                .threads(3)
                .actorsPerThread(3)
                .actorsBefore(2)
                .actorsAfter(2)
                .sequentialSpecification(Model.class);
    }

    private static StressOptions stress() {
        return new StressOptions()
                .iterations(12)
                .invocationsPerIteration(1_500)
                .invocationTimeout$lincheck(BUSY_MACHINE_MILLIS)
                .threads(3)
                .actorsPerThread(3)
                .actorsBefore(2)
                .actorsAfter(2)
                .sequentialSpecification(Model.class);
    }

    @Test
    void oneWordBehavesLikeAListAndACounterInEveryInterleaving() {
        modelChecking().check(OneWord.class);
    }

    @Test
    void cellsBehaveLikeAListAndACounterInEveryInterleaving() {
        modelChecking().check(Striped.class);
    }

    @Test
    void cellsBehaveLikeAListAndACounterOnRealThreads() {
        stress().check(Striped.class);
    }
}
