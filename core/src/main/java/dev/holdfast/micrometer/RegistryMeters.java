/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.CallObserver.Keys;
import dev.holdfast.spi.CallObserver.Observed;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.lang.ref.WeakReference;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The meters of all pipelines in one registry, whichever observer the pipelines have: two observers of a registry are as one.
 * Safe for any number of threads.
 */
final class RegistryMeters {
    private static final SafeLog LOG = SafeLog.of("dev.holdfast.micrometer");
    private static final CallObserver NOTHING = new CallObserver() {};

    /** Both weak: an observer keeps its part, and that keeps the registry. */
    private static final Map<MeterRegistry, WeakReference<RegistryMeters>> ALL = new WeakHashMap<>();

    // Not a monitor: the registry waits for locks of others, and a virtual thread would keep its carrier.
    private final ShortLock lock = new ShortLock();
    private final MeterRegistry registry;
    private final Shared shared;
    private final Map<String, PipelineMeters> pipelines = new ConcurrentHashMap<>();
    /** The pipelines that are open, and the observer that counts for each of them. */
    private final IdentityHashMap<Observed, MicrometerObserver> open = new IdentityHashMap<>();

    private final Map<String, KeysMeters> ofKeys = new HashMap<>();
    /** Removed with the last pipeline. */
    private final Set<Meter> reloads = new HashSet<>();
    /** The configurations that are refused. */
    private final Set<Object> refused = Collections.newSetFromMap(new IdentityHashMap<>());
    /** Polled without the lock. */
    private volatile boolean anyRefused;

    private RegistryMeters(MeterRegistry registry) {
        this.registry = registry;
        shared = new Shared(registry, LOG);
    }

    static RegistryMeters of(MeterRegistry registry) {
        synchronized (ALL) {
            WeakReference<RegistryMeters> known = ALL.get(registry);
            RegistryMeters meters = known == null ? null : known.get();
            if (meters == null) {
                meters = new RegistryMeters(registry);
                ALL.put(registry, new WeakReference<>(meters));
            }
            return meters;
        }
    }

    /** A pipeline that has two observers of this registry is counted once. */
    void open(Observed pipeline, MicrometerObserver by) {
        lock.lock();
        try {
            if (open.putIfAbsent(pipeline, by) == null) {
                Keys keys = pipeline.keys();
                pipelines
                        .computeIfAbsent(pipeline.name(), name -> new PipelineMeters(shared, name))
                        .open(pipeline, keys == null ? null : of(keys));
            }
        } finally {
            lock.unlock();
        }
    }

    private KeysMeters of(Keys keys) {
        return ofKeys.computeIfAbsent(keys.name(), name -> new KeysMeters(shared, name))
                .with(keys);
    }

    void close(Keys keys) {
        lock.lock();
        try {
            KeysMeters meters = ofKeys.get(keys.name());
            if (meters != null && meters.end(keys)) {
                ofKeys.remove(keys.name());
            }
        } finally {
            lock.unlock();
        }
    }

    CallObserver of(Observed pipeline, MicrometerObserver by) {
        lock.lock();
        try {
            return countsFor(pipeline, by) ? named(pipeline.name()) : NOTHING;
        } finally {
            lock.unlock();
        }
    }

    void replace(Observed pipeline, MicrometerObserver by) {
        lock.lock();
        try {
            PipelineMeters meters = pipelines.get(pipeline.name());
            if (meters != null && countsFor(pipeline, by)) {
                meters.replace(pipeline);
            }
        } finally {
            lock.unlock();
        }
    }

    void close(Observed pipeline, MicrometerObserver by) {
        lock.lock();
        try {
            if (countsFor(pipeline, by)) {
                closed(pipeline);
            }
        } finally {
            lock.unlock();
        }
    }

    private void closed(Observed pipeline) {
        open.remove(pipeline);
        PipelineMeters meters = pipelines.get(pipeline.name());
        if (meters != null && meters.close(pipeline)) {
            pipelines.remove(pipeline.name());
        }
        if (pipelines.isEmpty()) {
            reloads.forEach(registry::remove);
            reloads.clear();
        }
    }

    @SuppressWarnings("ReferenceEquality") // the very observer
    private boolean countsFor(Observed pipeline, MicrometerObserver by) {
        return open.get(pipeline) == by;
    }

    /** The meters of the pipelines of this name. A call may end after its pipeline was closed: then there are none. */
    CallObserver named(String pipeline) {
        PipelineMeters meters = pipelines.get(pipeline);
        return meters != null ? meters : NOTHING;
    }

    void configurationRead(Object configuration, boolean applied, MicrometerObserver by) {
        lock.lock();
        try {
            if (applied) {
                refused(configuration, false);
            }
            // Else all is closed, and nobody would remove the meters; or another observer of this registry counts.
            if (open.containsValue(by)) {
                reloaded(configuration, applied);
            }
        } finally {
            lock.unlock();
        }
    }

    private void reloaded(Object configuration, boolean applied) {
        Counter counter = Counter.builder("holdfast.reloads")
                .description("Times that the configuration was read again")
                .tag("result", applied ? "applied" : "refused")
                .register(registry);
        counter.increment();
        reloads.add(counter);
        if (!applied) {
            refused(configuration, true);
        }
        if (registry.find("holdfast.configuration.refused").gauge() == null) {
            reloads.add(Gauge.builder("holdfast.configuration.refused", this, meters -> meters.anyRefused ? 1 : 0)
                    .description("1 while the last change of the configuration is refused")
                    .register(registry));
        }
    }

    void configurationClosed(Object configuration) {
        lock.lock();
        try {
            refused(configuration, false);
        } finally {
            lock.unlock();
        }
    }

    private void refused(Object configuration, boolean is) {
        if (is) {
            refused.add(configuration);
        } else {
            refused.remove(configuration);
        }
        anyRefused = !refused.isEmpty();
    }
}
