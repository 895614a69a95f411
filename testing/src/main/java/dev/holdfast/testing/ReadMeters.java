/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Meters;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/** Reads each meter of a policy once, as metrics and snapshots do. */
final class ReadMeters implements Meters {
    @Override
    public void gauge(String name, String description, DoubleSupplier value) {
        assertThat(name).as("name of a gauge").isNotBlank();
        assertThat(description).as("description of %s", name).isNotBlank();
        var unused = value.getAsDouble();
    }

    @Override
    public void gauge(String name, String description, String tag, String tagValue, DoubleSupplier value) {
        tag(name, tag, tagValue);
        gauge(name, description, value);
    }

    @Override
    public void counter(String name, String description, LongSupplier total) {
        assertThat(name).as("name of a total").isNotBlank();
        assertThat(description).as("description of %s", name).isNotBlank();
        assertThat(total.getAsLong()).as("%s", name).isNotNegative();
    }

    @Override
    public void counter(String name, String description, String tag, String tagValue, LongSupplier total) {
        tag(name, tag, tagValue);
        counter(name, description, total);
    }

    private static void tag(String name, String tag, String tagValue) {
        assertThat(tag).as("tag of %s", name).isNotBlank();
        assertThat(tagValue).as("value of the tag %s of %s", tag, name).isNotBlank();
    }
}
