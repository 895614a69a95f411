/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.TimeSource;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The daemon threads that all pipelines share: a thousand pipelines that go on at the same moment need no thousand threads. Work
 * goes to an idle thread. If there is none it queues, and threads are started until the queue is empty: no work waits until other
 * work has ended. What bounds their number is the {@link Quota} of each pipeline. A thread ends when it has been idle for a second.
 */
final class Workers implements Quota.Starter {
    static final Workers ALL =
            new Workers((work, name) -> Threads.daemon(work, name).start());

    private static final int IDLE_SECONDS = 1;
    private static final long TRY_AGAIN_NANOS = 100_000_000;

    /**
     * Threads that are started and have not looked for work yet. More would take it no sooner, and the timer's thread, which brings
     * most of it, would be busy with starting them.
     */
    private static final int MOST_STARTING = 4;

    private final SynchronousQueue<Quota> idle = new SynchronousQueue<>();
    private final Queue<Quota> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger starting = new AtomicInteger();
    private final AtomicBoolean tryingAgain = new AtomicBoolean();
    private final AtomicInteger number = new AtomicInteger();
    private final BiConsumer<Runnable, String> starter;

    /** With what starts a thread of this name. */
    Workers(BiConsumer<Runnable, String> starter) {
        this.starter = starter;
    }

    /** Blocks for nothing. */
    @Override
    public void run(Quota quota) {
        if (!idle.offer(quota)) {
            queue.add(quota);
            try {
                startOne();
            } catch (Throwable noThread) {
                boolean isTakenBack = queue.remove(quota);
                tryAgainIfAnyWait();
                if (isTakenBack) {
                    throw noThread;
                }
            }
        }
    }

    @Override
    public void runLater(Quota quota) {
        queue.add(quota);
        tryAgainIfAnyWait();
    }

    private void startOne() {
        // Never too many for a moment: who finds enough of them relies on one that is still to look for work.
        if (starting.getAndUpdate(n -> Math.min(n + 1, MOST_STARTING)) == MOST_STARTING) {
            return;
        }
        try {
            int mine = number.incrementAndGet();
            starter.accept(() -> work(mine), "holdfast-worker-" + mine);
        } catch (Throwable noThread) {
            starting.decrementAndGet();
            throw noThread;
        }
    }

    private void work(int mine) {
        // Before it looks.
        starting.decrementAndGet();
        Quota quota = queue.poll();
        while (quota != null) {
            startOneIfOthersWait();
            quota.run(mine);
            quota = next();
        }
    }

    /** The work that this thread begins may block. */
    private void startOneIfOthersWait() {
        if (!queue.isEmpty()) {
            try {
                startOne();
            } catch (Throwable noThread) {
                tryAgainIfAnyWait();
            }
        }
    }

    /** What is in the queue may have relied on a thread that could not be started, and perhaps no other thread works. */
    private void tryAgainIfAnyWait() {
        if (!queue.isEmpty() && tryingAgain.compareAndSet(false, true)) {
            try {
                TimeSource.system().schedule(TRY_AGAIN_NANOS, () -> {
                    tryingAgain.set(false);
                    startOneIfOthersWait();
                });
            } catch (Throwable noMemory) {
                tryingAgain.set(false);
            }
        }
    }

    private @Nullable Quota next() {
        Quota waiting = queue.poll();
        if (waiting != null) {
            return waiting;
        }
        try {
            return idle.poll(IDLE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException byNobody) {
            return null;
        }
    }
}
