/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

/** Gets the events of the engine, from the thread that caused them, once each, without a lock. Must not throw. */
public interface Witness {
    /** The rates have reached these thresholds, which are bits of {@link Thresholds}. Called before the change of state. */
    void exceeded(int thresholds, Totals totals);

    /** One life is over and another one has begun, perhaps of the same state. */
    void changed(State from, State to);

    /** The breaker was reset. Called after the change of state, if there was one. */
    void reset();
}
