/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import dev.holdfast.spi.TimeSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The system's time, which stands still until the action has begun, its timers too. On the system's own clock a thread that
 * is held up before that, for as long as its limit, is rightly turned away: a busy machine does that to any of them.
 */
public class Begun extends Around {
    private final long stood = System.nanoTime();
    private volatile long stoodFor;
    private volatile boolean begun;
    /** Guarded by this. */
    private final List<Held> held = new ArrayList<>();

    /** A timer that was set before time passed; guarded by the whole. */
    private final class Held implements Timer {
        private final long delayNanos;
        private final Runnable task;
        private @Nullable Timer running;

        Held(long delayNanos, Runnable task) {
            this.delayNanos = delayNanos;
            this.task = task;
        }

        void start() {
            running = Begun.super.schedule(delayNanos, task);
        }

        @Override
        public void cancel() {
            synchronized (Begun.this) {
                held.remove(this);
                if (running != null) {
                    running.cancel();
                }
            }
        }
    }

    public Begun() {
        super(TimeSource.system());
    }

    /** Said by the action: from now on time passes. */
    public final synchronized void begin() {
        if (!begun) {
            stoodFor = System.nanoTime() - stood;
            begun = true;
            held.forEach(Held::start);
        }
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        Held timer = new Held(delayNanos, task);
        synchronized (this) {
            if (begun) {
                timer.start();
            } else {
                held.add(timer);
            }
        }
        return timer;
    }

    @Override
    public long nanos() {
        return begun ? System.nanoTime() - stoodFor : stood;
    }
}
