/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.internal.SafeLog;
import dev.holdfast.micrometer.Sum.Asked;
import dev.holdfast.micrometer.Sum.Source;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.IdentityHashMap;
import java.util.function.Function;

/**
 * What each meter of a registry polls. A meter whose source is exchanged stays in the registry, so that no scrape misses it or
 * sees it twice; it goes with its last source. Safe for any number of threads.
 */
final class Shared {
    private final MeterRegistry registry;
    private final SafeLog log;
    // Micrometer refers to what it polls only weakly: here it is kept.
    private final IdentityHashMap<Meter, Sum> sums = new IdentityHashMap<>();
    private boolean told;

    Shared(MeterRegistry registry, SafeLog log) {
        this.registry = registry;
        this.log = log;
    }

    MeterRegistry registry() {
        return registry;
    }

    /** Registers a meter that polls the sum that is given, or adds the source to the meter that this registry has already. */
    synchronized Meter use(Asked asked, Source source, Function<Sum, ? extends Meter> registering) {
        Sum made = new Sum();
        // Filled before it can be polled.
        made.put(asked, source);
        Meter meter = registering.apply(made);
        Sum known = sums.putIfAbsent(meter, made);
        if (known != null) {
            known.put(asked, source);
            if (known.size() > 1 && meter instanceof Gauge && !told) {
                told = true;
                log.warn(
                        "the registry's filters make one meter of several, such as " + asked.name() + " " + asked.tags()
                                + ": counts and times are added, but a gauge shows the latest alone",
                        null);
            }
        }
        return meter;
    }

    synchronized void leave(Meter meter, Source source) {
        Sum sum = sums.get(meter);
        if (sum != null && sum.leave(source)) {
            sums.remove(meter);
            registry.remove(meter);
        }
    }
}
