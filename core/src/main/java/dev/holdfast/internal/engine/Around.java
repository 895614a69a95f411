/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import java.util.Arrays;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A call with inner calls, and the calls around it. Knows what its layers held when the inner calls began, if it has a key, and
 * where inner calls report. Goes wherever the limit and the number of the attempt go.
 */
final class Around {
    /** Without this bound, a task that always starts the next one would be remembered with all that came before it. */
    private static final int MOST = 1_000;

    private final Engine engine;
    private final @Nullable Object[] held;
    private final Inside inside;
    private final int depth;
    private final @Nullable Around around;

    private Around(Engine engine, @Nullable Object[] held, Inside inside, @Nullable Around around) {
        this.engine = engine;
        this.held = held;
        this.inside = inside;
        this.around = around;
        depth = around == null ? 1 : around.depth + 1;
    }

    static Around of(Engine engine, @Nullable Object[] held, Inside inside, @Nullable Around around) {
        Around bounded = around != null && around.depth >= MOST ? around.onto(null, MOST / 2) : around;
        return new Around(engine, Arrays.copyOf(held, engine.plan.layers), inside, bounded);
    }

    // What a call inside all of them reports, as Inside says.

    void begun() {
        for (Around each = this; each != null; each = each.around) {
            each.inside.begun();
        }
    }

    void starts() {
        for (Around each = this; each != null; each = each.around) {
            each.inside.starts();
        }
    }

    void ends() {
        for (Around each = this; each != null; each = each.around) {
            each.inside.ends();
        }
    }

    void shares(Object value) {
        for (Around each = this; each != null; each = each.around) {
            each.inside.shares(value);
        }
    }

    void old() {
        for (Around each = this; each != null; each = each.around) {
            each.inside.old();
        }
    }

    /** Joins what is bound to a thread and what its innermost call has around it. Each may contain the other. */
    static @Nullable Around joined(@Nullable Around bound, @Nullable Around calls) {
        if (bound == null || (calls != null && calls.knows(bound))) {
            return calls;
        }
        return calls == null || bound.knows(calls) ? bound : bound.onto(calls, MOST / 2);
    }

    private boolean knows(Around other) {
        for (Around each = this; each != null; each = each.around) {
            if (each == other) {
                return true;
            }
        }
        return false;
    }

    private @Nullable Around onto(@Nullable Around outer, int most) {
        return most == 0
                ? outer
                : new Around(engine, held, inside, around == null ? outer : around.onto(outer, most - 1));
    }

    /** Whether this call or one around it is of this pipeline and holds such a thing in this layer. */
    boolean holds(Engine pipeline, int layer, Predicate<Object> what) {
        for (Around each = this; each != null; each = each.around) {
            Object object = each.engine == pipeline ? each.held[layer] : null;
            if (object != null && what.test(object)) {
                return true;
            }
        }
        return false;
    }
}
