/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testcalls;

import dev.holdfast.spi.Meters;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/** Keeps what a policy declares, to be polled. */
public final class RecordedMeters implements Meters {
    private final Map<String, DoubleSupplier> meters = new LinkedHashMap<>();

    /** Nothing so far. */
    public RecordedMeters() {}

    @Override
    public void gauge(String name, String description, DoubleSupplier value) {
        meters.put(name, value);
    }

    @Override
    public void gauge(String name, String description, String tag, String tagValue, DoubleSupplier value) {
        meters.put(name + "{" + tag + "=" + tagValue + "}", value);
    }

    @Override
    public void counter(String name, String description, LongSupplier total) {
        meters.put(name, () -> (double) total.getAsLong());
    }

    @Override
    public void counter(String name, String description, String tag, String tagValue, LongSupplier total) {
        meters.put(name + "{" + tag + "=" + tagValue + "}", () -> (double) total.getAsLong());
    }

    /** What they say now: {@code name}, or {@code name{tag=value}}. */
    public Map<String, Double> values() {
        Map<String, Double> values = new LinkedHashMap<>();
        meters.forEach((name, value) -> values.put(name, value.getAsDouble()));
        return values;
    }
}
