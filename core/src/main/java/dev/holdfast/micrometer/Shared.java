/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.internal.Interrupts;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.micrometer.Sum.Asked;
import dev.holdfast.micrometer.Sum.Source;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * What each meter of a registry polls. A meter whose source is exchanged stays in the registry, so that no scrape misses it or
 * sees it twice; it goes with its last source. Safe for any number of threads.
 */
final class Shared {
    // Not a monitor: the registry and the log wait for locks of others, and a virtual thread would keep its carrier.
    private final ShortLock lock = new ShortLock();
    private final MeterRegistry registry;
    private final SafeLog log;
    // Micrometer refers to what it polls only weakly: here it is kept.
    private final IdentityHashMap<Meter, Sum> sums = new IdentityHashMap<>();
    private final Map<Asked, Meter> known = new HashMap<>();
    private boolean told;
    private final AtomicBoolean refused = new AtomicBoolean();

    Shared(MeterRegistry registry, SafeLog log) {
        this.registry = registry;
        this.log = log;
    }

    MeterRegistry registry() {
        return registry;
    }

    /** Logs that the registry refuses a meter. A filter that throws does so for each: the first alone has its stack trace. */
    void refused(Asked asked, Throwable refusal) {
        String message = "the registry refuses " + asked.name() + " " + asked.tags();
        if (refused.compareAndSet(false, true)) {
            log.warn(message, refusal);
        } else {
            log.warn(message + ", too: " + refusal.getClass().getName(), null);
        }
    }

    /** Registers a meter that polls the sum that is given, or adds the source to the meter that this registry has already. */
    Meter use(Asked asked, Source source, Function<Sum, ? extends Meter> registering) {
        lock.lock();
        try {
            return used(asked, source, registering);
        } finally {
            lock.unlock();
        }
    }

    private Meter used(Asked asked, Source source, Function<Sum, ? extends Meter> registering) {
        Meter already = known.get(asked);
        Sum itsSum = already == null ? null : sums.get(already);
        if (already != null && itsSum != null) {
            // Not asked for again: Micrometer warns of a gauge that is.
            itsSum.put(asked, source);
            return already;
        }
        Sum made = new Sum();
        // Filled before it can be polled.
        made.put(asked, source);
        Meter meter = registering.apply(made);
        known.put(asked, meter);
        Sum before = sums.putIfAbsent(meter, made);
        if (before != null) {
            before.put(asked, source);
            if (before.size() > 1 && meter instanceof Gauge && !told) {
                told = true;
                log.warn(
                        "the registry's filters make one meter of several, such as " + asked.name() + " " + asked.tags()
                                + ": counts and times are added, but a gauge shows the latest alone",
                        null);
            }
        }
        return meter;
    }

    /** A listener of the user's that throws must not keep the other meters. */
    private void remove(Meter meter, Sum sum) {
        try {
            registry.remove(meter);
        } catch (Throwable thrown) {
            Interrupts.keep(thrown);
            log.warn("the registry threw when " + meter.getId() + " was removed", thrown);
            if (registry.getMeters().contains(meter)) {
                sums.put(meter, sum); // whoever asks for it next gets it again
            }
        }
    }

    void leave(Meter meter, Source source) {
        lock.lock();
        try {
            Sum sum = sums.get(meter);
            Asked gone = sum == null ? null : sum.leave(source);
            if (gone != null) {
                known.remove(gone);
            }
            if (sum != null && sum.size() == 0) {
                sums.remove(meter);
                remove(meter, sum);
            }
        } finally {
            lock.unlock();
        }
    }
}
