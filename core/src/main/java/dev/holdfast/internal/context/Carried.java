/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.context;

import dev.holdfast.Deadline;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The deadline and the number of the attempt in a context that goes from thread to thread, such as Reactor's. */
public final class Carried {
    /** The key in a context, the same as with Micrometer's context-propagation. */
    public static final String KEY = "holdfast.deadline";

    private Carried() {}

    /**
     * Runs this with what a context has, or with what holds on the thread if its deadline is shorter.
     *
     * @param value that of the key; what is no binding, such as null, is left alone
     */
    public static <R> R inherit(@Nullable Object value, Supplier<R> begin) {
        if (!(value instanceof Deadline.Binding carried)) {
            return begin.get();
        }
        Deadline.Binding before = Deadline.Binding.current();
        Optional<Duration> here = Deadline.remaining();
        Deadline.Binding.set(carried);
        try {
            Optional<Duration> there = Deadline.remaining();
            if (here.isPresent() && (there.isEmpty() || here.get().compareTo(there.get()) < 0)) {
                Deadline.Binding.restore(before);
            }
            return begin.get();
        } finally {
            Deadline.Binding.restore(before);
        }
    }
}
