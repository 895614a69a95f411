/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.Reply.Source;
import dev.holdfast.internal.TimeBuckets;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** What went through a pipeline in the present hour and in the one before. Safe for any number of threads; allocates nothing. */
final class Traffic implements CallObserver {
    private static final long HOUR = 3_600_000_000_000L;
    /** 2^64 divided by the golden ratio: its multiples fall everywhere, and never come back in a rhythm. */
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private final TimeSource time;
    private final Runnable atTheEndOfAnHour;
    private volatile Hour present;
    private volatile @Nullable Hour last;
    private volatile Permits permits = new Permits();

    static final class Hour {
        final AtomicLongArray answers = new AtomicLongArray(TimeBuckets.COUNT);
        /** Under which this was measured. */
        final List<Policy> policies;
        /** And under this limit of the bulkhead; 0 without one, or if the limit adapts. */
        final int permits;

        /** Of the timeout, in nanoseconds. */
        private final long limit;
        /** How many attempts the timeout has ended. */
        private final LongAdder cut = new LongAdder();

        private final AtomicLong rejected = new AtomicLong();
        private final Map<Outcome, AtomicLong> others = new EnumMap<>(Outcome.class);
        private final Map<Reason, LongAdder> rejections = new EnumMap<>(Reason.class);
        final LongAdder retried = new LongAdder();
        /** Of these, those with an answer that needs no further attempt. */
        final LongAdder retriedWell = new LongAdder();

        final LongAdder looks = new LongAdder();
        final AtomicInteger mostInFlight = new AtomicInteger();
        private final long began;

        Hour(List<Policy> policies, int permits, long now) {
            this.policies = policies;
            this.permits = permits;
            limit = new SettingsOf(policies)
                    .time("timeout", "limit")
                    .map(Duration::toNanos)
                    .orElse(Long.MAX_VALUE);
            began = now;
            for (Outcome outcome : Outcome.values()) {
                others.put(outcome, new AtomicLong());
            }
            for (Reason reason : Reason.values()) {
                rejections.put(reason, new LongAdder());
            }
        }

        long attempts(Outcome outcome) {
            return outcome == Outcome.SUCCESS ? answers() : others(outcome).get();
        }

        long attempts() {
            return Arrays.stream(Outcome.values()).mapToLong(this::attempts).sum();
        }

        private AtomicLong others(Outcome outcome) {
            return Objects.requireNonNull(others.get(outcome));
        }

        private long answers() {
            long sum = 0;
            for (int i = 0; i < TimeBuckets.COUNT; i++) {
                sum += answers.get(i);
            }
            return sum;
        }

        /**
         * A limit has ended an attempt. It was the timeout if the attempt ran so long: a shorter deadline ends it sooner. One that
         * began before this hour may have another timeout. The limit begins a little before the action.
         */
        private void ended(long nanos, long now) {
            if (nanos >= limit - limit / 100 && now - nanos - began >= 0) {
                cut.increment();
            }
        }

        /** How many attempts the timeout has ended. */
        long cut() {
            return cut.sum();
        }

        /** How many tries were turned away, for any reason. */
        long rejected() {
            return rejected.get();
        }

        LongAdder rejections(Reason reason) {
            return Objects.requireNonNull(rejections.get(reason));
        }

        /** The time within which this share of the answers came; it may be up to an eighth too long. */
        long answeredWithin(double share) {
            long left = (long) Math.ceil(share * answers());
            int bucket = 0;
            while (bucket < TimeBuckets.COUNT - 1 && (left -= answers.get(bucket)) > 0) {
                bucket++;
            }
            return TimeBuckets.end(bucket);
        }
    }

    /**
     * Counts in the hours of this time.
     *
     * @param atTheEndOfAnHour runs on the thread of a call, or of {@link #hour}
     */
    Traffic(TimeSource time, Runnable atTheEndOfAnHour) {
        this.time = time;
        this.atTheEndOfAnHour = atTheEndOfAnHour;
        present = new Hour(List.of(), 0, time.nanos());
    }

