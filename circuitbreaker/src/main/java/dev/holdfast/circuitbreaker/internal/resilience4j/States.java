/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.resilience4j;

import dev.holdfast.circuitbreaker.internal.engine.State;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.StateTransition;
import org.jspecify.annotations.Nullable;

/** Converts between the engine's states and resilience4j's, which have the same names. */
final class States {
    private States() {}

    static State ours(CircuitBreaker.State theirs) {
        return State.valueOf(theirs.name());
    }

    static CircuitBreaker.State theirs(State ours) {
        return CircuitBreaker.State.valueOf(ours.name());
    }

    /** Throws resilience4j's exception if the engine refused a manual change; {@code refused} is its state then. */
    static void check(@Nullable State refused, CircuitBreaker.State to, String breaker) {
        if (refused != null) {
            StateTransition unused = StateTransition.transitionBetween(breaker, theirs(refused), to);
        }
    }
}
