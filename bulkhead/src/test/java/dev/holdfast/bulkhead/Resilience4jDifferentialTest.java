/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.event.BulkheadEvent;
import io.github.resilience4j.bulkhead.internal.SemaphoreBulkhead;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * The same random sequences to resilience4j's bulkhead and to a view of ours: what a caller sees, the metrics and the events are
 * equal after every step. {@code -Dholdfast.differential.sequences=1000000} makes it a million sequences, {@code
 * -Dholdfast.differential.first} says from which seed on. What differs on purpose is in {@link Resilience4jBulkheadTest}.
 */
class Resilience4jDifferentialTest {
    private static final int SEQUENCES = Integer.getInteger("holdfast.differential.sequences", 8_000);
    private static final int FIRST = Integer.getInteger("holdfast.differential.first", 0);
    private static final int STEPS = 200;

    @Test
    void viewAndOriginalAreEqualAfterEveryStep() {
        int permitted = 0;
        int rejected = 0;
        for (int seed = FIRST; seed < FIRST + SEQUENCES; seed++) {
            Sequence sequence = new Sequence(seed);
            sequence.run();
            permitted += sequence.permitted > 0 ? 1 : 0;
            rejected += sequence.rejected > 0 ? 1 : 0;
        }
        assertThat(permitted).as("sequences with a permission").isGreaterThan(SEQUENCES * 9 / 10);
        assertThat(rejected).as("sequences with a rejection").isGreaterThan(SEQUENCES / 2);
    }

    /** One of the two, and the events that it published. */
    private static final class Side {
        final Bulkhead bulkhead;
        final List<Object> events = new ArrayList<>();

        Side(Bulkhead bulkhead, int consumers) {
            this.bulkhead = bulkhead;
            if (consumers == 0) {
                bulkhead.getEventPublisher().onEvent(this::note);
            } else if (consumers == 1) {
                bulkhead.getEventPublisher()
                        .onCallPermitted(this::note)
                        .onCallRejected(this::note)
                        .onCallFinished(this::note);
            }
        }

        private void note(BulkheadEvent event) {
            events.add(event.getEventType());
            events.add(event.getBulkheadName());
        }

        Object step(int kind, BulkheadConfig config) {
            try {
                return switch (kind) {
                    case 0 -> bulkhead.tryAcquirePermission();
                    case 1 -> {
                        bulkhead.acquirePermission();
                        yield true;
                    }
                    case 2 -> {
                        bulkhead.releasePermission();
                        yield "released";
                    }
                    case 3 -> {
                        bulkhead.onComplete();
                        yield "completed";
                    }
                    case 4 -> bulkhead.executeSupplier(() -> "supplied");
                    case 5 ->
                        bulkhead.executeSupplier(() -> {
                            throw new IllegalStateException("ill");
                        });
                    default -> {
                        bulkhead.changeConfig(config);
                        yield bulkhead.getBulkheadConfig().toString();
                    }
                };
            } catch (RuntimeException thrown) {
                return thrown.toString();
            }
        }
    }

    private static final class Sequence {
        private final int seed;
        private final Random random;
        private final Side theirs;
        private final Side ours;
        private BulkheadConfig config;
        private int out;
        private int permitted;
        private int rejected;

        Sequence(int seed) {
            this.seed = seed;
            random = new Random(seed);
            config = drawn(1 + random.nextInt(8));
            int consumers = random.nextInt(3);
            BulkheadSettings settings = BulkheadSettings.from(config);
            theirs = new Side(new SemaphoreBulkhead("b", config, Map.of("k", "v")), consumers);
            ours = new Side(BulkheadPolicy.of(settings).asResilience4j("b", Map.of("k", "v")), consumers);
        }

        private BulkheadConfig drawn(int calls) {
            return BulkheadConfig.custom()
                    .maxConcurrentCalls(calls)
                    .fairCallHandlingStrategyEnabled(random.nextBoolean())
                    .writableStackTraceEnabled(random.nextInt(8) == 0) // a trace is most of what a sequence costs
                    .build();
        }

        void run() {
            for (int step = 0; step < STEPS; step++) {
                int kind = kind();
                Object expected = theirs.step(kind, config);
                Object actual = ours.step(kind, config);
                count(kind, expected);
                if (!expected.equals(actual) || !same()) {
                    assertThat(actual + " " + state(ours))
                            .as("seed %d, step %d, kind %d", seed, step, kind)
                            .isEqualTo(expected + " " + state(theirs));
                }
            }
        }

        /** Nothing is given back that is not out, and nothing shrunk that would make resilience4j block. */
        private int kind() {
            int kind = random.nextInt(24);
            if (kind == 23) {
                config = drawn(Math.max(1, out) + random.nextInt(6));
                return 6;
            }
            if (kind < 11) {
                return kind % 2;
            }
            return out == 0 ? 4 + kind % 2 : 2 + kind % 4;
        }

        private void count(int kind, Object result) {
            if (kind <= 1) {
                boolean taken = result.equals(true);
                out += taken ? 1 : 0;
                permitted += taken ? 1 : 0;
                rejected += taken ? 0 : 1;
            } else if (kind <= 3) {
                out--;
            }
        }

        private boolean same() {
            return theirs.bulkhead.getMetrics().getAvailableConcurrentCalls()
                            == ours.bulkhead.getMetrics().getAvailableConcurrentCalls()
                    && theirs.bulkhead.getMetrics().getMaxAllowedConcurrentCalls()
                            == ours.bulkhead.getMetrics().getMaxAllowedConcurrentCalls()
                    && sameEvents();
        }

        private boolean sameEvents() {
            boolean same = theirs.events.equals(ours.events);
            theirs.events.clear();
            if (same) {
                ours.events.clear();
            }
            return same;
        }

        private static String state(Side side) {
            return side.bulkhead + " " + side.bulkhead.getMetrics().getAvailableConcurrentCalls() + " of "
                    + side.bulkhead.getMetrics().getMaxAllowedConcurrentCalls() + ", events " + side.events;
        }
    }
}
