/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

/** Is told what the engine has done, by the thread that did it, once each, and under no lock. Must not throw. */
public interface Witness {
    /** Rates have reached these thresholds, which are bits of {@link Thresholds}. Before the change that follows from it. */
    void exceeded(int thresholds, Totals totals);

    /** One life is over and another one has begun; it may be of the same state. */
    void changed(State from, State to);

    /** After the change, if there was one. */
    void reset();
}
