/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.Perishable;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A response with its whole body, which a stale cache may keep and give to any number of callers; or one for a single caller, whose
 * body is not read yet. {@link CachedCall} makes it. Immutable.
 *
 * @param <R> a response
 */
public final class Kept<R> implements Perishable {
    private final R response;
    private final byte @Nullable [] body;
    private final Freshness freshness;
    private final Duration apparentAge;
    private final @Nullable HttpKey key;

    /**
     * A response that has come now.
     *
     * @param freshness with the age that its caches have said
     * @param apparentAge its age by its own date
     * @param key that of its request; null: it is not kept
     */
    Kept(R response, byte @Nullable [] body, Freshness freshness, Duration apparentAge, @Nullable HttpKey key) {
        this.response = response;
        this.body = body;
        this.freshness = freshness;
        this.apparentAge = apparentAge;
        this.key = key;
    }

    /** The response. If there is a {@link #body}, several callers share it: then each gets one of his own, made of this one. */
    public R response() {
        return response;
    }

    /** The whole body, not to be changed; null: this response is for one caller alone, and its body is still to be read. */
    public byte @Nullable [] body() {
        return body;
    }

    @Override
    public Freshness freshness() {
        return freshness(Duration.ZERO);
    }

    /** Its age is the corrected initial age of RFC 9111 §4.2.3, up to the end of the body. */
    @Override
    public Freshness freshness(Duration took) {
        Duration corrected = freshness.age().plus(took);
        return freshness.age(corrected.compareTo(apparentAge) > 0 ? corrected : apparentAge);
    }

    /** Whether a request that may have changed what it tells of was sent after its own one, and its answer does not say. */
    @Override
    public boolean isInDoubt() {
        return key != null && key.isInDoubt();
    }

    /** The headers which say that a response is not new, {@code Age} and {@code Holdfast-Source}; none if it is. */
    public static Map<String, String> added(Reply<?> reply) {
        return reply.source() == Source.LIVE
                ? Map.of()
                : Map.of(
                        "Age",
                        Long.toString(reply.age().toSeconds()),
                        "Holdfast-Source",
                        reply.source().name().toLowerCase(Locale.ROOT));
    }
}
