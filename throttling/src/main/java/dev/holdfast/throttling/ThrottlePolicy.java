/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import dev.holdfast.Reason;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Ranks;
import dev.holdfast.internal.Refused;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.internal.Stripes;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.throttling.internal.engine.Gcra;
import dev.holdfast.throttling.internal.resilience4j.ExistingRateLimiterPolicy;
import io.github.resilience4j.ratelimiter.RateLimiter;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Limits how many calls start in a time, so that a dependency gets no more than its rate limit.
 *
 * <p>Calls are spaced evenly, with a burst after a quiet time. There is no edge of a cycle at which twice the limit could
 * start (GCRA). A call that is too early reserves its place and waits for it, for at most {@code maxWait}. If that time, or
 * the remaining time of the call, is too short, the call is rejected at once with {@link Reason#THROTTLED} and the time
 * after which to try again. A reservation is given back if the call gives up while it waits, or if nothing inside this
 * policy started.
 *
 * <p>A call that {@linkplain dev.holdfast.Call#weight weighs} more than one takes so many turns, which follow one another, and
 * gives back as many. If it is heavier than the burst, it is rejected at once.
 *
 * <p>By its {@linkplain Passage#rank rank} an attempt may wait for twice {@code maxWait} (0), {@code maxWait} (1), half of it (2) or
 * not at all (3). Rank 3 leaves half of the burst, and without a {@code maxWait} rank 2 leaves a quarter. A call that weighs too much
 * for that starts when the whole burst is free.
 *
 * <p>Safe for any number of threads; one instance for each dependency. Allocates nothing for a call that is allowed.
 */
public final class ThrottlePolicy extends Policy {
    /** How often a call tries to reserve before it is rejected. */
    private static final int MOST_TRIES = 8;

    /** How often a number of processes that changes is looked at, while there are calls. */
    private static final long LOOK_NANOS = 100_000_000;

    private final ThrottleSettings settings;
    private final long maxWaitNanos;
    /** Shared with the throttle before and with the one that takes over: calls of all of them take their turns from one line. */
    private volatile Gcra line;

    private final boolean replicasChange;
    /** No monitor: a virtual thread of Java 21 that waits while it has one keeps its carrier. */
    private final ShortLock changing = new ShortLock();

    /** How many processes share {@link #line}. Written under {@link #changing}. */
    private volatile int replicas;

    private volatile long nextLook;
    /** Another throttle says what the line is like, and has taken it under this {@link #changing}, which guards the field. */
    private boolean takenOver;

    // A call that starts at once does not touch these.
    private LongAdder rejected = new LongAdder();
    private LongAdder waited = new LongAdder();
    private LongAdder givenBack = new LongAdder();
    /** The time source of the pipeline that was built last with this throttle; null before that. */
    private volatile @Nullable TimeSource time;

    private ThrottlePolicy(ThrottleSettings settings) {
        super("throttle", ENTER | FAILURE);
        this.settings = settings;
        replicasChange = settings.replicasChange();
        replicas = settings.replicas();
        line = new Gcra(settings.limit(), perOf(replicas), settings.burstOf(replicas));
        maxWaitNanos = settings.maxWait().toNanos();
    }

    /**
     * A throttle with the defaults, changed by the function.
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

    /** A throttle of 50 calls a second. Up to 5 of them start at once, and no call is delayed. */
    public static ThrottlePolicy ofDefaults() {
        return of(ThrottleSettings.builder().build());
    }

    /**
     * An existing resilience4j rate limiter, which stays shared with your other code.
     *
     * <p>The longest wait is the limiter's own {@code timeoutDuration}. A call that the limiter rejects has resilience4j's
     * {@code RequestNotPermitted} as its cause. The limiter cannot take a reservation back: the permission is lost if the
     * call gives up while it waits, or if an inner policy rejects it.
     *
     * @throws IllegalArgumentException if the limiter has no reservations (resilience4j's {@code
     *     SemaphoreBasedRateLimiter}): it could only block the calling thread
     */
    public static Policy of(RateLimiter existing) {
        return new ExistingRateLimiterPolicy(existing);
    }

    /** In so long this process, one of so many, may start as many calls as all may in {@code per}: so a part of a call is exact. */
    private long perOf(int processes) {
        return settings.per().toNanos() * processes;
    }

    @Override
    public Timing timing() {
        return Timing.NONE;
    }

    /** 0 once the bucket is full: a new throttle is the same then. Before, the time in which an empty one becomes full. */
    @Override
    public long remembers() {
        if (available() >= line().burst()) {
            return 0;
        }
        return (long) ((double) perOf(replicas) / settings.limit() * line().burst());
    }

    @Override
    public int enter(Passage passage) {
        if (replicasChange && passage.now() - nextLook >= 0) {
            look(passage.now());
        }
        int weight = passage.weight();
        if (weight > 1 && weight > line().burst()) {
            return tooHeavy(passage, weight);
        }
        int leaves = leaves(passage.rank());
        long tooEarly = leaves == 0 ? 0 : untilFree(passage, Math.min(weight + leaves, line().burst()));
        if (tooEarly > 0) {
            return turnAway(passage, tooEarly, weight);
        }
        return reserve(passage, passage.now(), 0) ? PROCEED : notAtOnce(passage, weight);
    }

    /** How many turns an attempt of this rank leaves free, for those that go first. */
    private int leaves(int rank) {
        if (rank == Passage.LAST_RANK) {
            return line().burst() / 2;
        }
        return rank == Ranks.LATE && maxWaitNanos == 0 ? line().burst() / 4 : 0;
    }

    private long untilFree(Passage passage, int weight) {
        long now = passage.now();
        return line().untilFree(now, weight) == 0 ? 0 : line().untilFree(now + lateness(now), weight);
    }

    /** If the number of processes has changed, another line goes on for this one: waiting calls keep their turns. */
    private void look(long now) {
        nextLook = now + LOOK_NANOS;
        int processes = settings.replicas();
        // If another one changes it, this call goes on as before.
        if (processes != replicas && changing.tryLock()) {
            try {
                replicas = processes;
                if (!takenOver) {
                    line = line.with(settings.limit(), perOf(processes), settings.burstOf(processes), now);
                }
            } finally {
                changing.unlock();
            }
        }
    }

    private boolean reserve(Passage passage, long now, long longestWait) {
        int weight = passage.weight();
        Gcra at = line;
        long reservation = reserve(at, now, longestWait, weight);
        while (reservation == Gcra.MOVED) {
            at = at.successor();
            reservation = reserve(at, now, longestWait, weight);
        }
        passage.slot(reservation);
        passage.object(at);
        return reservation != Gcra.NONE;
    }

    private static long reserve(Gcra at, long now, long longestWait, int weight) {
        return weight == 1
                ? at.reserve(now, longestWait, Stripes.current())
                : at.reserveHeavy(now, longestWait, weight);
    }

    private Gcra line() {
        return line.current();
    }

    /**
     * The thread may have lost the processor after the call's time was read, while other threads moved the line on. A call
     * is neither rejected nor delayed for that: it tries again with the present time.
     */
    private int notAtOnce(Passage passage, int weight) {
        long late = lateness(passage.now());
        long mostWait = Ranks.longestWait(passage.rank(), maxWaitNanos);
        for (int tries = 1; ; tries++) {
            long now = passage.now() + late;
            // A wait that leaves no time for the attempt is useless. A call that does not wait is never useless here.
            long longest = Math.max(0, Math.min(mostWait, passage.remaining() - 1 - late));
            if (reserve(passage, now, longest)) {
                return admitted(passage, now, late);
            }
            // The thread may have lost the processor just now, too, and other threads moved the line on meanwhile. So
            // the line is looked at before the clock: the other way round, what they took after that would count as
            // ahead.
            long wait = line().untilFree(now, weight);
            long later = lateness(passage.now());
            if (later - late < wait || tries == MOST_TRIES) {
                return turnAway(passage, wait, weight);
            }
            late = later;
        }
    }

    private int admitted(Passage passage, long now, long late) {
        long wait = lineOf(passage).waitNanos(passage.slot(), now);
        if (wait == 0) {
            return PROCEED;
        }
        waited.increment();
        return passage.pause(wait + late); // a pause is counted from the call's own time
    }

    /** The line that has the places of this call. */
    private static Gcra lineOf(Passage passage) {
        return (Gcra) Objects.requireNonNull(passage.object());
    }

    private long lateness(long now) {
        TimeSource bound = time;
        return bound == null ? 0 : Math.max(0, bound.nanos() - now);
    }

    private int turnAway(Passage passage, long wait, int weight) {
        Refused.count(passage, rejected);
        String pipeline = passage.pipeline();
        int processes = replicas;
        return passage.reject(
                Reason.THROTTLED,
                wait,
                () -> "throttle of '" + pipeline + "' lets " + settings.limit() + " calls "
                        + (processes == 1 ? "" : "of " + processes + " processes ") + "start in "
                        + Checks.text(settings.per())
                        + (weight == 1 ? ", the next one in " : ", the next one of weight " + weight + " in ")
                        + Checks.time(wait),
                null);
    }

    private int tooHeavy(Passage passage, int weight) {
        Refused.count(passage, rejected);
        String pipeline = passage.pipeline();
        return passage.reject(
                Reason.THROTTLED,
                Passage.NEVER,
                () -> "throttle of '" + pipeline + "' never lets a call of weight " + weight
                        + " start, because its burst is " + line().burst(),
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
            lineOf(passage).giveBack(reservation, passage.weight()); // first, because the rest may throw
            givenBack.increment();
        }
    }

    @Override
    public void bind(String pipeline, TimeSource pipelineTime) {
        time = pipelineTime;
        nextLook = pipelineTime.nanos();
    }

    /**
     * Takes over the totals and the line of turns. What may start at once now is kept up to the new burst, also a part of a
     * call. Calls that wait keep their turns. Both throttles share the line from now on.
     */
    @Override
    public void takeOver(Policy previous) {
        if (previous instanceof ThrottlePolicy throttle) {
            rejected = throttle.rejected;
            waited = throttle.waited;
            givenBack = throttle.givenBack;
            throttle.changing.lock();
            try {
                throttle.takenOver = true;
                line = throttle.line.with(settings.limit(), perOf(replicas), settings.burstOf(replicas), nanos());
            } finally {
                throttle.changing.unlock();
            }
            changing.lock();
            try {
                takenOver = false; // it may be the one that was taken over before, and is put back
            } finally {
                changing.unlock();
            }
        }
    }

    @Override
    public List<String> warnings() {
        return settings.warnings();
    }

    @Override
    public void meters(Meters meters) {
        meters.gauge("throttle.available", "Calls that could start at once now", this::available);
        meters.counter("throttle.rejected", "Calls that were turned away", this::rejected);
        meters.counter("throttle.waited", "Calls that were held back", this::waited);
        meters.counter("throttle.given.back", "Reservations that were not used", this::givenBack);
        meters.gauge("throttle.replicas", "Processes that share the limit, as far as this one knows", () -> replicas);
    }

    /** The settings that this throttle was made with. */
    public ThrottleSettings settings() {
        return settings;
    }

    @Override
    public Map<String, Object> settingsMap() {
        return settings.asMap();
    }

    /**
     * How many calls of weight 1 could start at once now: 0 to the burst. Turns that were given back between others are not counted.
     * Uses the clock of the pipeline that was built last with it.
     */
    public int available() {
        return (int) line().available(nanos());
    }

    /** How long a call would have to wait now, in nanoseconds. */
    long untilFree() {
        return line().untilFree(nanos());
    }

    private long nanos() {
        TimeSource bound = time;
        return (bound == null ? TimeSource.system() : bound).nanos();
    }

    /** How many calls were rejected so far. */
    public long rejected() {
        return rejected.sum();
    }

    /** How many calls were delayed so far. */
    public long waited() {
        return waited.sum();
    }

    /** How many unused reservations were given back so far. */
    public long givenBack() {
        return givenBack.sum();
    }
}
