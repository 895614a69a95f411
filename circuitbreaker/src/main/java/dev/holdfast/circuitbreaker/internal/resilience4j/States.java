/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.resilience4j;

import dev.holdfast.circuitbreaker.internal.engine.State;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.StateTransition;
import org.jspecify.annotations.Nullable;

/** The engine's states and resilience4j's. They have the same names. */
final class States {
    private States() {}

    static State ours(CircuitBreaker.State theirs) {
        return State.valueOf(theirs.name());
    }

    static CircuitBreaker.State theirs(State ours) {
        return CircuitBreaker.State.valueOf(ours.name());
    }

    /** If the engine was in a state that did not allow a change by hand, this throws resilience4j's exception for that. */
    static void check(@Nullable State refused, CircuitBreaker.State to, String breaker) {
        if (refused != null) {
            StateTransition unused = StateTransition.transitionBetween(breaker, theirs(refused), to);
        }
    }
}
