/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/** A policy that limits the time of everything inside it, and does nothing else. */
public abstract class LimitPolicy extends Policy {
    /** The shortest limit. */
    public static final Duration LEAST = Duration.ofMillis(1);

    /** The longest limit. */
    public static final Duration MOST = Duration.ofDays(1);

    /** The time of everything inside. */
    protected final Duration limit;

    private final long nanos;

    /**
     * A policy of this kind with this limit.
     *
     * @throws InvalidSettingsException if it is out of range
     */
    protected LimitPolicy(String kind, Duration limit) {
        super(kind, ENTER);
        new Checks(kind)
                .range("limit", Objects.requireNonNull(limit, "limit"), LEAST, MOST)
                .done();
        this.limit = limit;
        this.nanos = limit.toNanos();
    }

    @Override
    public final Map<String, Object> settingsMap() {
        return Map.of("limit", limit);
    }

    @Override
    public final long longest() {
        return nanos;
    }

    @Override
    public final int enter(Passage passage) {
        passage.limit(nanos);
        return PROCEED;
    }
}
