/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.keyed;

import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Instances by keys. Their number is bounded: above the bound, all further keys share one, which the key {@code other} always has.
 * One that nobody has used for long goes; none goes while it is in use, or while it remembers what a new one would not know. Whoever
 * changes all instances does so under the lock of this object, so that none is made meanwhile.
 *
 * @param <T> an instance
 */
public abstract class Instances<T> {
    private static final String OTHER = "other";
    private static final SafeLog LOG = SafeLog.of("dev.holdfast");

    /** What is in use, and when it was seen in use last. */
    private static final class Entry<T> {
        final T instance;
        final InUse use;
        private long usedAt;

        Entry(T instance, InUse use, long now) {
            this.instance = instance;
            this.use = use;
            usedAt = now;
        }
    }

    private final TimeSource time;
    private final Map<String, Entry<T>> entries = new ConcurrentHashMap<>();
    private @Nullable Entry<T> other;
    private TimeSource.@Nullable Timer timer;
    private boolean closed;

    /** On the source of time that says what is idle. */
    protected Instances(TimeSource time) {
        this.time = time;
    }

    /** The most instances, without the shared one. */
    protected abstract int max();

    /** After how many nanoseconds without use an instance goes. */
    protected abstract long idleNanos();

    /** The policies of an instance. */
    protected abstract List<Policy> policies(T instance);

    /** Makes the instance of a key; this policy is to be its outermost. Called under the lock. */
    protected abstract T make(String key, InUse counting);

    /** The instance goes. Somebody may still hold it. */
    protected abstract void letGo(T instance);

    /** Closes an instance. */
    protected abstract void close(T instance);

    /** The instance of this key, made if need be. */
    public T of(String key) {
        Entry<T> known = entries.get(key);
        if (known == null) {
            known = made(key);
        }
        known.use.touch();
        return known.instance;
    }

    private synchronized Entry<T> made(String key) {
        Entry<T> known = entries.get(key);
        if (known != null) {
            return known;
        }
        // One name, one instance: the meters know it by its name.
        if (entries.size() >= max() || key.equals(OTHER)) {
            if (other == null) {
                other = entry(OTHER);
            }
            return other;
        }
        Entry<T> made = entry(key);
        entries.put(key, made);
        lookLater();
        return made;
    }

    private Entry<T> entry(String key) {
        InUse use = new InUse();
        T instance = make(key, use);
        if (closed) {
            close(instance);
        }
        return new Entry<>(instance, use, time.nanos());
    }

    private void lookLater() {
        if (timer == null && !closed) {
            timer = time.schedule(Math.max(1, idleNanos() / 2), this::look);
        }
    }

    private synchronized void look() {
        timer = null;
        long now = time.nanos();
        long idle = idleNanos();
        Map<Policy, Long> uses = entries.values().stream()
                .flatMap(entry -> policies(entry.instance).stream())
                .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
        entries.values().removeIf(entry -> {
            if (!entry.use.isIdle()) {
                entry.usedAt = now;
                return false;
            }
            boolean goes = now - entry.usedAt >= Math.max(idle, remembers(entry.instance, uses));
            if (goes) {
                letGo(entry.instance);
            }
            return goes;
        });
        if (!entries.isEmpty()) {
            lookLater();
        }
    }

    /** What its own policies remember would be forgotten with it. One that others share stays with them. */
    private long remembers(T instance, Map<Policy, Long> uses) {
        return policies(instance).stream()
                .filter(policy -> uses.getOrDefault(policy, 1L) == 1)
                .mapToLong(Instances::remembers)
                .max()
                .orElse(0);
    }

    /** A policy of the user's that throws must not keep all instances for ever. */
    private static long remembers(Policy policy) {
        try {
            return policy.remembers();
        } catch (RuntimeException | Error broken) {
            LOG.warn("policy '" + policy.name() + "' cannot say what it remembers", broken);
            return 0;
        }
    }

    /** All, with the shared one. */
    public synchronized List<T> all() {
        List<T> all = new ArrayList<>();
        entries.values().forEach(entry -> all.add(entry.instance));
        if (other != null) {
            all.add(other.instance);
        }
        return all;
    }

    /** Closes all, and those that are made later. */
    public synchronized void close() {
        closed = true;
        if (timer != null) {
            timer.cancel();
        }
        all().forEach(this::close);
    }
}
