/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.internal.ShortLock;
import dev.holdfast.spi.CallObserver.Histograms;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The histograms of one pipeline's calls and attempts, which a reload may exchange. Buckets and percentiles have a timer each:
 * in Prometheus, the first is a histogram and the second a summary, and one name must not be both.
 *
 * <p>Safe for any number of threads.
 */
final class Latencies {
    private record Followed(Timing timing, String name, Tags tags) {}

    // Not a monitor: the registry waits for locks of others, and a virtual thread would keep its carrier.
    private final ShortLock lock = new ShortLock();
    private final Supplier<Registration> registrations;
    private final List<Followed> followed = new ArrayList<>();
    private Optional<Histograms> shown = Optional.empty();
    private Registration registration;

    Latencies(Supplier<Registration> registrations) {
        this.registrations = registrations;
        this.registration = registrations.get();
    }

    /** Shows what this timing is given, as long as there are histograms. */
    void follow(Timing timing, String name, Tags tags) {
        Followed one = new Followed(timing, name, tags);
        lock.lock();
        try {
            followed.add(one);
            register(one);
        } finally {
            lock.unlock();
        }
    }

    /** Replaces what is shown. If it is the same, it goes on. */
    void show(Optional<Histograms> histograms) {
        lock.lock();
        try {
            if (!histograms.equals(shown)) {
                // First away, then new: at no time has a name two kinds of buckets.
                registration.end();
                registration = registrations.get();
                shown = histograms;
                followed.forEach(this::register);
            }
        } finally {
            lock.unlock();
        }
    }

    void end() {
        lock.lock();
        try {
            registration.end();
        } finally {
            lock.unlock();
        }
    }

    private void register(Followed one) {
        List<Timer> timers = new ArrayList<>();
        shown.ifPresent(histograms -> {
            if (!histograms.slo().isEmpty() || histograms.percentileHistogram()) {
                timer(one, ".latency", buckets(histograms)).ifPresent(timers::add);
            }
            if (!histograms.percentiles().isEmpty()) {
                timer(one, ".percentiles", percentiles(histograms)).ifPresent(timers::add);
            }
        });
        one.timing.histograms(timers);
    }

    private Optional<Timer> timer(Followed one, String suffix, Maker maker) {
        String name = one.name + suffix;
        return registration.timer(name, maker.make(Timer.builder(Registration.full(name))), one.tags);
    }

    /** Says what a timer shows. */
    private interface Maker {
        Timer.Builder make(Timer.Builder builder);
    }

    private static Maker buckets(Histograms histograms) {
        return builder -> builder.description("How long calls or attempts took, in buckets")
                .serviceLevelObjectives(histograms.slo().toArray(new Duration[0]))
                .publishPercentileHistogram(histograms.percentileHistogram())
                .minimumExpectedValue(histograms.minimumExpectedValue())
                .maximumExpectedValue(histograms.maximumExpectedValue());
    }

    private static Maker percentiles(Histograms histograms) {
        return builder -> builder.description("How long calls or attempts took, as percentiles of this process")
                .publishPercentiles(histograms.percentiles().stream()
                        .mapToDouble(Double::doubleValue)
                        .toArray())
                .minimumExpectedValue(histograms.minimumExpectedValue())
                .maximumExpectedValue(histograms.maximumExpectedValue());
    }
}
