/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Outcome;
import dev.holdfast.internal.Once;
import org.jspecify.annotations.Nullable;

/**
 * An attempt beside a call's own one. It is a call of the same action, on the pipeline's executor, and enters just inside the
 * layer that hedges. It has one attempt and never waits in a queue or for a permit.
 */
final class Hedge extends Once {
    final CallState call;
    final Race race;
    private final int attemptsBefore;

    long startedAt;

    /** Whether its attempt has begun, and when; read by the call, on whichever thread that is. */
    volatile boolean started;

    /** It was given up before its attempt began, which then does not begin. Guarded by this. */
    private boolean tooLate;

    /** Written and read by the thread of the hedge, or by those that go on with it. */
    private boolean toldBegun;

    // Published by the race's lock.
    boolean running;
    boolean ran;
    boolean mayHaveBegun;
    volatile boolean landed;
    Outcome outcome = Outcome.CANCELLED;

    @Nullable
    Object value;

    @Nullable
    Throwable error;

    Hedge(Race race, CallState parent, int attemptsBefore) {
        this.race = race;
        this.attemptsBefore = attemptsBefore;
        call = parent.engine.children.of(parent, race.layer + 1);
        call.outerAttempt = parent.outerAttempt;
        call.attempts = attemptsBefore;
        call.standBeside(parent);
        call.trace = parent.trace == null ? null : parent.trace.ofHedge();
        call.alarms(parent.engine.plan.layers).hedge = this;
    }

    /** On the watchdog's thread, which runs no code of the user's. */
    void start() {
        if (!isTakenBy(call.engine.lanes.background)) {
            landed();
        }
    }

    @Override
    public void runOnce() {
        // Told first: the call may end as soon as this has begun, and then outer calls ask what still runs.
        if (call.around != null) {
            call.around.starts();
        }
        if (call.cancelPending() || !race.begins(this)) {
            tellOfEnd();
            landed();
            return;
        }
        call.readNow();
        call.startsTimed();
        call.limitCaller(race.remainingNanos(call.now()), race.reserve, race.inheritsLimit);
        call.engine.children.run(call);
    }

    /** Its walk is over. */
    void ended() {
        // First: what follows may run the rest of the call that waits for it.
        call.work(null, null);
        ran = call.attempts > attemptsBefore;
        mayHaveBegun = call.hasBegunKeyedWork();
        outcome = call.outcome;
        value = call.value;
        error = call.error;
        tellOfEnd();
        landed();
    }

    /** Call this before {@link #landed}. After that the waiting call may end and retry. */
    private void tellOfEnd() {
        if (call.around != null) {
            call.around.ends();
        }
    }

    private void landed() {
        // Not made either if another pipeline rejected it inside the action.
        if (!ran || (outcome == Outcome.REJECTED && NotDone.surely(error))) {
            call.engine.hooks.hedgeNotMade(race.layer, call.time().nanos(), toldBegun);
        }
        race.landed(this);
    }

    /** The call has what it came to, or nobody wants it: another attempt that never ends keeps the race, and so this object. */
    void letGo() {
        value = null;
        error = null;
        call.letGo();
    }

    /** Another attempt has answered, or the whole call has ended. */
    void giveUp() {
        synchronized (this) {
            tooLate = !started;
        }
        if (!call.driver().giveUp(call)) {
            started = false;
        }
    }

    /** Its attempt is about to open; not if it has been given up. */
    void begun() {
        startsTrace();
        synchronized (this) {
            startedAt = call.attemptStart;
            if (tooLate) {
                return;
            }
            started = true;
        }
        toldBegun = true;
        call.engine.hooks.hedgeBegun(race.layer);
        call.engine.observers.hedged(call.operation(), attemptsBefore + 1);
    }

    /**
     * Before it counts: an attempt that counts has its span. Not under the lock, which the answer of another attempt waits for: a
     * tracer may take long, and may end the call.
     */
    private void startsTrace() {
        boolean givenUp;
        synchronized (this) {
            givenUp = tooLate;
        }
        if (call.trace != null && !givenUp) {
            var unused = call.trace.attempt(call).start();
        }
    }
}
