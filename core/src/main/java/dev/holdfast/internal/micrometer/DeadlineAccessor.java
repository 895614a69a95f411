/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.micrometer;

import dev.holdfast.Deadline;
import dev.holdfast.internal.context.Carried;
import io.micrometer.context.ThreadLocalAccessor;
import org.jspecify.annotations.Nullable;

/**
 * Carries the deadline and the number of the attempt with Micrometer's context-propagation. An executor that is wrapped with
 * it then does what {@link Deadline#propagating} does. Registered automatically.
 */
public final class DeadlineAccessor implements ThreadLocalAccessor<Deadline.Binding> {
    /** The key in a snapshot. */
    public static final String KEY = Carried.KEY;

    /** For the service loader, and for your own registries. */
    public DeadlineAccessor() {}

    @Override
    public Object key() {
        return KEY;
    }

    @Override
    public Deadline.@Nullable Binding getValue() {
        return Deadline.Binding.current();
    }

    @Override
    public void setValue(Deadline.Binding value) {
        Deadline.Binding.set(value);
    }

    @Override
    public void setValue() {
        Deadline.Binding.set(null);
    }

    @Override
    public void restore(Deadline.Binding previous) {
        Deadline.Binding.restore(previous);
    }

    @Override
    public void restore() {
        Deadline.Binding.restore(null);
    }
}
