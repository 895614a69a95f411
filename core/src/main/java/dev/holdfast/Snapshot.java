/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.Meters;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/** Reads all meters once. */
final class Snapshot implements Meters {
    final Map<String, Number> values = new LinkedHashMap<>();

    @Override
    public void gauge(String name, String description, DoubleSupplier value) {
        values.put(name, value.getAsDouble());
    }

    @Override
    public void gauge(String name, String description, String tag, String tagValue, DoubleSupplier value) {
        values.put(tagged(name, tag, tagValue), value.getAsDouble());
    }

    @Override
    public void counter(String name, String description, LongSupplier total) {
        values.put(name, total.getAsLong());
    }

    @Override
    public void counter(String name, String description, String tag, String tagValue, LongSupplier total) {
        values.put(tagged(name, tag, tagValue), total.getAsLong());
    }

    private static String tagged(String name, String tag, String tagValue) {
        return name + "{" + tag + "=" + tagValue + "}";
    }
}
