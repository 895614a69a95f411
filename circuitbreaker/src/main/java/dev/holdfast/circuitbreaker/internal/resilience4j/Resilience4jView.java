/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.resilience4j;

import dev.holdfast.circuitbreaker.internal.engine.Engine;
import dev.holdfast.circuitbreaker.internal.engine.PipelineClock;
import dev.holdfast.circuitbreaker.internal.engine.Window;
import dev.holdfast.internal.SafeLog;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.TransitionCheckResult;
import io.github.resilience4j.circuitbreaker.ResultRecordedAsFailureException;
import io.github.resilience4j.core.functions.Either;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A view of the engine that implements resilience4j's breaker. Admissions and reports through it have no token: a report
 * counts in the state that it finds, and gives back only permissions that were taken through a view.
 */
final class Resilience4jView implements CircuitBreaker {
    private static final SafeLog LOG = SafeLog.of(Resilience4jView.class.getName());

    /** Longer than any useful wait, and far from the range of nanoseconds. */
    private static final Duration FAR = Duration.ofDays(20_000);

    private final String name;
    private final Engine engine;
    private final Events events;
    private final PipelineClock clock;
    private final CircuitBreakerConfig config;
    private final Map<String, String> tags;
    private final long slowNanos;
    private final AtomicBoolean warned = new AtomicBoolean();

    /** After a change by hand, so that pipelines tell of it. */
    private final Runnable looks;

    Resilience4jView(
            String name,
            Map<String, String> tags,
            CircuitBreakerConfig config,
            Engine engine,
            PipelineClock clock,
            Runnable looks) {
        this.name = name;
        this.tags = Map.copyOf(tags);
        this.engine = engine;
        this.clock = clock;
        this.looks = looks;
        events = new Events(name, () -> engine.life().state);
        this.config = config;
        slowNanos = config.getSlowCallDurationThreshold().toNanos();
    }

    @Override
    public boolean tryAcquirePermission() {
        boolean acquired = engine.acquireUntracked(clock.nanos(), thread());
        if (!acquired) {
            events.notPermitted();
        }
        return acquired;
    }

    @Override
    public void acquirePermission() {
        if (!tryAcquirePermission()) {
            throw CallNotPermittedException.createCallNotPermittedException(this);
        }
    }

    @Override
    public void releasePermission() {
        engine.releaseUntracked(clock.nanos(), thread());
    }

    /** The number of the calling thread, by which its permissions are known; never 0. */
    private static long thread() {
        return Thread.currentThread().getId();
    }

    @Override
    public void onSuccess(long duration, TimeUnit unit) {
        long nanos = unit.toNanos(duration);
        events.success(nanos);
        engine.recordUntracked(nanos > slowNanos ? Window.SLOW : Window.GOOD, clock.nanos(), thread());
    }

    @Override
    public void onError(long duration, TimeUnit unit, Throwable throwable) {
        Throwable error = cause(throwable);
        if (test("ignoreException", config.getIgnoreExceptionPredicate(), error, false)) {
            releasePermission();
            events.ignored(unit.toNanos(duration), error);
            return;
        }
        if (test("recordException", config.getRecordExceptionPredicate(), error, true)) {
            failed(unit.toNanos(duration), error);
        } else {
            onSuccess(duration, unit);
        }
        openIfAsked(Either.right(error));
    }

    private static Throwable cause(Throwable thrown) {
        Throwable cause = thrown.getCause();
        boolean wraps = thrown instanceof CompletionException || thrown instanceof ExecutionException;
        return wraps && cause != null ? cause : thrown;
    }

    private void failed(long nanos, Throwable error) {
        events.error(nanos, error);
        int kind = nanos > slowNanos ? Window.FAILED | Window.SLOW : Window.FAILED;
        engine.recordUntracked(kind, clock.nanos(), thread());
    }

    @Override
    public void onResult(long duration, TimeUnit unit, @Nullable Object result) {
        if (result != null && test("recordResult", config.getRecordResultPredicate(), result, false)) {
            failed(unit.toNanos(duration), new ResultRecordedAsFailureException(name, result));
            return;
        }
        onSuccess(duration, unit);
        if (result != null) {
            openIfAsked(Either.left(result));
        }
    }

