/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.TimeSource;
import java.lang.ref.WeakReference;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * Strikes attempts that have outlived their limit, and tells policies of those that run too long. On the system's time there
 * is one for all calls in flight, which sweeps over them while there are any, since a timer task for each call costs more
 * than all the policies together; when the machine keeps the timer's thread waiting, calls that begin meanwhile strike in its
 * place. On any other time each attempt has a timer of its own, so that it is struck at its exact instant.
 */
abstract class Watchdog {
    static Watchdog on(TimeSource time) {
        return time == TimeSource.system() ? OfSystem.INSTANCE : new Exact(time);
    }

    /** Before an attempt of this call begins; may take some microseconds, which are not the attempt's. */
    void approach(CallState call) {}

    /** Watches the open attempt of this call, whose limit does not change meanwhile. */
    abstract void watch(CallState call, long number);

    /** The attempt is over. */
    abstract void release(CallState call);

    private static final class OfSystem {
        static final Watchdog INSTANCE = new Sweeping(TimeSource.system());
    }

    private static final class Exact extends Watchdog {
        private final TimeSource time;

        Exact(TimeSource time) {
            this.time = time;
        }

        @Override
        void watch(CallState call, long number) {
            Alarms alarms = call.alarms;
            if (alarms != null && alarms.any()) {
                set(call, alarms, number, alarms.due());
            }
            Race race = call.race();
            if (race != null) {
                set(race);
            }
            if (call.limited) {
                call.limitTimer = time.schedule(call.limitAt - call.now, () -> call.strike(number));
            }
        }

        private void set(CallState call, Alarms alarms, long number, long due) {
            long wait = call.attemptStart + due - time.nanos();
            call.alarmTimer = time.schedule(Math.max(0, wait), () -> {
                if (call.openNumber() == number) {
                    long next = alarms.tell(call, number, time.nanos());
                    if (next != Long.MAX_VALUE) {
                        set(call, alarms, number, next);
                    }
                }
            });
        }

        private void set(Race race) {
            long wait = race.waitNanos(time.nanos());
            if (wait != Long.MAX_VALUE) {
                race.timer = time.schedule(wait, () -> {
                    if (race.look(time.nanos())) {
                        set(race);
                    }
                });
            }
        }

        @Override
        void release(CallState call) {
            Race race = call.race();
            if (race != null) {
                cancel(race.timer);
            }
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

    /** Limits are kept to a millisecond. What only an alarm waits for can be later, and wakes the machine less often. */
    static final class Sweeping extends Watchdog {
        private static final long LIMIT_PERIOD_NANOS = 1_000_000;
        private static final long ALARM_PERIOD_NANOS = 20_000_000;

        private final Queue<WeakReference<CallState>> owned = new ConcurrentLinkedQueue<>();
        private final Sweeper limits;
        private final Sweeper alarms;

        Sweeping(TimeSource time) {
            limits = new Sweeper(time, owned, LIMIT_PERIOD_NANOS, true);
            alarms = new Sweeper(time, owned, ALARM_PERIOD_NANOS, false);
        }

        @Override
        void approach(CallState call) {
            if (call.limited) {
                limits.approach(call);
            }
        }

        @Override
        void watch(CallState call, long number) {
            Sweeper sweeper = call.limited || call.race() != null ? limits : alarms;
            if (!call.own) {
                sweeper.place(call);
            } else if (call.knownBy != this) {
                // Once for all the calls of the thread, which then cost nothing but their word.
                owned.add(new WeakReference<>(call));
                call.knownBy = this;
            }
            sweeper.start();
        }

        @Override
        @SuppressWarnings("NullAway") // an empty place is null; the array has no way to say so
        void release(CallState call) {
            Sweeper.Table table = call.watchTable;
            if (table != null) {
                call.watchTable = null;
                table.places.setRelease(call.watchSlot, null);
            }
        }
    }
}
