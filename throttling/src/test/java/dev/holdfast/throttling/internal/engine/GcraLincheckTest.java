/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
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

    /** One call a microsecond, three at once. */
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

    /** A burst of cells, two places at a time: all but four are gone, and all cells are empty. */
    public static class Cells {
        private final Gcra gcra = new Gcra(1_000, 1_000_000, 32, 2);

        /** For Lincheck. */
        public Cells() {
            gcra.contend();
            for (int i = 0; i < 24; i++) {
                gcra.reserve(0, 0, 0);
            }
        }

        public boolean reserve(int stripe) {
            return gcra.reserve(0, 0, stripe) != Gcra.NONE;
        }

        /** Once all threads are through: how many places are left. */
        public int rest() {
            int left = 0;
            while (left < 9 && reserve(left)) {
                left++;
            }
            return left;
        }
    }

    /** Four places: whether one is given out does not depend on who contends. */
    public static class FourPlaces {
        private int left = 4;

        /** For Lincheck. */
        public FourPlaces() {}

        public boolean reserve(int stripe) {
            return left > 0 && left-- > 0;
        }

        public int rest() {
            return left;
        }
    }

    @Test
    void waitsAreThoseOfCallsOneAfterTheOtherInEveryInterleaving() {
        new ModelCheckingOptions()
                .iterations(5)
                .invocationsPerIteration(100)
                .invocationTimeout$lincheck(BUSY_MACHINE_MILLIS)
                .threads(2)
                .actorsPerThread(3)
                .check(Line.class);
    }

    @Test
    void waitsAreThoseOfCallsOneAfterTheOtherOnRealThreads() {
        new StressOptions()
                .iterations(5)
                .invocationsPerIteration(500)
                .invocationTimeout$lincheck(BUSY_MACHINE_MILLIS)
                .threads(2)
                .actorsPerThread(3)
                .check(Line.class);
    }

    @Test
    void cellsGiveOutAsManyPlacesAsCallsOneAfterTheOtherGetInEveryInterleaving() {
        // Chosen, not drawn: places in a cell are few, and most calls do not meet there.
        new ModelCheckingOptions()
                .iterations(0)
                .invocationsPerIteration(150)
                .invocationTimeout$lincheck(BUSY_MACHINE_MILLIS)
                .sequentialSpecification(FourPlaces.class)
                // Two fill cells: the same, or each its own.
                .addCustomScenario(scenario(stripes(), stripes(0), stripes(0)))
                .addCustomScenario(scenario(stripes(), stripes(0), stripes(1)))
                // Two take from a cell.
                .addCustomScenario(scenario(stripes(0), stripes(0), stripes(0)))
                // The last places are in cells of their own, and each may be taken by anybody.
                .addCustomScenario(scenario(stripes(0, 1), stripes(0, 0), stripes(1)))
                .addCustomScenario(scenario(stripes(0, 1), stripes(1, 1), stripes(0)))
                .check(Cells.class);
    }

    /** Reservations before, and then of two threads at once. */
    private static ExecutionScenario scenario(List<Actor> before, List<Actor> first, List<Actor> second) {
        return new ExecutionScenario(before, List.of(first, second), List.of(call("rest")), null);
    }

    /** A reservation in each of these stripes. */
    private static List<Actor> stripes(int... stripes) {
        return IntStream.of(stripes).mapToObj(stripe -> call("reserve", stripe)).toList();
    }

    private static Actor call(String name, Object... arguments) {
        Method method = Arrays.stream(Cells.class.getDeclaredMethods())
                .filter(each -> each.getName().equals(name))
                .findAny()
                .orElseThrow();
        return new Actor(method, List.of(arguments));
    }
}
