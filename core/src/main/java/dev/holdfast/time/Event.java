/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.time;

import org.jspecify.annotations.Nullable;

/**
 * Something that happens at one instant of virtual time: a task, or the end of a thread's wait.
 *
 * @param tie orders the events of one instant
 * @param sequence orders two events with equal ties
 * @param seat the seat whose wait ends; null: {@code task} runs
 */
record Event(long at, long tie, long sequence, @Nullable Seat seat, Runnable task) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
        int byTime = Long.compare(at, other.at);
        int byTie = byTime != 0 ? byTime : Long.compare(tie, other.tie);
        return byTie != 0 ? byTie : Long.compare(sequence, other.sequence);
    }

    // An event equals only itself. A record's own methods would compare and print the seat, which refers back.
    @Override
    public boolean equals(@Nullable Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(sequence);
    }

    @Override
    public String toString() {
        return "event " + sequence + " at " + at;
    }
}
