/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import dev.holdfast.Reason;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Stripes;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.throttling.internal.engine.Gcra;
import dev.holdfast.throttling.internal.resilience4j.ExistingRateLimiterPolicy;
import io.github.resilience4j.ratelimiter.RateLimiter;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Limits how many calls start in a time, so that a dependency gets no more than it was promised.
 *
 * <p>Smooth: calls are spaced evenly, with a burst after a quiet time, and there is no edge of a cycle at which twice the
 * limit could start (GCRA). A call that is too early reserves its place and waits for it, for at most {@code maxWait}; if
 * that, or the time that the call has left, is too short, it is turned away at once with {@link Reason#THROTTLED} and the
 * time after which to try again. A reservation is given back if the call is given up while it waits, or if nothing inside
 * this layer was started.
 *
 * <p>Safe for any number of threads; one instance for one dependency. Allocates nothing on a call that is let through.
 */
public final class ThrottlePolicy extends Policy {
    /** How often a call asks before it believes that it is too early. */
    private static final int MOST_TRIES = 8;

    private final ThrottleSettings settings;
    private final Gcra gcra;
    private final long maxWaitNanos;
    // Off the path of a call that is let through at once.
    private LongAdder rejected = new LongAdder();
    private LongAdder waited = new LongAdder();
    private LongAdder givenBack = new LongAdder();
    /** The time of the pipeline that was built last with it; null before there is one. */
    private volatile @Nullable TimeSource time;

    private ThrottlePolicy(ThrottleSettings settings) {
        super("throttle", ENTER | FAILURE);
        this.settings = settings;
        gcra = new Gcra(settings.limit(), settings.per().toNanos(), settings.burst());
        maxWaitNanos = settings.maxWait().toNanos();
    }

    /**
     * A throttle whose settings differ from the defaults in what the function sets.
     *
     * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of range
     */
    public static ThrottlePolicy of(Consumer<? super ThrottleSettings.Builder> changes) {
        return of(ThrottleSettings.of(changes));
    }

    /** A throttle with these settings. */
    public static ThrottlePolicy of(ThrottleSettings settings) {
        return new ThrottlePolicy(settings);
    }

    /** A throttle of 50 calls a second, of which 5 may start at once, that holds none back. */
    public static ThrottlePolicy ofDefaults() {
        return of(ThrottleSettings.builder().build());
    }

    /**
     * An existing rate limiter of resilience4j, which stays shared with whatever else uses it.
     *
     * <p>A call waits for at most the limiter's own {@code timeoutDuration}; a call that is turned away has resilience4j's
     * {@code RequestNotPermitted} as the cause. A limiter of resilience4j cannot take a reservation back: the permission of
     * a call that is given up while it waits, or that an inner layer turns away, is lost.
     *
     * @throws IllegalArgumentException if the limiter knows no reservations (resilience4j's {@code
     *     SemaphoreBasedRateLimiter}): it could only block the calling thread
     */
    public static Policy of(RateLimiter existing) {
        return new ExistingRateLimiterPolicy(existing);
    }

    @Override
    public Timing timing() {
        return Timing.NONE;
    }

    @Override
    public int enter(Passage passage) {
        long reservation = gcra.reserve(passage.now(), 0, Stripes.current());
        if (reservation == Gcra.NONE) {
            return notAtOnce(passage);
        }
        passage.slot(reservation);
        return PROCEED;
    }

    /**
     * The thread may have lost the processor since the call's time was read, while others moved the line on: nobody is turned
     * away or held back for that, and so what was said no to is asked again by the time that it is.
     */
    private int notAtOnce(Passage passage) {
        long late = lateness(passage.now());
        for (int tries = 1; ; tries++) {
            long now = passage.now() + late;
            // A wait that leaves no time for the attempt is futile; a call that need not wait is never futile here.
            long longest = Math.max(0, Math.min(maxWaitNanos, passage.remaining() - 1 - late));
            long reservation = gcra.reserve(now, longest, Stripes.current());
            if (reservation != Gcra.NONE) {
                return admitted(passage, reservation, now, late);
            }
            // The thread may have lost the processor just now, too.
            long later = lateness(passage.now());
            if (later - late < gcra.untilFree(now) || tries == MOST_TRIES) {
                return turnAway(passage, now);
            }
            late = later;
        }
    }

    private int admitted(Passage passage, long reservation, long now, long late) {
        passage.slot(reservation);
        long wait = gcra.waitNanos(reservation, now);
        if (wait == 0) {
            return PROCEED;
        }
        waited.increment();
        return passage.pause(wait + late); // a pause is counted from the call's own time
    }

    private long lateness(long now) {
        TimeSource bound = time;
        return bound == null ? 0 : Math.max(0, bound.nanos() - now);
    }

    private int turnAway(Passage passage, long now) {
        rejected.increment();
        long wait = gcra.untilFree(now);
        String pipeline = passage.pipeline();
        return passage.reject(
                Reason.THROTTLED,
                wait,
                () -> "throttle of '" + pipeline + "' lets " + settings.limit() + " calls start in "
                        + Checks.text(settings.per()) + ", the next one in " + Checks.inMillis(wait),
                null);
    }

    @Override
    public int settle(Passage passage) {
        if (!passage.started()) {
            giveBack(passage);
        }
        return KEEP;
    }

    @Override
    public void abandon(Passage passage) {
        giveBack(passage);
    }

    private void giveBack(Passage passage) {
        long reservation = passage.slot();
        if (reservation != Gcra.NONE) {
            passage.slot(Gcra.NONE);
            gcra.giveBack(reservation); // first, since all else may throw
            givenBack.increment();
        }
    }

    @Override
    public void bind(String pipeline, TimeSource pipelineTime) {
        time = pipelineTime;
    }

    /** The totals, and no more calls that may start at once than the other one had. */
    @Override
    public void takeOver(Policy previous) {
        if (previous instanceof ThrottlePolicy throttle) {
            rejected = throttle.rejected;
            waited = throttle.waited;
            givenBack = throttle.givenBack;
            gcra.startWith(throttle.gcra.available(nanos()), nanos());
        }
    }

    @Override
    public List<String> warnings() {
        return settings.warnings();
    }

    @Override
    public void meters(Meters meters) {
        meters.gauge("throttle.available", "Calls that could start at once now", this::available);
        meters.counter("throttle.rejected", "Calls that were turned away", rejected::sum);
        meters.counter("throttle.waited", "Calls that were held back", waited::sum);
        meters.counter("throttle.given.back", "Reservations that were not used", givenBack::sum);
    }

    /** The settings that this throttle was made with. */
    public ThrottleSettings settings() {
        return settings;
    }

    /** How many calls could start at once now: 0 to the burst. By the clock of the pipeline that was built last with it. */
    public int available() {
        return (int) gcra.available(nanos());
    }

    /** How long a call that came now would have to wait, in nanoseconds. */
    long untilFree() {
        return gcra.untilFree(nanos());
    }

    private long nanos() {
        TimeSource bound = time;
        return (bound == null ? TimeSource.system() : bound).nanos();
    }

    /** How many calls were turned away so far. */
    public long rejected() {
        return rejected.sum();
    }

    /** How many calls were held back so far. */
    public long waited() {
        return waited.sum();
    }

    /** How many reservations were not used so far, and given back. */
    public long givenBack() {
        return givenBack.sum();
    }
}
