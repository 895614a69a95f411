/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.util.List;

/** A pipeline, as a {@link CallObserver} knows it. Safe for any number of threads. */
public interface Observed {
    /** Its name. */
    String name();

    /** The policies, the first outermost. */
    List<Policy> policies();

    /** Asks every policy for its gauges and totals. The second policy of a kind has {@code .2} behind its names, and so on. */
    void meters(Meters meters);
}
