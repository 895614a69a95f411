/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.Test;

/**
 * Reservations under many interleavings: the waits that threads are told are those of the same calls one after the other.
 * Bounded in scenarios and invocations.
 */
class GcraLincheckTest {
    /** For one invocation, in place of their half a minute. */
    private static final long BUSY_MACHINE_MILLIS = 600_000;

    /** One call a microsecond, three at once. Each thread can give back the last place that it has. */
    @Param(name = "now", gen = IntGen.class, conf = "0:3")
    @Param(name = "wait", gen = IntGen.class, conf = "0:2")
    @Param(name = "thread", gen = ThreadIdGen.class)
    public static class Line {
        private final Gcra gcra = new Gcra(1_000, 1_000_000, 3);

        /** For Lincheck. */
        public Line() {}

        @Operation
        public long reserve(
                @Param(name = "now") int now, @Param(name = "wait") int wait, @Param(name = "thread") int thread) {
            long end = gcra.reserve(now * 1_000L, wait * 1_000L, thread);
            return end == Gcra.NONE ? -1 : gcra.waitNanos(end, now * 1_000L);
        }
    }

    /** A burst of cells: whether a place is given out does not depend on who contends. */
    @Param(name = "thread", gen = ThreadIdGen.class)
    public static class Cells {
        private final Gcra gcra = new Gcra(1_000, 1_000_000, 32, 2);

        /** For Lincheck: all but four places are gone, two of them in the cell of the first thread. */
        public Cells() {
            gcra.contend();
            for (int i = 0; i < 24; i++) {
                gcra.reserve(0, 0, 0);
            }
        }

        @Operation
        public boolean reserve(@Param(name = "thread") int thread) {
            return gcra.reserve(0, 0, thread) != Gcra.NONE;
        }
    }

    @Test
    void waitsAreThoseOfCallsOneAfterTheOtherInEveryInterleaving() {
        new ModelCheckingOptions()
                .iterations(15)
                .invocationsPerIteration(500)
                .invocationTimeout$lincheck(BUSY_MACHINE_MILLIS)
                .threads(3)
                .actorsPerThread(3)
                .check(Line.class);
    }

    @Test
    void waitsAreThoseOfCallsOneAfterTheOtherOnRealThreads() {
        new StressOptions()
                .iterations(15)
                .invocationsPerIteration(2_000)
                .invocationTimeout$lincheck(BUSY_MACHINE_MILLIS)
                .threads(3)
                .actorsPerThread(3)
                .check(Line.class);
    }

    @Test
    void cellsGiveOutAsManyPlacesAsCallsOneAfterTheOtherGetInEveryInterleaving() {
        new ModelCheckingOptions()
                .iterations(10)
                .invocationsPerIteration(500)
                .invocationTimeout$lincheck(BUSY_MACHINE_MILLIS)
                .threads(3)
                .actorsPerThread(2)
                .check(Cells.class);
    }
}
