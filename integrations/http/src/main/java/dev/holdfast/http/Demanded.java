/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a request demands of a kept response (RFC 9111 §5.2.1). Nobody knows before the cache is asked how old that is. So it is a
 * part of the key: such a request gets only what was kept for an equal demand, and that no longer than the demand allows.
 *
 * @param maxAge null: as old as the response allows
 * @param minFresh zero: it need not stay fresh
 */
record Demanded(@Nullable Duration maxAge, Duration minFresh) {
    static final Demanded NOTHING = new Demanded(null, Duration.ZERO);

    /** By these lines of {@code Cache-Control}. */
    static Demanded by(List<String> lines) {
        if (lines.isEmpty()) {
            return NOTHING;
        }
        CacheControl asked = CacheControl.of(lines);
        Duration minFresh = asked.seconds("min-fresh");
        return new Demanded(asked.seconds("max-age"), minFresh == null ? Duration.ZERO : minFresh);
    }

    boolean isNothing() {
        return equals(NOTHING);
    }

    /**
     * How long a response may be used that is fresh for so long.
     *
     * @param fresh null: the response does not say it
     */
    Duration within(@Nullable Duration fresh) {
        if (fresh == null) {
            return Duration.ZERO;
        }
        Duration longest = maxAge == null || fresh.compareTo(maxAge) < 0 ? fresh : maxAge;
        Duration left = fresh.minus(minFresh);
        Duration shorter = left.compareTo(longest) < 0 ? left : longest;
        return shorter.isNegative() ? Duration.ZERO : shorter;
    }
}
