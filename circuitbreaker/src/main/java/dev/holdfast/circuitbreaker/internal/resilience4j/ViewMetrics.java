/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.resilience4j;

import dev.holdfast.circuitbreaker.internal.engine.PipelineClock;
import dev.holdfast.circuitbreaker.internal.engine.Totals;
import dev.holdfast.circuitbreaker.internal.engine.Window;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.Metrics;

/** The numbers of one window, read at each request. Keeps to that window after the breaker has begun another one. */
record ViewMetrics(Window window, PipelineClock clock) implements Metrics {

    private Totals now() {
        return window.totals(clock.nanos());
    }

    @Override
    public float getFailureRate() {
        return now().failureRate();
    }

    @Override
    public float getSlowCallRate() {
        return now().slowRate();
    }

    @Override
    public int getNumberOfSlowCalls() {
        return now().slow();
    }

    @Override
    public int getNumberOfSlowSuccessfulCalls() {
        Totals totals = now();
        return totals.slow() - totals.slowFailed();
    }

    @Override
    public int getNumberOfSlowFailedCalls() {
        return now().slowFailed();
    }

    @Override
    public int getNumberOfBufferedCalls() {
        return now().calls();
    }

    @Override
    public int getNumberOfFailedCalls() {
        return now().failed();
    }

    @Override
    public long getNumberOfNotPermittedCalls() {
        return window.notPermitted();
    }

    @Override
    public int getNumberOfSuccessfulCalls() {
        Totals totals = now();
        return totals.calls() - totals.failed();
    }
}
