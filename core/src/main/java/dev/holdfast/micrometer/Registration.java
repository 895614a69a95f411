/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.internal.Interrupts;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.micrometer.Sum.Asked;
import dev.holdfast.micrometer.Sum.Source;
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
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Meters that are added and removed together, with their shared tags. A meter that the registry refuses is logged, and its
 * counts are shown nowhere: metrics break no call. Safe for any number of threads.
 */
final class Registration {
    private static final String PREFIX = "holdfast.";

    /** A meter, and what it polls for this registration. */
    private record Used(Meter meter, Source source) {}

    /** What the registry has refused. */
    private record Refused(Asked asked, Source source, Function<Sum, ? extends Meter> registering) {}

    // Not a monitor: the registry and the log wait for locks of others, and a virtual thread would keep its carrier.
    private final ShortLock lock = new ShortLock();
    private final MeterRegistry registry;
    private final Shared uses;
    private final Tags shared;
    private final List<Used> meters = new ArrayList<>();
    private final List<Refused> refused = new ArrayList<>();
    private boolean ended;

    Registration(Shared uses, Tags shared) {
        this.registry = uses.registry();
        this.uses = uses;
        this.shared = shared;
    }

    static String tag(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    Timing timing(String name, String description, String... tags) {
        Timing timing = new Timing();
        Asked asked = asked(name, Tags.of(tags));
        register(
                asked,
                timing,
                sum -> FunctionTimer.builder(asked.name(), sum, Sum::count, Sum::total, TimeUnit.NANOSECONDS)
                        .description(description)
                        .tags(asked.tags())
                        .register(registry));
        return timing;
    }

    /** A timer that the caller records in; empty if the registry refuses it. */
    Optional<Timer> timer(String name, Timer.Builder builder, Tags tags) {
        Asked asked = asked(name, tags);
        // Nothing is polled: the timer is told.
        Source told = new Timing();
        Meter meter = register(asked, told, sum -> builder.tags(asked.tags()).register(registry));
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
        Asked asked = asked(name, tags);
        register(
                asked,
                total::getAsLong,
                sum -> FunctionCounter.builder(asked.name(), sum, Sum::total)
                        .description(description)
                        .tags(asked.tags())
                        .register(registry));
    }

    private void gauge(String name, String description, Tags tags, DoubleSupplier value) {
        Asked asked = asked(name, tags);
        register(
                asked,
                value::getAsDouble,
                sum -> Gauge.builder(asked.name(), sum, Sum::latest)
                        .description(description)
                        .tags(asked.tags())
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

    private Asked asked(String name, Tags tags) {
        return new Asked(PREFIX + name, shared.and(tags));
    }

    private @Nullable Meter register(Asked asked, Source source, Function<Sum, ? extends Meter> registering) {
        lock.lock();
        try {
            if (ended) {
                return null;
            }
            Meter meter = uses.use(asked, source, registering);
            meters.add(new Used(meter, source));
            return meter;
        } catch (VirtualMachineError notNow) {
            throw notNow; // the next event asks again
        } catch (Throwable refusal) {
            Interrupts.keep(refusal);
            uses.refused(asked, refusal);
            refused.add(new Refused(asked, source, registering));
            return null;
        } finally {
            lock.unlock();
        }
    }

    /** Asks once more for what the registry has refused. */
    void askAgain() {
        lock.lock();
        try {
            // One that is refused again comes last.
            for (int left = refused.size(); left > 0; left--) {
                Refused next = refused.get(0);
                register(next.asked, next.source, next.registering);
                refused.remove(0);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Removes every meter, except for those that have other sources. Later registrations do nothing. */
    void end() {
        lock.lock();
        try {
            ended = true;
            meters.forEach(used -> uses.leave(used.meter, used.source));
            meters.clear();
            refused.clear();
        } finally {
            lock.unlock();
        }
    }
}
