/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.keyed;

import dev.holdfast.internal.Owners;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.internal.engine.Threads;
import dev.holdfast.shadow.ShadowPolicy;
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
 * One that nobody has used for long goes; none goes while it is in use, or while it remembers what a new one would not know.
 * The {@link #lock} is held while an instance is made. So what is written under it holds for each instance that is not yet
 * among {@link #all}. Nobody waits for it to {@link #close}.
 */
public abstract class Instances<T> {
    /** The key of the instance that all keys above the bound share. */
    protected static final String OTHER = "other";

    private static final SafeLog LOG = SafeLog.of("dev.holdfast");

    /** What is in use, and when it was seen in use last. */
    private static final class Entry<T> {
        final T instance;
        final InUse use;
        /** Written under the lock. */
        private volatile long usedAt;
        /** From the moment on in which it is decided. */
        private volatile boolean gone;

        Entry(T instance, InUse use, long now) {
            this.instance = instance;
            this.use = use;
            usedAt = now;
        }
    }

    /** No monitor: a virtual thread of Java 21 that waits while it has one keeps its carrier. */
    protected final ShortLock lock = new ShortLock();

    private final TimeSource time;
    private final Map<String, Entry<T>> entries = new ConcurrentHashMap<>();
    private volatile @Nullable Entry<T> other;
    private volatile TimeSource.@Nullable Timer timer;
    private long lookAt;
    private volatile boolean closed;

    protected Instances(TimeSource time) {
        this.time = time;
    }

    /** The most instances, without the shared one. */
    protected abstract int max();

    /** After how many nanoseconds without use an instance goes. */
    protected abstract long idleNanos();

    protected abstract List<Policy> policies(T instance);

    /** Makes the instance of a key; this policy is to be its outermost. Called under the lock. */
    protected abstract T make(String key, InUse counting);

    /** The instance goes, and is about to be no longer among {@link #all}. Somebody may still hold it. Called under the lock. */
    protected abstract void letGo(T instance);

    /** It has gone. Called without the lock: observers are told, who may wait for whoever makes another one. */
    protected abstract void retire(T instance);

    protected abstract void close(T instance);

    /** The instance of this key, made if need be. */
    public T of(String key) {
        Entry<T> known = entries.get(key);
        if (known != null) {
            known.use.touch();
            // In this order: either this sees that it goes, or the look sees that it is used.
            if (!known.gone) {
                return known.instance;
            }
        }
        return made(key);
    }

    private T made(String key) {
        lock.lock();
        try {
            Entry<T> entry = entries.get(key);
            if (entry == null || entry.gone) {
                entry = added(key);
            }
            entry.use.touch();
            return entry.instance;
        } finally {
            lock.unlock();
        }
    }

    private Entry<T> added(String key) {
        // One name, one instance: the meters know it by its name.
        if (entries.size() >= max() || key.equals(OTHER)) {
            Entry<T> shared = other;
            if (shared == null) {
                shared = entry(OTHER);
                other = shared;
                closeIfLate(shared);
            }
            return shared;
        }
        Entry<T> made = entry(key);
        entries.put(key, made);
        closeIfLate(made);
        lookLater();
        return made;
    }

    /** After it is among all: either {@link #close} finds it there, or this sees that all are closed. */
    private void closeIfLate(Entry<T> made) {
        if (closed) {
            close(made.instance);
        }
    }

    private Entry<T> entry(String key) {
        InUse use = new InUse();
        return new Entry<>(make(key, use), use, time.nanos());
    }

    private void lookLater() {
        if (timer == null && !closed) {
            long wait = Math.max(1, idleNanos() / 2);
            lookAt = time.nanos() + wait;
            timer = time.schedule(wait, this::timeToLook);
            if (closed) {
                endTimer();
            }
        }
    }

    /** To be called when {@link #idleNanos} has become shorter: the next look comes as soon as that asks for it. */
    protected final void lookSooner() {
        lock.lock();
        try {
            if (timer != null && time.nanos() + idleNanos() / 2 - lookAt < 0) {
                endTimer();
                lookLater();
            }
        } finally {
            lock.unlock();
        }
    }

    private void endTimer() {
        TimeSource.Timer set = timer;
        if (set != null) {
            set.cancel();
            timer = null;
        }
    }

    /** On the timer's thread, which waits neither for the template of a user nor for meters that go. */
    private void timeToLook() {
        try {
            Threads.apart(time, this::look, "holdfast-idle");
        } catch (Throwable noThread) {
            look();
        }
    }

    private void look() {
        lock.lock();
        try {
            // First: if what follows throws, the next instance that is made sets another one.
            endTimer();
        } finally {
            lock.unlock();
        }
        // Without the lock, as what follows it: a policy may be a user's.
        Map<Entry<T>, Long> idle = remembered();
        List<T> gone = letGo(idle);
        gone.forEach(this::retire);
    }

    /** The instances that may go, and what they remember. */
    private Map<Entry<T>, Long> remembered() {
        long now = time.nanos();
        long idle = idleNanos();
        return entries.values().stream()
                .filter(entry -> now - entry.usedAt >= idle)
                .collect(Collectors.toMap(Function.identity(), entry -> remembers(entry.instance)));
    }

    /** Lets those of these go that nobody has used meanwhile, and returns them. */
    private List<T> letGo(Map<Entry<T>, Long> remembered) {
        List<T> gone = new ArrayList<>();
        lock.lock();
        try {
            // Of another look than this one, if this one was late.
            endTimer();
            if (closed) {
                return gone;
            }
            long now = time.nanos();
            long idle = idleNanos();
            entries.values().removeIf(entry -> {
                if (!entry.use.isIdle()) {
                    entry.usedAt = now;
                    return false;
                }
                Long remembers = remembered.get(entry);
                if (remembers == null || now - entry.usedAt < Math.max(idle, remembers)) {
                    return false;
                }
                entry.gone = true;
                // Somebody may have asked for it meanwhile.
                if (!entry.use.isIdle()) {
                    entry.gone = false;
                    entry.usedAt = now;
                    return false;
                }
                letGo(entry.instance);
                gone.add(entry.instance);
                return true;
            });
            if (!entries.isEmpty()) {
                lookLater();
            }
        } finally {
            lock.unlock();
        }
        return gone;
    }

    /** What its own policies remember would be forgotten with it. One that others share stays with them. */
    private long remembers(T instance) {
        return policies(instance).stream()
                .filter(policy -> !Owners.isShared(ShadowPolicy.inside(policy)))
                .mapToLong(Instances::remembers)
                .max()
                .orElse(0);
    }

    /** A policy of the user's that throws must not keep all instances for ever. */
    private static long remembers(Policy policy) {
        try {
            return policy.remembers();
        } catch (Throwable broken) {
            LOG.warn("policy '" + policy.name() + "' cannot say what it remembers", broken);
            return 0;
        }
    }

    /** All, with the shared one. */
    public List<T> all() {
        List<T> all = new ArrayList<>();
        entries.values().forEach(entry -> all.add(entry.instance));
        Entry<T> shared = other;
        if (shared != null) {
            all.add(shared.instance);
        }
        return all;
    }

    /** Closes all, and those that are made later. Does not wait for one that is being made. */
    public void close() {
        closed = true;
        TimeSource.Timer set = timer;
        if (set != null) {
            set.cancel();
        }
        all().forEach(this::close);
    }
}
