/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Outcome;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An attempt beside the one of a call: a call of its own of the same action, on the pipeline's executor, that enters just
 * inside the layer that hedges. It has one attempt and never waits in a queue or for a permit.
 */
final class Hedge extends Once {
    final CallState call;
    private final Race race;
    private final Engine engine;
    private final CallSpec spec;
    private final int mode;
    private final Object action;
    private final @Nullable Object argument;
    private final int outerAttempt;
    private final int attemptsBefore;

    long startedAt;

    /** Whether its attempt has begun, and when; read by the call, on whichever thread that is. */
    volatile boolean started;

    // Published by the race's lock.
    boolean running;
    boolean ran;
    volatile boolean landed;
    Outcome outcome = Outcome.CANCELLED;

    @Nullable
    Object value;

    @Nullable
    Throwable error;

    Hedge(Race race, CallState parent, int attemptsBefore) {
        this.race = race;
        this.attemptsBefore = attemptsBefore;
        engine = parent.engine;
        spec = parent.spec;
        mode = parent.mode;
        action = Objects.requireNonNull(parent.action);
        argument = parent.argument;
        outerAttempt = parent.outerAttempt;
        call = new CallState(engine.plan.layers, parent.async, null);
        call.background = true;
        call.standBeside(parent);
        call.alarms(engine.plan.layers).hedge = this;
    }

    /** On the watchdog's thread, which runs no code of the user's. */
    void start() {
        if (!isTakenBy(engine.lanes::background)) {
            landed();
        }
    }

    @Override
    void runOnce() {
        // Told first: the call may end as soon as this has begun, and then those around it ask what is still under way.
        if (call.around != null) {
            call.around.starts();
        }
        if (call.cancelPending() || !race.begins(this)) {
            tellOfEnd();
            landed();
            return;
        }
        call.begin(engine, spec, mode, true);
        call.work(action, argument);
        call.base = race.layer + 1;
        call.cursor = call.base;
        call.outerAttempt = outerAttempt;
        call.attempts = attemptsBefore;
        call.limitCaller(race.remainingNanos(call.now()), race.reserve);
        engine.children.run(call);
    }

    /** Its walk is over. */
    void ended() {
        ran = call.attempts > attemptsBefore;
        outcome = call.outcome;
        value = call.value;
        error = call.error;
        tellOfEnd();
        landed();
    }

    /** Before it lands: the call that waits for it may then end, and be tried again. */
    private void tellOfEnd() {
        if (call.around != null) {
            call.around.ends();
        }
    }

    private void landed() {
        // Also one that another pipeline has turned away inside the action.
        if (!ran || (outcome == Outcome.REJECTED && NotDone.surely(error))) {
            engine.hooks.hedgeNotMade(race.layer, engine.time.nanos());
        }
        race.landed(this);
    }

    /** Another attempt has answered, or the whole call has ended. Never runs any of it on this thread. */
    void giveUp() {
        // Its call knows no engine before it has begun.
        if (!engine.driver(call.async).giveUp(call)) {
            started = false;
        }
    }

    /** Its attempt is about to open. */
    void begun() {
        startedAt = call.attemptStart;
        started = true;
        engine.observers.hedged(spec.operation().name(), attemptsBefore + 1);
    }

    String limitOwnerName() {
        return race.limitOwnerName;
    }

    long limitNanos() {
        return race.limitNanos;
    }

    long decidedAt() {
        return race.decidedAt();
    }
}
