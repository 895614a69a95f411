/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.Policy;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/** What a policy is asked or told outside the walk, on any thread. What it throws is logged once and breaks no call. */
final class PolicyHooks {
    private final Plan plan;
    private final String pipeline;
    private final Lanes lanes;
    private final Log log;

    /** With threads for what would run code of the user's on a timer's thread. */
    PolicyHooks(Plan plan, String pipeline, Lanes lanes, Log log) {
        this.plan = plan;
        this.pipeline = pipeline;
        this.lanes = lanes;
        this.log = log;
    }

    /** On the watchdog's thread. */
    void overdue(int layer, long slot, long now) {
        if (overdueRunsUserCode(layer)) {
            apart(lanes.hooks, () -> tellOverdue(layer, slot, now), "overdue", layer);
        } else {
            tellOverdue(layer, slot, now);
        }
    }

    /** A lease is over: a user's code that waits, such as the appender of a log, is not to hold up every limit. */
    void leaseIsOver(Runnable told, int layer) {
        apart(lanes.leases, told, "ended", layer);
    }

    /** For what a timer's thread is not to run. */
    private void apart(Supplier<Executor> threads, Runnable told, String method, int layer) {
        try {
            threads.get().execute(told);
        } catch (Throwable noThread) {
            log.once("no thread for " + method + " of " + plan.policyName(layer) + " in '" + pipeline + "'", noThread);
            told.run();
        }
    }

    private boolean overdueRunsUserCode(int layer) {
        try {
            return plan.policy(layer).overdueRunsUserCode();
        } catch (Throwable thrown) {
            threw("overdueRunsUserCode", layer, thrown);
            return false;
        }
    }

    private void tellOverdue(int layer, long slot, long now) {
        try {
            plan.policy(layer).overdue(slot, now);
        } catch (Throwable thrown) {
            threw("overdue", layer, thrown);
        }
    }

    /** On the watchdog's thread: after how many nanoseconds it is to be asked again; negative if it starts none. */
    long hedge(int layer, int hedges, long now) {
        try {
            return plan.policy(layer).hedge(hedges, now);
        } catch (Throwable thrown) {
            threw("hedge", layer, thrown);
            return Policy.NO_HEDGE;
        }
    }

    void hedgeBegun(int layer) {
        try {
            plan.policy(layer).hedgeBegun();
        } catch (Throwable thrown) {
            threw("hedgeBegun", layer, thrown);
        }
    }

    void hedgeNotMade(int layer, long now, boolean begun) {
        try {
            plan.policy(layer).hedgeNotMade(now, begun);
        } catch (Throwable thrown) {
            threw("hedgeNotMade", layer, thrown);
        }
    }

    /** After how many nanoseconds an entry of this layer ends although its work goes on; {@link Long#MAX_VALUE}: never. */
    long lease(int layer) {
        try {
            return plan.policy(layer).lease();
        } catch (Throwable thrown) {
            threw("lease", layer, thrown);
            return Long.MAX_VALUE;
        }
    }

    void abandon(CallState call) {
        try {
            plan.policy(call.cursor).abandon(call);
        } catch (Throwable thrown) {
            threw("abandon", call.cursor, thrown);
        }
    }

    /** The work of the entry is over, in the layer of the call's cursor. */
    void ended(CallState call) {
        try {
            plan.policy(call.cursor).ended(call);
        } catch (Throwable thrown) {
            endedThrew(call.cursor, thrown);
        }
    }

    void endedThrew(int layer, Throwable thrown) {
        threw("ended", layer, thrown);
    }

    void attemptStarts(CallState call) {
        each(call, plan.onAttempt, "attemptStarts", Policy::attemptStarts);
    }

    void attemptEnds(CallState call) {
        each(call, plan.onAttempt, "attemptEnds", Policy::attemptEnds);
    }

    /** Tells the layers that the call is inside of, in their order. */
    private void each(CallState call, long layers, String method, BiConsumer<Policy, CallState> told) {
        int at = call.cursor;
        for (long left = layers & plan.entered(call); left != 0; left &= left - 1) {
            call.cursor = Long.numberOfTrailingZeros(left);
            try {
                told.accept(plan.policy(call.cursor), call);
            } catch (Throwable thrown) {
                threw(method, call.cursor, thrown);
            }
        }
        call.cursor = at;
    }

    private void threw(String method, int layer, Throwable thrown) {
        try {
            log.once(method + " of " + plan.policyName(layer) + " in '" + pipeline + "' threw", thrown);
        } catch (Throwable noMemory) {
            // The walk must go on.
        }
    }
}
