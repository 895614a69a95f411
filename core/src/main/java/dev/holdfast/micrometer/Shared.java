/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.IdentityHashMap;

/**
 * How often each meter is in use. A filter of the user's may drop a tag, so that two pipelines get one meter: it goes with the
 * last of them. Safe for any number of threads.
 */
final class Shared {
    private final IdentityHashMap<Meter, Integer> uses = new IdentityHashMap<>();

    synchronized void use(Meter meter) {
        uses.merge(meter, 1, Integer::sum);
    }

    synchronized void leave(Meter meter, MeterRegistry registry) {
        if (uses.merge(meter, -1, (before, less) -> before > 1 ? before + less : null) == null) {
            registry.remove(meter);
        }
    }
}
