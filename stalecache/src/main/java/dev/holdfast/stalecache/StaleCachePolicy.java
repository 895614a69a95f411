/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the last good value of each key, and answers with it when the value is fresh, while it is being refreshed, when the call
 * is slow, or when the call failed (RFC 5861). Concurrent calls for one key share one call to the dependency.
 *
 * <pre>{@code
 * Pipeline.builder("inventory").standard().with(StaleCachePolicy.of(c -> c.fresh(ofSeconds(5)))).build()
 * }</pre>
 *
 * <p>All calls for a key get the same value. So <b>everything that the answer depends on belongs in the key or the
 * partition</b>, above all the user. If a function reads the user's token from a thread-local, use {@link
 * dev.holdfast.Operation#decorate(dev.holdfast.CheckedFunction, java.util.function.Supplier)}. Values must not change and must not
 * need to be closed. Null is not stored. A value that is {@link dev.holdfast.spi.Perishable} says itself how long it is good, and
 * whether it is kept and shared. A call without a key, or of an operation that is not idempotent, does not use the cache.
 *
 * <p>Of concurrent calls for a key, the first is the leader. The others wait, each until its own deadline. They get the leader's
 * value or error, and every end that says something about the dependency or the process, such as a timeout or an open breaker. If
 * the end is personal to the leader (its own deadline, its cancellation, an interrupt), the call that has waited longest becomes
 * the leader. A leader whose attempt has not ended soon after its limit is the leader no longer. A call inside the load that it
 * would wait for fails at once with an {@link IllegalStateException}.
 *
 * <p>Safe for any number of threads and pipelines with the same {@link TimeSource}. Each pipeline has its own keys.
 */
public final class StaleCachePolicy extends Policy {
    static final String NAME = "stale-cache";

    private final CacheState cache;
    private final WayIn wayIn;
    private final WayOut wayOut;
    private final boolean answersFailed;
    private final AtomicReference<@Nullable TimeSource> bound = new AtomicReference<>();

    private StaleCachePolicy(StaleCacheSettings settings) {
        super(NAME, ENTER | SUCCESS | FAILURE | ATTEMPTS);
        cache = new CacheState(settings);
        LostLeaders lostLeaders = new LostLeaders(cache);
        Background background = new Background(cache, lostLeaders);
        wayIn = new WayIn(cache, lostLeaders, background);
        wayOut = new WayOut(cache, background);
        answersFailed = !settings.staleIfError().isZero();
    }

    /** A cache with the defaults: every call goes to the dependency, and old values answer for failures and slow calls. */
    public static StaleCachePolicy ofDefaults() {
        return of(StaleCacheSettings.builder().build());
    }

    /**
     * A cache with these options.
     *
     * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of its range
     */
    public static StaleCachePolicy of(Consumer<? super StaleCacheSettings.Builder> options) {
        return of(StaleCacheSettings.of(options));
    }

    /** A cache with these settings. */
    public static StaleCachePolicy of(StaleCacheSettings settings) {
        return new StaleCachePolicy(settings);
    }

    /** The settings that this cache was made with. */
    public StaleCacheSettings settings() {
        return cache.settings;
    }

    @Override
    public Map<String, Object> settingsMap() {
        return cache.settings.asMap();
    }

    /** The number of values, approximately; drops those that are too old. */
    public long size() {
        TimeSource time = bound.get();
        return time == null ? cache.store.size() : cache.store.size(time.nanos());
    }

    /**
     * Removes all values. A load that is under way is not stored, unless its attempt begins afterwards. If a reload has put
     * another cache in the place of this one, or one is in shadow there, this holds for that one, too.
     */
    public void clear() {
        cache.clear();
    }

    /**
     * Removes the values of this key, in all operations, partitions and pipelines. A load that is under way for it is not stored,
     * unless its attempt begins afterwards, and later calls do not join it. If a reload has put another cache in the place of
     * this one, or one is in shadow there, this holds for that one, too. Looks at all keys: some milliseconds for 100,000.
     *
     * @param key as it was given to {@link dev.holdfast.Operation#key}, or the argument of the decorated function
     */
    public void invalidate(Object key) {
        Objects.requireNonNull(key, "key");
        cache.invalidate(key);
    }

    /** How many loads are under way. */
    int underWay() {
        return cache.flights.size();
    }

    /** How many calls wait for loads of others. */
    int waiting() {
        return cache.flights.waiting();
    }

    @Override
    public boolean mayAnswer() {
        return answersFailed;
    }

    @Override
    public int enter(Passage passage) {
        return wayIn.enter(passage);
    }

    @Override
    public int settle(Passage passage) {
        return wayOut.settle(passage);
    }

    @Override
    public void abandon(Passage passage) {
        wayIn.abandon(passage);
    }

    @Override
    public void attemptStarts(Passage passage) {
        wayIn.attemptStarts(passage);
    }

    @Override
    public void attemptEnds(Passage passage) {
        wayIn.attemptEnds(passage);
    }

    @Override
    public void bind(String pipeline, TimeSource time) {
        if (!bound.compareAndSet(null, time) && bound.get() != time) {
            throw new IllegalStateException("this stale cache is part of a pipeline with another TimeSource;"
                    + " make a policy for each source of time, or give both pipelines the same one");
        }
    }

    /** The values, the totals, and what was learned of operations and keys. */
    @Override
    public void takeOver(Policy previous) {
        if (previous instanceof StaleCachePolicy earlier) {
            cache.takeOver(earlier.cache);
        }
    }

    /** No values, but what is removed from one is removed from the other. */
    @Override
    public void shadows(Policy active) {
        if (active instanceof StaleCachePolicy other) {
            Lineage.join(other.cache, cache);
        }
    }

    @Override
    public void beside(String pipeline, List<Policy> policies) {
        int here = policies.stream().map(Policy::name).toList().indexOf(NAME);
        long attempt = policies.stream()
                .skip(here + 1L)
                .mapToLong(Policy::longest)
                .min()
                .orElse(Long.MAX_VALUE);
        boolean inShadow = policies.stream().noneMatch(policy -> policy == this);
        List<Policy> active = policies.stream()
                .filter(policy -> inShadow && policy instanceof StaleCachePolicy)
                .toList();
        active.forEach(this::shadows);
        cache.joins(pipeline, attempt, !active.isEmpty());
    }

    @Override
    public void meters(Meters meters) {
        meters.gauge("stalecache.size", "Values that are kept.", this::size);
        Tally.meters(meters, () -> cache.tally);
    }
}
