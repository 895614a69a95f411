/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Options;
import dev.holdfast.internal.Replicas;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.PolicyFactory.Option;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The settings of a throttle that several processes share. Immutable. */
public final class SharedThrottleSettings {
    /** As for a throttle of one process. */
    private static final int LEAST_BURST = 5;

    private static final Duration SHORTEST = Duration.ofMillis(1);

    /** A batch that nobody set lasts so long, if each process starts its share of the calls. */
    private static final long BATCH_NANOS = 50_000_000;

    private static final Options<Builder> OPTIONS = new Options<>(
            "shared throttle",
            Builder::new,
            List.of(
                    Option.of("key", String.class, (Builder b) -> b.key, Builder::key)
                            .rangeIs("1 to 200 characters")
                            .means(
                                    "the name of the limit in the store. Throttles with the same key, `limit`, `per` and `burst`"
                                            + " share it"),
                    Option.integer("limit", (Builder b) -> b.limit, Builder::limit)
                            .range(1, 1_000_000_000)
                            .means("how many calls of all processes together may start in each `per`")
                            .rangeIs("1 to 1,000,000,000, at most one for each nanosecond of `per`"),
                    Option.duration("per", (Builder b) -> b.per, Builder::per)
                            .range(SHORTEST, Duration.ofDays(1))
                            .means("the time of the limit"),
                    Option.integer("burst", (Builder b) -> b.burst, Builder::burst)
                            .range(1, 1_000_000_000)
                            .means("how many calls of all processes together may start at once after a quiet time")
                            .rangeIs("1 to the limit")
                            .defaultIs("a tenth of the limit, at least 5 (the limit, if that is less)"),
                    Replicas.option((Builder b) -> b.replicas, (b, processes) -> b.replicas(processes))
                            .defaultIs("those that have the same `key` in the store")
                            .means("how many processes share the limit, at most"),
                    Option.integer("batch", (Builder b) -> b.batch, Builder::batch)
                            .range(1, 1_000_000_000)
                            .means("how many permits a process holds ready. With 1 each call asks the store")
                            .rangeIs("1 to the burst")
                            .defaultIs("what a process's share of the limit is in 50ms"),
                    Option.duration("max-wait", (Builder b) -> b.maxWait, Builder::maxWait)
                            .range(Duration.ZERO, Duration.ofHours(1))
                            .means("longest delay of a call, for the store's answer and for its turn"),
                    Option.duration("store-timeout", (Builder b) -> b.storeTimeout, Builder::storeTimeout)
                            .range(Duration.ofMillis(1), Duration.ofSeconds(10))
                            .means("a store that has not answered after this time is away"),
                    Option.of(
                                    "when-store-is-away",
                                    WhenStoreIsAway.class,
                                    (Builder b) -> b.whenStoreIsAway,
                                    Builder::whenStoreIsAway)
                            .means("what decides while the store is away")));

    /** What decides while the store is away. */
    public enum WhenStoreIsAway {
        /** Each process limits its own calls to its share of the limit. */
        LOCAL_SHARE,
        /** Nothing: every call starts. */
        OPEN,
        /** Every call that finds no permit held ready is rejected. */
        CLOSED
    }

    private final Builder builder;

    private SharedThrottleSettings(Builder builder) {
        this.builder = builder;
    }

    /**
     * The defaults, changed by the function.
     *
     * @throws InvalidSettingsException if a value is out of range; the message names the option, the value and the range
     */
    public static SharedThrottleSettings of(Consumer<? super Builder> changes) {
        Builder builder = builder();
        changes.accept(builder);
        return builder.build();
    }

    /** A builder that holds the defaults. {@code key} has none. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that holds these settings. A burst or batch that was not set still follows the limit. */
    public Builder toBuilder() {
        return new Builder(builder);
    }

    /** The options, for pages. */
    public static List<Option<Builder, ?>> options() {
        return OPTIONS.list();
    }

    /** The values by the names that a file would have, also those that follow others. */
    public Map<String, Object> asMap() {
        Map<String, Object> values =
                new LinkedHashMap<>(OPTIONS.values(toBuilder().burst(burst()).batch(batch())));
        values.put("key", key()); // a name; texts of other policies may be data
        return Collections.unmodifiableMap(values);
    }

    /** The name of the limit in the store. */
    public String key() {
        return Objects.requireNonNull(builder.key, "key");
    }

    /** How many calls of all processes together may start in each {@link #per}. */
    public int limit() {
        return builder.limit;
    }

    /** The time of the {@link #limit}. */
    public Duration per() {
        return builder.per;
    }

    /** How many calls of all processes together may start at once after a quiet time. */
    public int burst() {
        return builder.effectiveBurst();
    }

    /** How many processes share the limit; of a live number, how many they are now. 1 if nobody has said it. */
    public int replicas() {
        return builder.effectiveReplicas();
    }

    /** These settings, with this number if they say none. */
    SharedThrottleSettings orReplicas(Supplier<IntSupplier> processes) {
        return builder.replicas != null
                ? this
                : toBuilder().replicas(processes.get()).build();
    }

    /** How many permits a process holds ready. */
    public int batch() {
        return builder.effectiveBatch();
    }

    /** The longest delay of a call. */
    public Duration maxWait() {
        return builder.maxWait;
    }

