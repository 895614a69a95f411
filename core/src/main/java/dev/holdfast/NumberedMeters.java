/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.Meters;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/** For the second policy of a kind in a pipeline, and those after it: its names would be those of the first. */
final class NumberedMeters implements Meters {
    private final Meters meters;
    private final String suffix;

    NumberedMeters(Meters meters, int number) {
        this.meters = meters;
        suffix = "." + number;
    }

    @Override
    public void gauge(String name, String description, DoubleSupplier value) {
        meters.gauge(name + suffix, description, value);
    }

    @Override
    public void gauge(String name, String description, String tag, String tagValue, DoubleSupplier value) {
        meters.gauge(name + suffix, description, tag, tagValue, value);
    }

    @Override
    public void counter(String name, String description, LongSupplier total) {
        meters.counter(name + suffix, description, total);
    }

    @Override
    public void counter(String name, String description, String tag, String tagValue, LongSupplier total) {
        meters.counter(name + suffix, description, tag, tagValue, total);
    }
}
