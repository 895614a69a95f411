/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.Once;
import java.util.Objects;

/** Calls that have no caller: forks, which a policy asks for, and hedges. They run on the executor for background work. */
final class ChildCalls {
    private final Engine engine;

    ChildCalls(Engine engine) {
        this.engine = engine;
    }

    /** Starts a call of the same action, just inside the layer that has asked for it. */
    void start(CallState parent, CallDecisions.Fork fork) {
        CallState child = of(parent, fork.layer());
        child.object(fork.object());
        child.cursor++;
        child.limitCaller(fork.limitNanos(), 0, false);
        child.refresh = true;
        child.context = parent.context();
        child.trace = parent.trace == null ? null : parent.trace.background();
        Once task = Once.of(() -> run(child));
        if (!task.isTakenBy(engine.lanes.background)) {
            engine.endings.refuse(child);
            run(child);
        }
    }

    /** A call of the same action that has to do with the layers from this one inward. */
    CallState of(CallState parent, int base) {
        CallState child = new CallState(engine.plan.layers, parent.async, null);
        child.begin(engine, parent.spec, parent.mode, true);
        child.work(Objects.requireNonNull(parent.action), parent.argument);
        child.background = true;
        child.outerPriority = parent.outerPriority;
        child.refresh = parent.refresh;
        child.base = base;
        child.copyOutside(parent, base);
        child.cursor = base;
        return child;
    }

    /** Runs it as its caller would, whatever this thread was doing. */
    void run(CallState child) {
        Surroundings callers;
        try {
            callers = Surroundings.enter(child, Ambient.get());
        } catch (OutOfMemoryError none) {
            engine.walk.breakOff(child, none);
            done(child);
            return;
        }
        try {
            child.driver().runChild(child);
        } finally {
            Surroundings.leave(callers);
        }
    }

    void done(CallState child) {
        Hedge hedge = child.hedge();
        if (hedge != null) {
            hedge.ended();
            return;
        }
        // Nobody gets it, unless a policy has kept it or others share it.
        child.loseValueFor(null);
        Endings.traceEnds(child);
        engine.observers.backgroundSettled(child.operation(), child.outcome, child.now() - child.startNanos);
        child.letGo();
    }
}