    /** After this time without an answer the store is away. */
    public Duration storeTimeout() {
        return builder.storeTimeout;
    }

    /** What decides while the store is away. */
    public WhenStoreIsAway whenStoreIsAway() {
        return builder.whenStoreIsAway;
    }

    @Override
    public String toString() {
        return "key=" + key() + ", limit=" + limit() + ", per=" + Checks.text(per()) + ", burst=" + burst()
                + ", replicas=" + replicas() + ", batch=" + batch() + ", maxWait=" + Checks.text(maxWait())
                + ", storeTimeout=" + Checks.text(storeTimeout()) + ", whenStoreIsAway=" + whenStoreIsAway();
    }

    /** Collects settings; all checks are made in {@link #build}. Not safe for several threads. */
    public static final class Builder {
        private @Nullable String key;
        private int limit = 50;
        private Duration per = Duration.ofSeconds(1);
        private @Nullable Integer burst;
        private @Nullable Replicas replicas;
        private @Nullable Integer batch;
        private Duration maxWait = Duration.ofMillis(50);
        private Duration storeTimeout = Duration.ofMillis(250);
        private WhenStoreIsAway whenStoreIsAway = WhenStoreIsAway.LOCAL_SHARE;

        private Builder() {}

        private Builder(Builder other) {
            OPTIONS.copy(other, this);
        }

        /** The name of the limit in the store: 1 to 200 characters; no default. */
        public Builder key(String name) {
            key = Objects.requireNonNull(name, "key");
            return this;
        }

        /** How many calls of all processes may start in each {@link #per}: 1 to 1,000,000,000, at most one a nanosecond; default 50. */
        public Builder limit(int calls) {
            limit = calls;
            return this;
        }

        /** The time of the {@link #limit}: 1 ms to one day; default 1 s. */
        public Builder per(Duration time) {
            per = Objects.requireNonNull(time, "per");
            return this;
        }

        /** How many calls of all processes may start at once: 1 to the limit; default a tenth of the limit, at least 5. */
        public Builder burst(int calls) {
            burst = calls;
            return this;
        }

        /**
         * How many processes share the limit, at most: 1 to 10,000; default those that {@linkplain ValkeyStore#replicas(String)
         * announce themselves} in the store under the {@link #key}.
         */
        public Builder replicas(int processes) {
            replicas = Replicas.of(processes);
            return this;
        }

        /**
         * The same, for a number that changes: asked before each batch, on any thread; must not block. What is beyond the range
         * counts as its nearest end; if it throws, the last number holds.
         */
        public Builder replicas(IntSupplier processes) {
            replicas = Replicas.of(processes);
            return this;
        }

        private int effectiveReplicas() {
            return replicas == null ? 1 : replicas.getAsInt();
        }

        /**
         * How many permits a process holds ready: 1 to the burst; default what its share of the limit is in 50 ms. With 1
         * each call asks the store.
         */
        public Builder batch(int permits) {
            batch = permits;
            return this;
        }

        /**
         * The longest delay of a usual call, for the store's answer and for its turn: 0 to one hour; default 50 ms. A {@linkplain
         * dev.holdfast.Call.Priority critical} call may wait twice as long, a sheddable one half as long.
         */
        public Builder maxWait(Duration longest) {
            maxWait = Objects.requireNonNull(longest, "maxWait");
            return this;
        }

        /** After this time without an answer the store is away: 1 ms to 10 s; default 250 ms. */
        public Builder storeTimeout(Duration time) {
            storeTimeout = Objects.requireNonNull(time, "storeTimeout");
            return this;
        }

        /** What decides while the store is away; default {@link WhenStoreIsAway#LOCAL_SHARE}. */
        public Builder whenStoreIsAway(WhenStoreIsAway what) {
            whenStoreIsAway = Objects.requireNonNull(what, "whenStoreIsAway");
            return this;
        }

        private int effectiveBurst() {
            return burst != null ? burst : Math.min(Math.max(1, limit), Math.max(LEAST_BURST, limit / 10));
        }

        private int effectiveBatch() {
            if (batch != null) {
                return batch;
            }
            long share = limit * BATCH_NANOS / Math.max(1, per.toNanos()) / Math.max(1, effectiveReplicas());
            return (int) Math.max(1, Math.min(effectiveBurst(), share));
        }

        /**
         * The settings.
         *
         * @throws InvalidSettingsException if a value is out of range; the message names the option, the value and the range
         */
        public SharedThrottleSettings build() {
            // Compared as durations: a time that is out of range may not fit into nanoseconds.
            boolean tooFast = per.compareTo(SHORTEST) >= 0 && per.compareTo(Duration.ofNanos(limit)) < 0;
            boolean named = key != null && !key.isBlank() && key.length() <= 200;
            OPTIONS.check(this)
                    .that(named, "key", key == null ? "not given" : "'" + key + "'", "1 to 200 characters")
                    .that(!tooFast, "limit", limit, "at most one for each nanosecond of per")
                    .atMost("burst", effectiveBurst(), "limit", limit)
                    .atMost("batch", batch == null ? 1 : batch, "burst", effectiveBurst())
                    .done();
            return new SharedThrottleSettings(new Builder(this));
        }
    }
}
