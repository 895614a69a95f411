/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.TimeSource;
import org.jspecify.annotations.Nullable;

/**
 * Strikes attempts that have outlived their limit, and tells policies of those that run too long. On the system's time one
 * queue serves all calls: a timer for each call would cost more than all policies together. On any other time each attempt has
 * its own timers. They strike at the exact instant, and none remains when the attempt ends.
 */
public abstract class Watchdog {
    static Watchdog on(TimeSource time) {
        return time == TimeSource.system() ? OfSystem.QUEUE : new Exact(time);
    }

    /** Watches the attempt of this call, whose limit does not change meanwhile. Throws if there is no timer. */
    abstract void watch(CallState call, long number);

    /** The attempt is over. */
    abstract void release(CallState call);

    /** How much longer a wait for an answer goes on, once, at whose limit its thread was so late; 0: no longer. */
    long graceNanos(long lateNanos) {
        return 0;
    }

    private static final class OfSystem {
        static final Watchdog QUEUE = new WatchQueue(TimeSource.system());
    }

    private static final class Exact extends Watchdog {
        private final TimeSource time;

        Exact(TimeSource time) {
            this.time = time;
        }

        @Override
        void watch(CallState call, long number) {
            Alarms alarms = call.alarms;
            if (alarms != null) {
                setAlarm(call, alarms, number, alarms.waitNanos(time.nanos() - call.attemptStart));
            }
            if (call.limited) {
                call.limitTimer = time.schedule(
                        call.limitAt - call.now(), () -> call.driver().strike(call, number));
            }
        }

        private void setAlarm(CallState call, Alarms alarms, long number, long wait) {
            if (wait != Alarms.NEVER) {
                call.alarmTimer = time.schedule(wait, () -> {
                    if (call.isUnderWay(number)) {
                        setAlarm(call, alarms, number, alarms.tell(call, number, time.nanos()));
                    }
                });
            }
        }

        @Override
        void release(CallState call) {
            cancel(call.limitTimer);
            cancel(call.alarmTimer);
            call.limitTimer = null;
            call.alarmTimer = null;
        }

        private static void cancel(TimeSource.@Nullable Timer timer) {
            if (timer != null) {
                timer.cancel();
            }
        }
    }
}
