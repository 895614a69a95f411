/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The faults of a run, one after the other. Immutable.
 *
 * <p>A run of 24 s or more has a healthy stretch after each fault, long enough to see how soon the callers are back. A
 * shorter one has no room for that: there the faults follow one another, and only the last is followed by health.
 */
final class Timeline {
    static final Duration SHORTEST = Duration.ofSeconds(8);
    private static final Duration WITH_STRETCHES = Duration.ofSeconds(24);

    private final List<Phase> phases;

    private Timeline(List<Phase> phases) {
        this.phases = List.copyOf(phases);
    }

    /** The incident, spread over this time; at least {@link #SHORTEST}. */
    static Timeline incident(Duration total) {
        return total.compareTo(WITH_STRETCHES) < 0 ? shortIncident(total) : longIncident(total);
    }

    /** Nothing but health, to warm up with. */
    static Timeline healthy(Duration total) {
        return new Timeline(List.of(new Phase("healthy", Condition.HEALTHY, 0, total.toNanos())));
    }

    /** Three times six seconds of {@link Condition#HANGING}, each followed by as many of health, if it is 40 s long. */
    static Timeline hangs(Duration total) {
        Plan plan = new Plan(total.toNanos(), 40);
        plan.add("healthy", Condition.HEALTHY, 4);
        for (int i = 1; i < 3; i++) {
            plan.add("hang " + i, Condition.HANGING, 6);
            plan.add("after hang " + i, Condition.HEALTHY, 6);
        }
        plan.add("hang 3", Condition.HANGING, 6);
        return plan.last("after hang 3");
    }

    private static Timeline longIncident(Duration total) {
        Plan plan = new Plan(total.toNanos(), 40);
        plan.add("healthy", Condition.HEALTHY, 4);
        plan.add("slow", Condition.SLOW, 5);
        plan.add("after slow", Condition.HEALTHY, 5);
        plan.add("failing", Condition.FAILING, 4);
        plan.add("after failing", Condition.HEALTHY, 4.5);
        plan.add("pushback", Condition.PUSHBACK, 4);
        plan.add("after push", Condition.HEALTHY, 4.5);
        plan.add("gone", Condition.GONE, 4);
        return plan.last("recovered");
    }

    private static Timeline shortIncident(Duration total) {
        // The last stretch keeps its 4 s, so that "back within 3 s" can be seen in the shortest run too.
        Plan plan = new Plan(total.minusSeconds(4).toNanos(), 5);
        plan.add("healthy", Condition.HEALTHY, 1);
        plan.add("slow", Condition.SLOW, 1);
        plan.add("failing", Condition.FAILING, 1);
        plan.add("pushback", Condition.PUSHBACK, 1);
        plan.add("gone", Condition.GONE, 1);
        plan.total = total.toNanos();
        return plan.last("recovered");
    }

    List<Phase> phases() {
        return phases;
    }

    /** The faults alone. */
    List<Phase> faults() {
        return phases.stream().filter(Phase::ill).toList();
    }

    /** The phase at this time since the start of the run; after the end, the last one. */
    Phase at(long nanos) {
        return phases.stream()
                .filter(phase -> nanos < phase.endNanos())
                .findFirst()
                .orElse(phases.get(phases.size() - 1));
    }

    /** The phase that follows; itself if it is the last. */
    Phase after(Phase phase) {
        return at(phase.endNanos());
    }

    long endNanos() {
        return phases.get(phases.size() - 1).endNanos();
    }

    private static final class Plan {
        private final List<Phase> phases = new ArrayList<>();
        private final double nanosPerPart;
        private long total;
        private long end;

        Plan(long total, double parts) {
            this.total = total;
            this.nanosPerPart = total / parts;
        }

        void add(String name, Condition condition, double parts) {
            long start = end;
            end = start + (long) (parts * nanosPerPart);
            phases.add(new Phase(name, condition, start, end));
        }

        Timeline last(String name) {
            phases.add(new Phase(name, Condition.HEALTHY, end, total));
            return new Timeline(phases);
        }
    }
}
