/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.CallContext;
import org.jspecify.annotations.Nullable;

/**
 * Gives another thread what the caller of a call had on its own: context, deadline and attempt. Hides what the other thread is
 * doing itself, until it is left.
 */
final class Surroundings {
    private final Ambient ambient;
    private Ambient.@Nullable Held before;
    private CallContext.@Nullable Scope scope;

    private Surroundings(Ambient ambient) {
        this.ambient = ambient;
    }

    /** Null if there is nothing to give and nothing to hide, as for most calls. */
    static @Nullable Surroundings enter(CallState call, Ambient ambient) {
        CallContext.Snapshot context = call.context;
        boolean bare = call.inheritsNothing() && ambient.holdsNothing();
        if (bare && context == null) {
            return null;
        }
        Surroundings entered = new Surroundings(ambient);
        try {
            entered.scope = context == null ? null : context.restore();
            entered.before = bare ? null : ambient.replace(Bound.ofCaller(call));
            return entered;
        } catch (Throwable broken) {
            // The thread must not keep a part of it.
            leave(entered);
            throw broken;
        }
    }

    static void leave(@Nullable Surroundings entered) {
        if (entered == null) {
            return;
        }
        if (entered.before != null) {
            entered.ambient.putBack(entered.before);
        }
        if (entered.scope != null) {
            entered.scope.close();
        }
    }
}
