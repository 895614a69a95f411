/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The lock of something that one thread makes, with code of the user's, and that others wait for. If it cannot be made, it fails for all
 * of them. Makings may ask for each other: no ring of them waits.
 */
public final class Making {
    /** Which threads wait, or are about to. None is added without the lock, so that no ring is seen that is none. */
    private static final Map<Thread, Making> AWAITED = new ConcurrentHashMap<>();

    private static final ShortLock AWAITING = new ShortLock();

    private final ShortLock lock = new ShortLock();
    private final String name;
    /** Null: nobody has the lock. */
    private volatile @Nullable Thread maker;
    /** Guarded by the lock. */
    private @Nullable Throwable failure;

    /** Of what has this name in messages. */
    public Making(String name) {
        this.name = name;
    }

    /**
     * Waits for another thread that makes it. Throws what that has {@linkplain #failed failed} with.
     *
     * @throws IllegalStateException if this thread makes it, or the one that does waits for what this one makes
     */
    public void lock() {
        await();
        try {
            lock.lock();
        } finally {
            AWAITED.remove(Thread.currentThread());
        }
        Throwable known = failure;
        if (known != null) {
            lock.unlock();
            throw Causes.<RuntimeException>asItIs(known);
        }
        maker = Thread.currentThread();
    }

    private void await() {
        Thread asking = Thread.currentThread();
        StringBuilder asked = new StringBuilder();
        AWAITING.lock();
        try {
            Thread other;
            for (Making next = this; next != null; next = other == null ? null : AWAITED.get(other)) {
                asked.append('\'').append(next.name).append("' asks for ");
                other = next.maker;
                if (other == asking) {
                    throw new IllegalStateException("the instance '" + name
                            + "' is asked for by what is called while it is made: " + asked + "'" + name + "'");
                }
            }
            AWAITED.put(asking, this);
        } finally {
            AWAITING.unlock();
        }
    }

    /** Under the lock. Those who wait get this error. An interrupt is meant for this thread alone: the next one may make it. */
    public void failed(Throwable error) {
        if (!Thread.currentThread().isInterrupted() && !isOfAnInterrupt(error)) {
            failure = error;
        }
    }

    /** Code that wraps the exception often forgets to set the flag again. */
    private static boolean isOfAnInterrupt(Throwable error) {
        Throwable cause = error;
        for (int i = 0; cause != null && i < Causes.MOST; i++, cause = Causes.of(cause)) {
            if (cause instanceof InterruptedException) {
                return true;
            }
        }
        return false;
    }

    public void unlock() {
        maker = null;
        lock.unlock();
    }
}
