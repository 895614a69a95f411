/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import dev.holdfast.spi.Checks;
import dev.holdfast.spi.InvalidSettingsException;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;

/** How many calls may run at once, and how many may wait for how long. Immutable. */
public final class BulkheadSettings {
    private final int maxConcurrentCalls;
    private final int maxWaitingCalls;
    private final Duration maxWait;
    private final Duration lease;

    private BulkheadSettings(Builder builder) {
        maxConcurrentCalls = builder.maxConcurrentCalls;
        maxWaitingCalls = builder.maxWaitingCalls;
        maxWait = builder.maxWait;
        lease = builder.lease;
    }

    /**
     * Settings that differ from the defaults in what the function sets.
     *
     * @throws InvalidSettingsException if a value is out of range; the message names the option, the value and the range
     */
    public static BulkheadSettings of(Consumer<? super Builder> changes) {
        Builder builder = builder();
        changes.accept(builder);
        return builder.build();
    }

    /** A builder that holds the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that holds these settings. */
    public Builder toBuilder() {
        return builder()
                .maxConcurrentCalls(maxConcurrentCalls)
                .maxWaitingCalls(maxWaitingCalls)
                .maxWait(maxWait)
                .lease(lease);
    }

    /** How many calls may run at once. */
    public int maxConcurrentCalls() {
        return maxConcurrentCalls;
    }

    /** How many calls may wait for a permit; one more is turned away at once. */
    public int maxWaitingCalls() {
        return maxWaitingCalls;
    }

    /** How long a call may wait for a permit. */
    public Duration maxWait() {
        return maxWait;
    }

    /** After which time the permit of work that never ends is given to others. */
    public Duration lease() {
        return lease;
    }

    @Override
    public String toString() {
        return "maxConcurrentCalls=" + maxConcurrentCalls + ", maxWaitingCalls=" + maxWaitingCalls + ", maxWait="
                + Checks.text(maxWait) + ", lease=" + Checks.text(lease);
    }

    /** Collects settings; all checks are made in {@link #build}. Not safe for several threads. */
    public static final class Builder {
        private int maxConcurrentCalls = 25;
        private int maxWaitingCalls = 100;
        private Duration maxWait = Duration.ofMillis(100);
        private Duration lease = Duration.ofMinutes(1);

        private Builder() {}

        /** How many calls may run at once: 1 to 1,000,000; default 25. */
        public Builder maxConcurrentCalls(int calls) {
            maxConcurrentCalls = calls;
            return this;
        }

        /** How many calls may wait for a permit: 0 to 1,000,000; default 100. With 0 none ever waits. */
        public Builder maxWaitingCalls(int calls) {
            maxWaitingCalls = calls;
            return this;
        }

        /** How long a call may wait for a permit: 0 to one day; default 100 ms. With 0 none ever waits. */
        public Builder maxWait(Duration longest) {
            maxWait = Objects.requireNonNull(longest, "maxWait");
            return this;
        }

        /**
         * After which time work that goes on although its outcome was decided (a timeout that it ignores) is written off, so
         * that its permit is free again: 1 ms to one day; default 1 minute.
         */
        public Builder lease(Duration longest) {
            lease = Objects.requireNonNull(longest, "lease");
            return this;
        }

        /**
         * The settings.
         *
         * @throws InvalidSettingsException if a value is out of range; the message names the option, the value and the range
         */
        public BulkheadSettings build() {
            new Checks("bulkhead")
                    .range("maxConcurrentCalls", maxConcurrentCalls, 1, 1_000_000)
                    .range("maxWaitingCalls", maxWaitingCalls, 0, 1_000_000)
                    .range("maxWait", maxWait, Duration.ZERO, Duration.ofDays(1))
                    .range("lease", lease, Duration.ofMillis(1), Duration.ofDays(1))
                    .done();
            return new BulkheadSettings(this);
        }
    }
}
