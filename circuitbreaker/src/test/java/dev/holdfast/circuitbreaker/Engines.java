/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.circuitbreaker.internal.engine.Engine;
import dev.holdfast.circuitbreaker.internal.engine.State;
import dev.holdfast.circuitbreaker.internal.engine.Totals;
import dev.holdfast.circuitbreaker.internal.engine.Witness;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;

/** Engines by the settings of users, at the time 0. For the tests in the engine's own package, too. */
public final class Engines {
    private static final Witness NOBODY = new Witness() {
        @Override
        public void exceeded(int thresholds, Totals totals) {}

        @Override
        public void changed(State from, State to) {}

        @Override
        public void reset() {}
    };

    private Engines() {}

    static State state(CircuitBreaker.State theirs) {
        return State.valueOf(theirs.name());
    }

    public static Engine of(CircuitBreakerSettings settings) {
        return of(settings, NOBODY);
    }

    public static Engine of(CircuitBreakerSettings settings, Witness witness) {
        return new Engine(settings.rules(), witness, 0);
    }
}
