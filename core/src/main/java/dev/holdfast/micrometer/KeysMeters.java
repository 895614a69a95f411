/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import static dev.holdfast.micrometer.Registration.tag;

import dev.holdfast.Outcome;
import dev.holdfast.spi.CallObserver.Keys;
import io.micrometer.core.instrument.Tags;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The meters that all instances of a pipeline for each key have in common. Those of an instance go with it, and begin at zero when
 * it comes back: of calls that are rare for each key, they tell nothing. These go on, and begin at zero before the first call.
 * Those of one name are counted together.
 */
final class KeysMeters {
    private final Registration registration;
    private final Cells<Outcome, LongAdder> calls;

    /** Under the observer's lock; the last is shown. */
    private final Set<Keys> open = new LinkedHashSet<>();

    private volatile @Nullable Keys shown;

    KeysMeters(Shared meters, String name) {
        registration = new Registration(meters, Tags.of("pipeline", name));
        calls = new Cells<>(
                Outcome.class,
                outcome -> registration.counter(
                        "keyed.calls", "Calls of all instances, by how they ended", "outcome", tag(outcome)));
        for (Outcome outcome : Outcome.values()) {
            calls.of(outcome);
        }
        registration
                .ofPipeline()
                .gauge("keyed.instances", "Instances, without the one that further keys share", () -> show(Keys::size));
        registration
                .ofPipeline()
                .gauge("keyed.instances.max", "The most instances; further keys share one", () -> show(Keys::max));
    }

    private double show(ToIntFunction<Keys> number) {
        Keys keys = shown;
        return keys == null ? Double.NaN : number.applyAsInt(keys);
    }

    KeysMeters with(Keys keys) {
        if (open.add(keys)) {
            shown = keys;
        }
        return this;
    }

    /** Returns whether these were the last of the name. */
    boolean end(Keys keys) {
        open.remove(keys);
        if (open.isEmpty()) {
            registration.end();
            return true;
        }
        open.forEach(left -> shown = left);
        return false;
    }

    void callSettled(Outcome outcome) {
        calls.of(outcome).increment();
    }
}
