/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Runs the function that a policy answers from, inside the call: under its deadline, and as none of its attempts. */
final class Answering {
    private Answering() {}

    @SuppressWarnings("NullAway") // it declares that it takes null, which the checker does not see through a wildcard
    static @Nullable Object applied(CallState call) {
        Function<? super @Nullable Throwable, ?> function = call.function;
        if (function == null) {
            throw new IllegalStateException("a policy said answerFrom without a function");
        }
        call.function = null;
        Ambient ambient = Ambient.get();
        CallState before = ambient.inner();
        boolean walked = ambient.walks();
        try {
            ambient.enter(call);
            call.answering = true;
            ambient.pauseWalk();
            Traces.OfCall trace = call.trace;
            return trace == null ? function.apply(call.error) : trace.within(() -> function.apply(call.error));
        } finally {
            if (walked) {
                ambient.resumeWalk();
            }
            call.answering = false;
            // The function may have taken long: the call's time goes on.
            call.askLater();
            ambient.leave(before);
        }
    }

    /** As {@link #applied}, where the function returns a stage. */
    static CompletionStage<?> appliedStage(CallState call) {
        Object stage = applied(call);
        if (stage == null) {
            throw new NullPointerException("the fallback returned null and no stage");
        }
        return (CompletionStage<?>) stage;
    }
}
