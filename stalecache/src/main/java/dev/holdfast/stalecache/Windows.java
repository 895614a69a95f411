/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.spi.Perishable.Freshness;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Up to which age, in nanoseconds, a value is good for which use. Immutable.
 *
 * @param fresh it is the answer
 * @param refresh from this age on it is refreshed, although it is fresh; {@link Long#MAX_VALUE}: never
 * @param revalidate it is the answer, and is refreshed
 * @param error it is the answer to a call that failed or is slow
 * @param kept it is good for anything
 */
record Windows(long fresh, long refresh, long revalidate, long error, long kept) {

    /** As the settings say, where the value says nothing else. */
    static Windows of(StaleCacheSettings settings, Freshness said) {
        long fresh = nanos(said.fresh(), settings.fresh());
        long revalidate = fresh + nanos(said.staleWhileRevalidate(), settings.staleWhileRevalidate());
        long error = fresh + nanos(said.staleIfError(), settings.staleIfError());
        // Of the time that was left when it came: a value that is always old when it comes is not refreshed for ever.
        long left = Math.max(0, fresh - said.age().toNanos());
        double ahead = settings.refreshAhead();
        long refresh = ahead == 0 ? Long.MAX_VALUE : fresh - (long) (left * ahead);
        return new Windows(fresh, refresh, revalidate, error, Math.max(revalidate, error));
    }

    /** Of an answer that the classifier ignores: it is good while it is fresh, where that is asked for, and never afterwards. */
    static Windows ofIgnored(StaleCacheSettings settings, Freshness said) {
        Duration asked = settings.freshIfIgnored();
        long fresh = asked.isZero() ? 0 : nanos(said.fresh(), asked);
        return new Windows(fresh, Long.MAX_VALUE, 0, 0, fresh);
    }

    /**
     * Whether it says the same. In place of a record's own {@code equals}, whose first call can make the JDK keep this class, and
     * with it the class loader of an application that has ended.
     */
    boolean isAs(Windows other) {
        return fresh == other.fresh
                && refresh == other.refresh
                && revalidate == other.revalidate
                && error == other.error
                && kept == other.kept;
    }

    private static long nanos(@Nullable Duration said, Duration usual) {
        return (said == null ? usual : said).toNanos();
    }
}
