/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.Meters;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Meters that are added and removed together, with their shared tags. A meter that the registry refuses is logged, and its
 * counts are shown nowhere: metrics break no call. Safe for any number of threads.
 */
final class Registration {
    private static final SafeLog LOG = SafeLog.of("dev.holdfast.micrometer");
    private static final String PREFIX = "holdfast.";

    private final MeterRegistry registry;
    private final Shared uses;
    private final Tags shared;
    private final List<Meter> meters = new ArrayList<>();
    // Micrometer refers to the polled objects only weakly, and nothing else refers to a lambda.
    private final List<Object> polled = new ArrayList<>();
    private boolean ended;

    Registration(MeterRegistry registry, Shared uses, Tags shared) {
        this.registry = registry;
        this.uses = uses;
        this.shared = shared;
    }

    static String tag(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    Timing timing(String name, String description, String... tags) {
        Timing timing = new Timing();
        register(
                name,
                timing,
                () -> FunctionTimer.builder(PREFIX + name, timing, Timing::count, Timing::nanos, TimeUnit.NANOSECONDS)
                        .description(description)
                        .tags(shared.and(tags))
                        .register(registry));
        return timing;
    }

    /** A timer that the caller records in; empty if the registry refuses it. */
    Optional<Timer> timer(String name, Timer.Builder builder, Tags tags) {
        Meter meter =
                register(name, builder, () -> builder.tags(shared.and(tags)).register(registry));
        return Optional.ofNullable((Timer) meter);
    }

    /** The name that users see. */
    static String full(String name) {
        return PREFIX + name;
    }

    LongAdder counter(String name, String description, String... tags) {
        LongAdder adder = new LongAdder();
        counter(name, description, Tags.of(tags), adder::sum);
        return adder;
    }

    private void counter(String name, String description, Tags tags, LongSupplier total) {
        register(
                name,
                total,
                () -> FunctionCounter.builder(PREFIX + name, total, LongSupplier::getAsLong)
                        .description(description)
                        .tags(shared.and(tags))
                        .register(registry));
    }

    private void gauge(String name, String description, Tags tags, DoubleSupplier value) {
        register(
                name,
                value,
                () -> Gauge.builder(PREFIX + name, value, DoubleSupplier::getAsDouble)
                        .description(description)
                        .tags(shared.and(tags))
                        .register(registry));
    }

    /** Receives the gauges and totals of the policies of this name. */
    Meters of(String policy) {
        return meters(Tags.of("policy", policy));
    }

    /** Receives the gauges of the pipeline itself. */
    Meters ofPipeline() {
        return meters(Tags.empty());
    }

    private Meters meters(Tags own) {
        return new Meters() {
            @Override
            public void gauge(String name, String description, DoubleSupplier value) {
                Registration.this.gauge(name, description, own, value);
            }

            @Override
            public void gauge(String name, String description, String tag, String tagValue, DoubleSupplier value) {
                Registration.this.gauge(name, description, own.and(tag, tagValue), value);
            }

            @Override
            public void counter(String name, String description, LongSupplier total) {
                Registration.this.counter(name, description, own, total);
            }

            @Override
            public void counter(String name, String description, String tag, String tagValue, LongSupplier total) {
                Registration.this.counter(name, description, own.and(tag, tagValue), total);
            }
        };
    }

    private synchronized @Nullable Meter register(String name, Object source, Supplier<? extends Meter> registering) {
        if (ended) {
            return null;
        }
        try {
            Meter meter = registering.get();
            uses.use(meter);
            meters.add(meter);
            polled.add(source);
            return meter;
        } catch (RuntimeException refusal) {
            LOG.warn("the registry refuses " + PREFIX + name + " " + shared, refusal);
            return null;
        }
    }

    /** Removes every meter. Later registrations do nothing. */
    synchronized void end() {
        ended = true;
        meters.forEach(meter -> uses.leave(meter, registry));
        meters.clear();
        polled.clear();
    }
}
