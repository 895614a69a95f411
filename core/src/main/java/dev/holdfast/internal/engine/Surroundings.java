/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.CallContext;
import org.jspecify.annotations.Nullable;

/**
 * What the caller of a call had on its thread, in force on another thread until it is left: its context, its deadline and
 * its attempt, and not what the other thread happens to be in the middle of.
 */
final class Surroundings {
    private final Ambient ambient;
    private final Ambient.@Nullable Held before;
    private final CallContext.@Nullable Scope scope;

    private Surroundings(Ambient ambient, Ambient.@Nullable Held before, CallContext.@Nullable Scope scope) {
        this.ambient = ambient;
        this.before = before;
        this.scope = scope;
    }

    /** Null, which most calls get, where nothing is to be given and nothing to be hidden. */
    static @Nullable Surroundings enter(CallState call, Ambient ambient) {
        CallContext.Snapshot context = call.context;
        boolean bare = call.inheritsNothing() && ambient.holdsNothing();
        if (bare && context == null) {
            return null;
        }
        CallContext.Scope scope = context == null ? null : context.restore();
        return new Surroundings(ambient, bare ? null : ambient.replace(call), scope);
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
