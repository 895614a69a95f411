/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.Meters;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/** Gives meters other names, where those of another policy would be the same. */
public record RenamedMeters(Meters meters, String prefix, String suffix) implements Meters {

    private String renamed(String name) {
        return prefix + name + suffix;
    }

    @Override
    public void gauge(String name, String description, DoubleSupplier value) {
        meters.gauge(renamed(name), description, value);
    }

    @Override
    public void gauge(String name, String description, String tag, String tagValue, DoubleSupplier value) {
        meters.gauge(renamed(name), description, tag, tagValue, value);
    }

    @Override
    public void counter(String name, String description, LongSupplier total) {
        meters.counter(renamed(name), description, total);
    }

    @Override
    public void counter(String name, String description, String tag, String tagValue, LongSupplier total) {
        meters.counter(renamed(name), description, tag, tagValue, total);
    }
}
