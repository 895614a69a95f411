/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import java.lang.reflect.Method;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Permits, queue, cells and resizing under many interleavings: what each thread sees is what a list and a counter would have
 * shown it, with the same calls made one after the other. The calls are chosen, not drawn: a few that meet find more than
 * many that do not.
 */
class PermitsLincheckTest {
    /** For one invocation, in place of their half a minute. */
    private static final long BUSY_MACHINE_MILLIS = 600_000;

    /** For each scenario. They are so small that a hundred were enough for each of thirty mistakes that were tried. */
    private static final int INVOCATIONS = 100;

    private static final int TICKETS = 3;

    /** What the users of a bulkhead do. A permit may be released by any thread, so nobody's are counted here. */
    public static class Real {
        private final Permits permits = new Permits(2, 2, new TicketQueue(false, TicketQueue.NEVER), new FreeCells(2));
        private final @Nullable Ticket[] tickets = new Ticket[TICKETS];

        /** For Lincheck. */
        public Real() {}

        public boolean acquire(int stripe) {
            return permits.tryAcquire(stripe);
        }

        public void release(int stripe) {
            permits.release(stripe);
        }

        public boolean join(int number) {
            Ticket ticket = permits.join(0);
            tickets[number] = ticket;
            return ticket != null;
        }

        public boolean withdraw(int number) {
            Ticket ticket = tickets[number];
            return ticket != null && permits.withdraw(ticket);
        }

        public void resize(int limit) {
            permits.resize(limit);
        }

        /** Opens the cells, as a thread does that was seen to contend. */
        public void contend() {
            permits.openCells();
        }

        public int waiting() {
            return permits.waiting();
        }

        /** Once all threads are through: what is out, who waits, who was served, and how many permits are left to take. */
        public String rest() {
            String rest = permits.inFlight() + " out, " + permits.waiting() + " wait, served";
            for (int number = 0; number < TICKETS; number++) {
                Ticket ticket = tickets[number];
                rest += ticket != null && ticket.granted() ? " " + number : "";
            }
            int left = 0;
            while (left < 9 && permits.tryAcquire(left)) {
                left++;
            }
            return rest + ", " + left + " left";
        }
    }

    /** A list and a counter. */
    public static class Model {
        private final Deque<Integer> queue = new ArrayDeque<>();
        private final Set<Integer> served = new TreeSet<>();
        private int limit = 2;
        private int out;

        /** For Lincheck. */
        public Model() {}

        public boolean acquire(int stripe) {
            if (out >= limit || !queue.isEmpty()) {
                return false;
            }
            out++;
            return true;
        }

        public void release(int stripe) {
            out--;
            serve();
        }

        public boolean join(int number) {
            if (out >= limit && queue.size() >= 2) {
                return false;
            }
            queue.add(number);
            serve();
            return true;
        }

        public boolean withdraw(int number) {
            return queue.remove(number);
        }

        public void resize(int newLimit) {
            limit = newLimit;
            serve();
        }

        /** Whether threads share a word or have cells is nothing that anybody sees. */
        public void contend() {}

        public int waiting() {
            return queue.size();
        }

        public String rest() {
            String rest = out + " out, " + queue.size() + " wait, served";
            for (int number : served) {
                rest += " " + number;
            }
            return rest + ", " + (queue.isEmpty() ? Math.max(0, limit - out) : 0) + " left";
        }

        private void serve() {
            while (out < limit && !queue.isEmpty()) {
                served.add(queue.remove());
                out++;
            }
        }
    }

    @Test
    void permitsOfOneWord() {
        check(
                // Somebody joins while a permit comes back.
                scenario("acquire 0, acquire 1", "release 0", "join 0, acquire 0"),
                scenario("acquire 0, acquire 1", "release 0", "release 1, acquire 1"),
                // A permit comes back while the only one who waits gives up, or the limit shrinks.
                scenario("acquire 0, acquire 1, join 0", "release 0", "withdraw 0"),
                scenario("acquire 0, acquire 1, join 0", "release 0", "resize 1, waiting"),
                // Those who wait are served before others, by who resizes too.
                scenario("acquire 0, acquire 1, join 0", "release 0, acquire 0", "resize 3"),
                scenario("acquire 0, acquire 1, join 0, join 1", "resize 4", "acquire 0"),
                // The last permit.
                scenario("acquire 0", "acquire 1", "join 0"));
    }

    @Test
    void permitsOfCells() {
        check(
                scenario("acquire 0", "contend", "acquire 1"),
                scenario("acquire 0, acquire 1", "contend, release 0", "join 0, withdraw 0"),
                scenario("acquire 0, acquire 1", "contend, release 0", "resize 1, acquire 1"),
                // Two at one cell.
                scenario("contend, acquire 0, acquire 0", "release 0", "release 0"),
                scenario("contend, acquire 0, acquire 1, release 0", "acquire 0", "acquire 0"),
                // All cells are looked at, while there is a permit at any time, but never where it is looked for.
                scenario("contend, acquire 0, acquire 1, release 1", "acquire 0", "release 0, acquire 1"),
                // A permit comes back to a cell while cells are closed, or closed and opened again.
                scenario("contend, acquire 0, acquire 1", "release 0", "join 0"),
                scenario("contend, acquire 0, acquire 1", "release 0", "join 0, contend"),
                scenario("contend, acquire 0, acquire 1, release 1", "release 0", "resize 3"),
                scenario("contend, acquire 0, acquire 1", "release 0, acquire 0", "resize 2, contend"),
                // Free permits are free while they go back from the cells to the word.
                scenario("contend, acquire 0, acquire 1, release 0", "resize 2", "acquire 1"));
    }

    private static void check(ExecutionScenario... scenarios) {
        ModelCheckingOptions options = new ModelCheckingOptions()
                .iterations(0)
                .invocationsPerIteration(INVOCATIONS)
                .invocationTimeout$lincheck(BUSY_MACHINE_MILLIS)
                .sequentialSpecification(Model.class);
        for (ExecutionScenario scenario : scenarios) {
            options.addCustomScenario(scenario);
        }
        options.check(Real.class);
    }

    /** What is done before, and then by two threads at once: names of methods above, some with a number. */
    private static ExecutionScenario scenario(String before, String first, String second) {
        return new ExecutionScenario(calls(before), List.of(calls(first), calls(second)), calls("rest"), null);
    }

    private static List<Actor> calls(String calls) {
        return Stream.of(calls.split(", ", -1)).map(PermitsLincheckTest::call).toList();
    }

    private static Actor call(String call) {
        String[] words = call.split(" ", 2);
        Method method = Arrays.stream(Real.class.getDeclaredMethods())
                .filter(each -> each.getName().equals(words[0]))
                .findAny()
                .orElseThrow();
        return new Actor(method, words.length == 1 ? List.of() : List.of(Integer.valueOf(words[1])));
    }
}
