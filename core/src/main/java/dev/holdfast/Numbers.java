/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Policy;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/** Reads all meters of a policy once. */
final class Numbers implements Meters {
    private final Map<String, Number> values = new LinkedHashMap<>();

    private Numbers() {}

    static Map<String, Number> of(Policy policy) {
        Numbers numbers = new Numbers();
        policy.meters(numbers);
        return Collections.unmodifiableMap(numbers.values);
    }

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
