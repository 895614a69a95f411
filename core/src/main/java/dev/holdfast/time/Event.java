/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.time;

import org.jspecify.annotations.Nullable;

/**
 * Something that happens at one instant of virtual time: a task, or the end of a thread's wait.
 *
 * @param tie orders the events of one instant
 * @param sequence tells apart two events whose ties were drawn equal
 * @param seat whose wait ends; null: {@code task} runs
 */
record Event(long at, long tie, long sequence, @Nullable Seat seat, Runnable task) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
        int byTime = Long.compare(at, other.at);
        int byTie = byTime != 0 ? byTime : Long.compare(tie, other.tie);
        return byTie != 0 ? byTie : Long.compare(sequence, other.sequence);
    }

    // An event is itself and nothing else: the components of a record would be compared and printed through the seat
    // and back.
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
