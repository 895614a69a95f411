/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.spi.Passage;
import dev.holdfast.spi.TimeSource;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import io.github.resilience4j.circuitbreaker.internal.CircuitBreakerStateMachine;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** resilience4j's engine, and what was last seen of it. Safe for any number of threads. */
final class Breaker {
    private final CircuitBreaker engine;
    private final @Nullable PipelineClock clock;
    private final boolean livesKnown;
    private final int probes;
    private final long waitNanos;
    private final long maxProbeWaitNanos;
    private final AtomicReference<Sight> last;

    private Breaker(CircuitBreaker engine, @Nullable PipelineClock clock, long waitNanos, long maxProbeWaitNanos) {
        this.engine = engine;
        this.clock = clock;
        this.waitNanos = waitNanos;
        this.maxProbeWaitNanos = maxProbeWaitNanos;
        probes = engine.getCircuitBreakerConfig().getPermittedNumberOfCallsInHalfOpenState();
        livesKnown = engine instanceof CircuitBreakerStateMachine;
        last = new AtomicReference<>(sight(engine.getState(), life(), 0));
    }

    /** An engine of our own, on the time of the pipeline. */
    static Breaker own(String name, CircuitBreakerSettings settings) {
        PipelineClock clock = new PipelineClock();
        // Its own wait in half-open stays off: it needs a thread, and goes by the machine's time.
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                .failureRateThreshold((float) settings.failureRateThreshold())
                .slowCallRateThreshold((float) settings.slowCallRateThreshold())
                .slowCallDurationThreshold(settings.slowCallDurationThreshold())
                .slidingWindow(
                        settings.slidingWindowSize(),
                        settings.minimumNumberOfCalls(),
                        settings.slidingWindowType(),
                        SlidingWindowSynchronizationStrategy.SYNCHRONIZED)
                .permittedNumberOfCallsInHalfOpenState(settings.permittedNumberOfCallsInHalfOpenState())
                .waitDurationInOpenState(settings.waitDurationInOpenState())
                .writableStackTraceEnabled(false)
                .clock(clock)
                .currentTimestampFunction(any -> clock.nanos(), TimeUnit.NANOSECONDS)
                .build();
        long waitNanos =
                TimeUnit.MILLISECONDS.toNanos(settings.waitDurationInOpenState().toMillis());
        long maxProbeWaitNanos = settings.maxWaitDurationInHalfOpenState().toNanos();
        return new Breaker(CircuitBreaker.of(name, config), clock, waitNanos, maxProbeWaitNanos);
    }

    /** An engine of the user's, left as it is. */
    static Breaker shared(CircuitBreaker engine) {
        return new Breaker(engine, null, -1, Long.MAX_VALUE);
    }

    CircuitBreaker engine() {
        return engine;
    }

    int probes() {
        return probes;
    }

    void bind(TimeSource time) {
        if (clock != null) {
            clock.bind(time);
        }
    }

    boolean tryAcquire(long now) {
        return engine.tryAcquirePermission() || (moreProbes(now) && engine.tryAcquirePermission());
    }

    /** Probes that do not report keep their permits; after a time others get as many, and the late results still count. */
    private boolean moreProbes(long now) {
        if (clock == null || !last.get().probesOverdue(now, maxProbeWaitNanos)) {
            return false;
        }
        for (int i = 0; i < probes; i++) {
            engine.releasePermission();
        }
        return true;
    }

    /** What is seen now. Whoever sees a change first tells it. */
    Sight look(Passage passage) {
        while (true) {
            // In this order, so that an older view never takes the place of a newer one.
            Sight before = last.get();
            State state = engine.getState();
            // After the state: a permit is of the state that was read, or of one that is over and cannot miss it.
            Object life = life();
            if (before.is(state, life)) {
                return before;
            }
            Sight after = sight(state, life, passage.now());
            if (last.compareAndSet(before, after)) {
                if (before.state() != state) {
                    passage.stateChanged(Sight.name(before.state()), Sight.name(state));
                }
                return after;
            }
        }
    }

    /** Each state of resilience4j's state machine has metrics of its own, but for open, which goes on with those of closed. */
    private @Nullable Object life() {
        return livesKnown ? engine.getMetrics() : null;
    }

    private Sight sight(State state, @Nullable Object life, long now) {
        // The engine read the clock a moment ago to open; a reading now is not earlier, so what is told is never too
        // short.
        long from = clock != null && state == State.OPEN ? clock.nanos() : now;
        return Sight.of(engine.getName(), state, life, from, waitNanos);
    }

    void succeeded(long nanos) {
        engine.onSuccess(nanos, TimeUnit.NANOSECONDS);
    }

    void failed(long nanos, Throwable error) {
        try {
            engine.onError(nanos, TimeUnit.NANOSECONDS, error);
        } catch (RuntimeException | Error e) {
            // A predicate of the user's own engine threw before anything was counted.
            engine.releasePermission();
            throw e;
        }
    }

    void release() {
        engine.releasePermission();
    }
}
