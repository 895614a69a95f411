/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.Metrics;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.IllegalStateTransitionException;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerEvent;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerOnErrorEvent;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerOnFailureRateExceededEvent;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerOnIgnoredErrorEvent;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerOnSlowCallRateExceededEvent;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerOnStateTransitionEvent;
import io.github.resilience4j.circuitbreaker.event.CircuitBreakerOnSuccessEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * resilience4j's breaker and our view, on one clock, given the same.
 *
 * <p>resilience4j's timers run on a thread of its own and on the machine's time; here they are off, and what they would do is
 * done by hand when the clock has reached their time: the same transitions, by the same methods. They end with their state.
 */
final class Twins {
    private static final long NEVER = Long.MAX_VALUE;

    final Ticking time;
    final CircuitBreaker theirs;
    final CircuitBreaker ours;
    private final List<Object> theirEvents = new ArrayList<>();
    private final List<Object> ourEvents = new ArrayList<>();
    private final CircuitBreakerConfig wanted;
    private @Nullable Object life;
    private long timerAt = NEVER;
    /** Permits of their half-open state that are out: to give back or report more is the caller's mistake. */
    private int out;

    private State before = State.CLOSED;
    private boolean withoutWindow;

    Twins(CircuitBreakerConfig wanted, Ticking time) {
        this.wanted = wanted;
        this.time = time;
        theirs = CircuitBreaker.of(
                "twin",
                CircuitBreakerConfig.from(wanted)
                        .automaticTransitionFromOpenToHalfOpenEnabled(false)
                        .maxWaitDurationInHalfOpenState(Duration.ZERO)
                        .clock(time.clock())
                        .build());
        ours = ours(wanted, time);
        theirs.getEventPublisher().onEvent(event -> theirEvents.add(facts(event)));
        ours.getEventPublisher().onEvent(event -> ourEvents.add(facts(event)));
        watch();
    }

    static CircuitBreaker ours(CircuitBreakerConfig config, Ticking time) {
        return Breaker.own("twin", CircuitBreakerSettings.from(config), time);
    }

    private record Fact(CircuitBreakerEvent.Type type, String breaker, Object detail) {}

    private static Object facts(CircuitBreakerEvent event) {
        Object detail = "";
        if (event instanceof CircuitBreakerOnStateTransitionEvent transition) {
            detail = transition.getStateTransition();
        } else if (event instanceof CircuitBreakerOnFailureRateExceededEvent exceeded) {
            detail = exceeded.getFailureRate();
        } else if (event instanceof CircuitBreakerOnSlowCallRateExceededEvent exceeded) {
            detail = exceeded.getSlowCallRate();
        } else if (event instanceof CircuitBreakerOnSuccessEvent success) {
            detail = success.getElapsedDuration();
        } else if (event instanceof CircuitBreakerOnErrorEvent error) {
            detail = error.getElapsedDuration() + " " + error.getThrowable();
        } else if (event instanceof CircuitBreakerOnIgnoredErrorEvent ignored) {
            detail = ignored.getElapsedDuration() + " " + ignored.getThrowable();
        }
        return new Fact(event.getEventType(), event.getCircuitBreakerName(), detail);
    }

    void acquire() {
        boolean permitted = theirs.tryAcquirePermission();
        agree("permitted", permitted, ours.tryAcquirePermission());
        watch();
        if (permitted) {
            out++;
        }
    }

    /**
     * A result of any kind, recorded or not. Neither is told of one that finds it opened by hand from a state that counts
     * nothing: theirs divides by zero there.
     */
    void report(Consumer<CircuitBreaker> report) {
        if (withoutWindow) {
            return;
        }
        out = Math.max(0, out - 1);
        report.accept(theirs);
        report.accept(ours);
    }

    /**
     * A permission is given back, by hand or because the result is ignored. Where none is out, only ours is told: theirs would
     * have a permit too many from then on, which is a difference that is meant.
     */
    void giveBack(Consumer<CircuitBreaker> giveBack) {
        boolean counts = theirs.getState() != State.HALF_OPEN || out > 0;
        if (counts) {
            giveBack.accept(theirs);
            giveBack.accept(ours);
            out = Math.max(0, out - 1);
        } else {
            ours.releasePermission();
        }
    }

    /** By hand: both do it, or both refuse. */
    void move(Consumer<CircuitBreaker> transition) {
        agree("moved", moved(theirs, transition), moved(ours, transition));
    }

    private static boolean moved(CircuitBreaker breaker, Consumer<CircuitBreaker> transition) {
        try {
            transition.accept(breaker);
            return true;
        } catch (IllegalStateTransitionException e) {
            return false;
        }
    }

    /** Runs their timers; then both must be seen to be the same. */
    void check() {
        watch();
        while (timerAt != NEVER && timerAt - time.nanos() <= 0) {
            timer();
        }
        agree("state", theirs.getState(), ours.getState());
        Metrics their = theirs.getMetrics();
        Metrics our = ours.getMetrics();
        agree("buffered", their.getNumberOfBufferedCalls(), our.getNumberOfBufferedCalls());
        agree("failed", their.getNumberOfFailedCalls(), our.getNumberOfFailedCalls());
        agree("successful", their.getNumberOfSuccessfulCalls(), our.getNumberOfSuccessfulCalls());
        agree("slow", their.getNumberOfSlowCalls(), our.getNumberOfSlowCalls());
        agree("slow failed", their.getNumberOfSlowFailedCalls(), our.getNumberOfSlowFailedCalls());
        agree("slow successful", their.getNumberOfSlowSuccessfulCalls(), our.getNumberOfSlowSuccessfulCalls());
        agree("failure rate", their.getFailureRate(), our.getFailureRate());
        agree("slow rate", their.getSlowCallRate(), our.getSlowCallRate());
        agree("not permitted", their.getNumberOfNotPermittedCalls(), our.getNumberOfNotPermittedCalls());
        agree("events", theirEvents, ourEvents);
        theirEvents.clear();
        ourEvents.clear();
    }

    private void timer() {
        if (theirs.getState() == State.OPEN) {
            theirs.transitionToHalfOpenState();
        } else if (wanted.getTransitionToStateAfterWaitDuration() == State.CLOSED) {
            theirs.transitionToClosedState();
        } else {
            theirs.transitionToOpenState();
        }
        watch();
    }

    /** A state that they have entered since the last look began at this time, since the clock moves between two looks only. */
    private void watch() {
        Object now = Inside.life(theirs);
        if (now == life) {
            return;
        }
        life = now;
        out = 0;
        State state = theirs.getState();
        withoutWindow =
                state == State.OPEN && (withoutWindow || before == State.FORCED_OPEN || before == State.DISABLED);
        before = state;
        timerAt = NEVER;
        long maxWait = wanted.getMaxWaitDurationInHalfOpenState().toMillis();
        if (theirs.getState() == State.OPEN && wanted.isAutomaticTransitionFromOpenToHalfOpenEnabled()) {
            Duration wait = Duration.between(time.clock().instant(), Inside.openUntil(now));
            timerAt = time.nanos() + wait.toMillis() * 1_000_000;
        } else if (theirs.getState() == State.HALF_OPEN && maxWait >= 1) {
            timerAt = time.nanos() + maxWait * 1_000_000;
        }
    }

    private static void agree(String what, Object their, Object our) {
        if (!their.equals(our)) {
            throw new AssertionError(what + ": theirs " + their + ", ours " + our);
        }
    }
}
