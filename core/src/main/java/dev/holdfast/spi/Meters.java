/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/**
 * Receives the gauges and the running totals of a policy. Metrics and snapshots poll the suppliers on any thread. A supplier
 * must be cheap and must not throw.
 */
public interface Meters {

    /**
     * A value that goes up and down.
     *
     * @param name below {@code holdfast.}, such as {@code bulkhead.in.flight}
     * @param description one sentence
     */
    void gauge(String name, String description, DoubleSupplier value);

    /** A value that goes up and down, with one tag of few values, such as {@code state} = {@code open}. */
    void gauge(String name, String description, String tag, String tagValue, DoubleSupplier value);

    /** A total that only goes up. */
    void counter(String name, String description, LongSupplier total);

    /** A total that only goes up, with one tag of few values. */
    void counter(String name, String description, String tag, String tagValue, LongSupplier total);
}
