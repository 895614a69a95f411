/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import java.util.concurrent.Callable;

/** A circuit breaker that failures have opened. Its callers catch the rejection; a call that comes through ends the run. */
record OpenBreaker(Guard breaker) implements Guard {

    OpenBreaker {
        Callable<?> failing = breaker.around(new Caller().failsEvery(1));
        for (int call = 0; call < Policies.WINDOW; call++) {
            try {
                failing.call();
            } catch (Exception counted) {
                // That is what opens it.
            }
        }
    }

    @Override
    public Callable<?> around(Caller caller) {
        Callable<?> call = breaker.around(caller);
        return () -> {
            try {
                call.call();
            } catch (RuntimeException rejection) {
                return rejection;
            }
            throw new IllegalStateException("the open breaker let a call through");
        };
    }

    @Override
    public void close() {
        breaker.close();
    }
}
