/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/** Limits the time of everything inside it. What that is, and so its name, depends on its place. */
public abstract class TimeLimitPolicy extends Policy {
    public static final Duration LEAST = Duration.ofMillis(1);
    public static final Duration MOST = Duration.ofDays(1);

    private final Duration limit;
    private final long nanos;

    protected TimeLimitPolicy(String name, Duration limit) {
        super(name, ENTER);
        new Checks(name)
                .range("limit", Objects.requireNonNull(limit, "limit"), LEAST, MOST)
                .done();
        this.limit = limit;
        nanos = limit.toNanos();
    }

    /** The limit. */
    public final Duration limit() {
        return limit;
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