    /** The last whole hour; before there is one, the present hour. */
    Hour hour() {
        lookAtTheClock(present);
        Hour now = present;
        Hour whole = last;
        return whole == null || whole.policies != now.policies ? now : whole;
    }

    /** The pipeline has these policies from now on, with their limits. What was measured under others says nothing of them. */
    synchronized void begin(List<Policy> policies) {
        Permits found = new Permits();
        policies.stream().filter(policy -> policy.name().equals("bulkhead")).forEach(policy -> policy.meters(found));
        found.adapts = !new SettingsOf(policies).is("bulkhead", "limit", "fixed");
        permits = found;
        present = new Hour(policies, found.limit(), time.nanos());
        last = null;
    }

    /** The bulkhead may have been resized. */
    private synchronized void beginIfPresent(Hour hour) {
        if (present == hour) {
            begin(hour.policies);
        }
    }

    private static final class Permits implements Meters {
        /** Null without a bulkhead, as the limit. */
        private @Nullable DoubleSupplier inFlight;

        private @Nullable DoubleSupplier limit;
        private boolean adapts;

        int limit() {
            DoubleSupplier known = limit;
            return known == null || adapts ? 0 : (int) known.getAsDouble();
        }

        @Override
        public void gauge(String name, String description, DoubleSupplier value) {
            if (name.equals("bulkhead.in.flight")) {
                inFlight = value;
            } else if (name.equals("bulkhead.limit")) {
                limit = value;
            }
        }

        @Override
        public void gauge(String name, String description, String tag, String tagValue, DoubleSupplier value) {}

        @Override
        public void counter(String name, String description, LongSupplier total) {}

        @Override
        public void counter(String name, String description, String tag, String tagValue, LongSupplier total) {}
    }

    @Override
    public void attemptSettled(String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
        Hour hour = present;
        long alike = outcome == Outcome.SUCCESS
                ? hour.answers.incrementAndGet(TimeBuckets.of(nanos))
                : hour.others(outcome).incrementAndGet();
        if (outcome == Outcome.TIMEOUT) {
            hour.ended(nanos, time.nanos());
        }
        if (isLook(alike)) {
            look(hour);
            lookAtTheClock(hour);
        }
    }

    /**
     * Whether to look at the permits and the clock with the attempt, or rejection, of this number: one in 16. Not each 16th:
     * calls that come in bursts of 16 would always be seen at the end of a burst.
     */
    private static boolean isLook(long number) {
        return (number * GOLDEN) >>> 60 == 0;
    }

    private void look(Hour hour) {
        DoubleSupplier inFlight = permits.inFlight;
        if (inFlight != null) {
            hour.looks.increment();
            int now = (int) inFlight.getAsDouble();
            if (now > hour.mostInFlight.get()) {
                hour.mostInFlight.accumulateAndGet(now, Math::max);
            }
        }
    }

    @Override
    public void rejected(String pipeline, @Nullable String operation, String policy, Reason reason) {
        Hour hour = present;
        hour.rejections(reason).increment();
        if (isLook(hour.rejected.incrementAndGet())) {
            lookAtTheClock(hour);
        }
    }

    @Override
    public void callSettled(
            String pipeline, @Nullable String operation, Outcome outcome, Source source, int attempts, long nanos) {
        if (attempts > 1) {
            Hour hour = present;
            hour.retried.increment();
            if ((outcome == Outcome.SUCCESS || outcome == Outcome.IGNORED) && source == Source.LIVE) {
                hour.retriedWell.increment();
            }
        }
    }

    private void lookAtTheClock(Hour hour) {
        if (permits.limit() != hour.permits) {
            beginIfPresent(hour);
            return;
        }
        long now = time.nanos();
        if (now - hour.began < HOUR) {
            return;
        }
        synchronized (this) {
            if (present != hour) {
                return;
            }
            last = hour;
            present = new Hour(hour.policies, hour.permits, now);
        }
        atTheEndOfAnHour.run();
    }
}
