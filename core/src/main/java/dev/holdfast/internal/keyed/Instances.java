/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.keyed;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Making;
import dev.holdfast.internal.Owners;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.internal.Shown;
import dev.holdfast.internal.engine.Threads;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.CallObserver.Keys;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Instances by keys. Their number is bounded: above the bound, all further keys share one, which the key {@code other} always has.
 * One that nobody has used for long goes; none goes while it is in use, or while it remembers what a new one would not know.
 * Instances are made beside each other, without the {@link #lock}: only those who ask for the same one wait for it, nobody else,
 * and neither does {@link #close}. One that is being made counts, and is not yet among {@link #all}.
 */
public abstract class Instances<T> {
    /** The key of the instance that all keys above the bound share. */
    protected static final String OTHER = "other";

    /** Of a key in a message: keys come from outside. */
    private static final int LONGEST = 100;

    /** The characters of a hash. */
    private static final int HASH = 32;

    private static final SafeLog LOG = SafeLog.of("dev.holdfast");

    /** What is in use, and when it was seen in use last. */
    private static final class Entry<T> {
        final String key;
        final InUse use;
        /** Held while the instance is made. */
        final Making making;
        /** Null: it is not made yet. Written under the lock. */
        volatile @Nullable T instance;
        /** Written under the lock. */
        private volatile long usedAt;
        /** From the moment on in which it is decided, or in which it could not be made. */
        private volatile boolean gone;

        Entry(String pipeline, String key, InUse use) {
            this.key = key;
            this.use = use;
            making = new Making(pipeline + "/" + Shown.line(key, LONGEST));
        }
    }

    /** No monitor: a virtual thread of Java 21 that waits while it has one keeps its carrier. */
    protected final ShortLock lock = new ShortLock();

    private final String name;
    private final TimeSource time;
    private final AtomicBoolean isToldFull = new AtomicBoolean();
    private final Map<String, Entry<T>> entries = new ConcurrentHashMap<>();
    private volatile @Nullable Entry<T> other;
    private volatile TimeSource.@Nullable Timer timer;
    private long lookAt;
    private volatile boolean closed;

    /** With a name for messages. */
    protected Instances(String name, TimeSource time) {
        this.name = name;
        this.time = time;
    }

    /** The most instances, without the shared one. */
    public abstract int max();

    /** After how many nanoseconds without use an instance goes. {@link Long#MAX_VALUE}: none goes. */
    protected abstract long idleNanos();

    /** What observers see of them. Default: nothing. */
    protected @Nullable Keys keys() {
        return null;
    }

    /** How many there are, without the shared one. */
    public final int size() {
        return entries.size();
    }

    protected abstract List<Policy> policies(T instance);

    /** Makes the instance of a key; this policy is to be its outermost. Instances of other keys are made meanwhile. */
    protected abstract T make(String key, InUse counting);

    /**
     * What this instance has missed since {@link #make}, and what must be done before anybody gets it; null: nothing. Called under the
     * lock: whoever changes all of them finds it among {@link #all}, or is before this.
     */
    protected @Nullable Runnable missed(T instance) {
        return null;
    }

    /** The instance goes, and is about to be no longer among {@link #all}. Somebody may still hold it. Called under the lock. */
    protected abstract void letGo(T instance);

    /** It has gone. Called without the lock: observers are told, who may wait for whoever makes another one. */
    protected abstract void retire(T instance);

    protected abstract void close(T instance);

    /**
     * The instance of this key, made if need be. Waits only while another thread makes this one, and fails as that does.
     *
     * @throws IllegalStateException if it is this thread that makes it, or one that waits for what this thread makes
     */
    public T of(String key) {
        for (Entry<T> entry = known(key); ; entry = claimed(key)) {
            T instance = entry == null ? null : instance(entry);
            // In this order: either this sees that it goes, or the look sees that it is used.
            if (entry != null && instance != null && !entry.gone) {
                if (entry == other && !key.equals(OTHER)) {
                    tellFull();
                }
                return instance;
            }
        }
    }

    /** Once: keys may come from outside, and then each is one too many. */
    private void tellFull() {
        if (!isToldFull.get() && isToldFull.compareAndSet(false, true)) {
            LOG.warn(
                    "'" + name + "' has instances for " + Checks.number(max())
                            + " keys, the most it may have: all further keys share one, '" + name + "/" + OTHER
                            + "'; told once",
                    null);
        }
    }

    private @Nullable Entry<T> known(String key) {
        Entry<T> own = entries.get(key);
        if (own == null && isShared(key)) {
            // Once more, after their number was read: this key may have the last place.
            own = entries.get(key);
            return own == null ? other : own;
        }
        return own;
    }

    /** One name, one instance: the meters know it by its name. */
    private boolean isShared(String key) {
        return key.equals(OTHER) || entries.size() >= max();
    }

    private Entry<T> claimed(String key) {
        lock.lock();
        try {
            Entry<T> own = entries.get(key);
            if (own != null && !own.gone) {
                return own;
            }
            if (!isShared(key)) {
                own = new Entry<>(name, key, new InUse(keys()));
                entries.put(key, own);
                return own;
            }
            Entry<T> shared = other;
            if (shared == null) {
                shared = new Entry<>(name, OTHER, new InUse(keys()));
                other = shared;
            }
            return shared;
        } finally {
            lock.unlock();
        }
    }

    /** Null: another thread could not make it. */
    private @Nullable T instance(Entry<T> entry) {
        T known = entry.instance;
        T instance = known == null ? made(entry) : known;
        entry.use.touch();
        return instance;
    }

    private @Nullable T made(Entry<T> entry) {
        entry.making.lock();
        try {
            if (entry.instance == null && !entry.gone) {
                T made = make(entry.key, entry.use);
                for (Runnable missed = published(entry, made); missed != null; missed = published(entry, made)) {
                    missed.run();
                }
                // After it is among all: either close finds it there, or this sees that all are closed.
                if (closed) {
                    close(made);
                }
            }
            return entry.instance;
        } catch (Throwable e) {
            if (entry.instance == null) {
                entry.making.failed(e);
            }
            throw e;
        } finally {
            if (entry.instance == null) {
                drop(entry);
            }
            entry.making.unlock();
        }
    }

    /**
     * A key in the name of a pipeline: one line of at most about this many characters, and another one for another key. A backslash
     * is escaped, as what begins with one in the line. One that is cut is longer by one than any other.
     */
    public static String shown(String key, int most) {
        // A beginning is enough for the line, however long the key is.
        String begin = key.length() > 2 * most ? key.substring(0, 2 * most) : key;
        String line = Shown.line(begin.replace("\\", "\\\\"), 4 * most);
        if (begin.length() == key.length() && line.codePointCount(0, line.length()) <= most) {
            return line;
        }
        return line.substring(0, line.offsetByCodePoints(0, most - HASH)) + "…" + hash(key);
    }

    /** A hash that nobody finds another key for. */
    private static String hash(String key) {
        ByteBuffer characters = ByteBuffer.allocate(2 * key.length());
        // Each character as it is: an encoding has one replacement for all that it cannot write.
        characters.asCharBuffer().put(key);
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(characters.array());
            return HexFormat.of().formatHex(hash, 0, HASH / 2);
        } catch (NoSuchAlgorithmException impossible) {
            throw new LinkageError("SHA-256", impossible);
        }
    }

    /** Returns what is to be done before. */
    private @Nullable Runnable published(Entry<T> entry, T made) {
        lock.lock();
        try {
            Runnable missed = missed(made);
            if (missed == null) {
                entry.usedAt = time.nanos();
                entry.instance = made;
                lookLater();
            }
            return missed;
        } finally {
            lock.unlock();
        }
    }

    /** It could not be made. The next one who asks tries again. */
    private void drop(Entry<T> entry) {
        lock.lock();
        try {
            entry.gone = true;
            entries.remove(entry.key, entry);
            if (other == entry) {
                other = null;
            }
        } finally {
            lock.unlock();
        }
    }

    private void lookLater() {
        if (timer == null && !closed && idleNanos() < Long.MAX_VALUE) {
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
        Map<Entry<T>, Long> remembered = new HashMap<>();
        for (Entry<T> entry : entries.values()) {
            T instance = entry.instance;
            if (instance != null && now - entry.usedAt >= idle) {
                remembered.put(entry, remembers(instance));
            }
        }
        return remembered;
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
                T instance = entry.instance;
                if (instance == null || !entry.use.isIdle()) {
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
                letGo(instance);
                gone.add(instance);
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
        entries.values().forEach(entry -> add(entry, all));
        add(other, all);
        return all;
    }

    private static <T> void add(@Nullable Entry<T> entry, List<T> all) {
        T instance = entry == null ? null : entry.instance;
        if (instance != null) {
            all.add(instance);
        }
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
