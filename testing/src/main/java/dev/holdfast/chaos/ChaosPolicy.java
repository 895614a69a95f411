/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.chaos;

import dev.holdfast.CheckedSupplier;
import dev.holdfast.internal.Causes;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Passage.Fault;
import dev.holdfast.spi.Policy;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Simulates an ill dependency: some attempts are slow, fail, answer something else or hang. It stands innermost. For tests
 * and staging: it must be {@linkplain ChaosSettings.Builder#enabled enabled} explicitly, and logs a warning.
 *
 * <p>For the policies around it, a fault is an attempt like any other: limits strike it, the breaker counts it, the
 * classifier judges it. It holds no thread of an asynchronous call, and in a blocking call it heeds the interrupt. Any thread
 * can change the faults and switch them off while calls run. A fault that has begun goes on.
 *
 * <pre>{@code
 * ChaosPolicy chaos = ChaosPolicy.of(c -> c.enabled(true).seed(42).errorRate(0.1).hangRate(0.01));
 * chaos.change(c -> c.errorRate(0.5));
 * chaos.off();
 * }</pre>
 */
public final class ChaosPolicy extends Policy {
    private enum Kind {
        LATENCY,
        ERROR,
        RESULT,
        HANG
    }

    /** The golden ratio: neighbouring attempts start from seeds that are far apart, as SplittableRandom's own do. */
    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    private final AtomicLong draws = new AtomicLong();
    private final Map<Kind, LongAdder> injected = new EnumMap<>(Kind.class);

    // Volatile: attempts on other threads that begin after a change use it.
    private volatile ChaosSettings settings;
    private volatile boolean on = true;

    private ChaosPolicy(ChaosSettings settings) {
        super("chaos", ENTER | ATTEMPTS);
        this.settings = settings;
        for (Kind kind : Kind.values()) {
            injected.put(kind, new LongAdder());
        }
    }

    /** Chaos with these settings. */
    public static ChaosPolicy of(ChaosSettings settings) {
        return new ChaosPolicy(Objects.requireNonNull(settings, "settings"));
    }

    /**
     * Chaos with the defaults, changed by this; at least {@code enabled(true)} and one rate.
     *
     * @throws dev.holdfast.spi.InvalidSettingsException if it is not enabled, or a value is out of range
     */
    public static ChaosPolicy of(Consumer<? super ChaosSettings.Builder> configure) {
        return of(ChaosSettings.of(configure));
    }

    /** The settings that hold now. */
    public ChaosSettings settings() {
        return settings;
    }

    @Override
    public Map<String, Object> settingsMap() {
        return settings.asMap();
    }

    /**
     * Changes the settings for attempts that begin from now on. With a {@code seed}, also the same one, the random sequence starts
     * again.
     *
     * @throws dev.holdfast.spi.InvalidSettingsException if they are invalid; then nothing is changed
     */
    public synchronized void change(Consumer<? super ChaosSettings.Builder> configure) {
        ChaosSettings.Builder builder = settings.toBuilder();
        configure.accept(builder);
        settings = builder.build();
        if (builder.seeded) {
            draws.set(0);
        }
        tell();
    }

    /** Injects faults again. */
    public synchronized void on() {
        on = true;
        tell();
    }

    /** Injects nothing from now on. */
    public synchronized void off() {
        on = false;
        tell();
    }

    /** Whether faults are injected. */
    public boolean isOn() {
        return on;
    }

    /** How many faults have been injected into attempts. */
    public long injected() {
        return injected.values().stream().mapToLong(LongAdder::sum).sum();
    }

    private void tell() {
        SafeLog.of("dev.holdfast").warn(on ? "chaos is on: " + settings : "chaos is off", null);
    }

    @Override
    public Timing timing() {
        return Timing.NONE;
    }

    @Override
    public int enter(Passage passage) {
        if (on) {
            ChaosSettings now = settings;
            SplittableRandom random = new SplittableRandom(now.seed() + GAMMA * draws.incrementAndGet());
            Kind kind = draw(now, random.nextDouble());
            if (kind != null) {
                passage.inject(fault(kind, now, random, passage.pipeline()));
                passage.object(kind);
            }
        }
        return PROCEED;
    }

    /** Only now: there may be no attempt, such as in a call that is answered from a cache further in. */
    @Override
    public void attemptStarts(Passage passage) {
        if (passage.object() instanceof Kind kind) {
            passage.object(null);
            Objects.requireNonNull(injected.get(kind)).increment();
        }
    }

    private static @Nullable Kind draw(ChaosSettings settings, double draw) {
        double left = draw - settings.latencyRate();
        if (left < 0) {
            return Kind.LATENCY;
        }
        if ((left -= settings.errorRate()) < 0) {
            return Kind.ERROR;
        }
        if ((left -= settings.resultRate()) < 0) {
            return Kind.RESULT;
        }
        return left < settings.hangRate() ? Kind.HANG : null;
    }

    private static Fault fault(Kind kind, ChaosSettings settings, SplittableRandom random, String pipeline) {
        return switch (kind) {
            case LATENCY ->
                Fault.delay(random.nextLong(
                        settings.minLatency().toNanos(), settings.maxLatency().toNanos() + 1));
            case ERROR -> Fault.instead(failing(settings.error(), pipeline));
            case RESULT -> Fault.instead(Objects.requireNonNull(settings.result())::get);
            case HANG -> Fault.hang();
        };
    }

    private static CheckedSupplier<?, ?> failing(@Nullable Supplier<? extends Throwable> error, String pipeline) {
        return () -> {
            throw Causes.<RuntimeException>asItIs(
                    error == null
                            ? new ChaosException(pipeline)
                            : Objects.requireNonNull(
                                    error.get(), () -> "the error of the chaos of '" + pipeline + "' gave null"));
        };
    }

    @Override
    public void meters(Meters meters) {
        injected.forEach((kind, total) -> meters.counter(
                "chaos.injected",
                "Faults that were injected",
                "kind",
                kind.name().toLowerCase(Locale.ROOT),
                total::sum));
    }

    /** In the log, so that everyone who reads it sees why calls fail. */
    @Override
    public List<String> warnings() {
        return List.of("chaos-enabled: attempts are made to fail on purpose, " + settings
                + "; take it out wherever callers are real");
    }

    /** The error that chaos injects by default. Has no stack trace, because the place of the throw says nothing. */
    public static final class ChaosException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        ChaosException(String pipeline) {
            super("chaos of '" + pipeline + "' injected an error", null, false, false);
        }
    }
}