    /** Opens the breaker if the config's {@code transitionOnResult} says so; only while closed. */
    private void openIfAsked(Either<Object, Throwable> result) {
        if (States.theirs(engine.life().state) != State.CLOSED) {
            return;
        }
        TransitionCheckResult asked = asked(
                "transitionOnResult", config.getTransitionOnResult(), result, TransitionCheckResult.noTransition());
        if (!asked.isTransitionToOpen()) {
            return;
        }
        OptionalLong wait = OptionalLong.empty();
        if (asked.getWaitDuration() != null) {
            wait = OptionalLong.of(wholeMillis(asked.getWaitDuration()));
        } else if (asked.getWaitUntil() != null) {
            wait = OptionalLong.of(until(asked.getWaitUntil()));
        }
        // Without a time resilience4j throws here, although its documentation says that the breaker opens.
        engine.openIfClosed(wait, clock.nanos());
    }

    private <T> boolean test(String option, Predicate<? super T> predicate, T value, boolean otherwise) {
        return asked(option, predicate::test, value, otherwise);
    }

    /** The answer of a function of the config. If it throws, the call keeps its own outcome and permission. */
    @SuppressWarnings("CatchingThrowable") // the call must end with its own outcome
    private <T, R> R asked(String option, Function<? super T, ? extends R> function, T value, R otherwise) {
        try {
            R answer = function.apply(value);
            return answer == null ? otherwise : answer;
        } catch (Throwable thrown) {
            if (warned.compareAndSet(false, true)) {
                LOG.warn(
                        option + " of circuit breaker '" + name + "' threw; " + otherwise
                                + " is used, and so each time; told once",
                        thrown);
            }
            return otherwise;
        }
    }

    @Override
    public void reset() {
        engine.reset(clock.nanos());
        looks.run();
    }

    @Override
    public void transitionToClosedState() {
        moveTo(State.CLOSED);
    }

    @Override
    public void transitionToOpenState() {
        moveTo(State.OPEN);
    }

    @Override
    public void transitionToOpenStateFor(Duration wait) {
        openFor(wholeMillis(wait));
    }

    @Override
    public void transitionToOpenStateUntil(Instant until) {
        openFor(until(until));
    }

    private void moveTo(State state) {
        States.check(engine.moveTo(States.ours(state), clock.nanos()), state, name);
        looks.run();
    }

    private void openFor(long nanos) {
        States.check(engine.openFor(nanos, clock.nanos()), State.OPEN, name);
        looks.run();
    }

    /** As in resilience4j. */
    private static long wholeMillis(Duration wait) {
        return Duration.ofMillis(inRange(wait).toMillis()).toNanos();
    }

    private long until(Instant moment) {
        return inRange(Duration.between(clock.instant(), moment)).toNanos();
    }

    private static Duration inRange(Duration wait) {
        if (wait.compareTo(FAR) > 0) {
            return FAR;
        }
        return wait.compareTo(FAR.negated()) < 0 ? FAR.negated() : wait;
    }

    @Override
    public void transitionToHalfOpenState() {
        moveTo(State.HALF_OPEN);
    }

    @Override
    public void transitionToDisabledState() {
        moveTo(State.DISABLED);
    }

    @Override
    public void transitionToMetricsOnlyState() {
        moveTo(State.METRICS_ONLY);
    }

    @Override
    public void transitionToForcedOpenState() {
        moveTo(State.FORCED_OPEN);
    }

    @Override
    public String getName() {
        return name;
    }

    @Override
    public State getState() {
        return States.theirs(engine.state(clock::nanos));
    }

    @Override
    public CircuitBreakerConfig getCircuitBreakerConfig() {
        return config;
    }

    @Override
    public Metrics getMetrics() {
        return new ViewMetrics(engine.life(clock.nanos()).window, clock);
    }

    @Override
    public Map<String, String> getTags() {
        return tags;
    }

    Events events() {
        return events;
    }

    @Override
    public EventPublisher getEventPublisher() {
        return events;
    }

    @Override
    public long getCurrentTimestamp() {
        return clock.nanos();
    }

    @Override
    public TimeUnit getTimestampUnit() {
        return TimeUnit.NANOSECONDS;
    }

    @Override
    public String toString() {
        return "CircuitBreaker '" + name + "'";
    }
}
