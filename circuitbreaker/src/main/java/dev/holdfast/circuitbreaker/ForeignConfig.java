/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A configuration of resilience4j's and our settings, there and back. */
final class ForeignConfig {
    private static final CircuitBreakerConfig NONE = CircuitBreakerConfig.ofDefaults();
    private static final Duration DAY = Duration.ofDays(1);

    private ForeignConfig() {}

    static CircuitBreakerSettings.Builder builder(CircuitBreakerConfig config) {
        boolean counts = config.getSlidingWindowType() == SlidingWindowType.COUNT_BASED;
        int size = config.getSlidingWindowSize();
        int minimum = config.getMinimumNumberOfCalls();
        return CircuitBreakerSettings.builder()
                .failureRateThreshold(config.getFailureRateThreshold())
                .slowCallRateThreshold(config.getSlowCallRateThreshold())
                .slowCallDurationThreshold(config.getSlowCallDurationThreshold())
                .runningCallsCountAsSlow(false)
                .slidingWindowType(config.getSlidingWindowType())
                .slidingWindowSize(size)
                .minimumNumberOfCalls(counts ? Math.min(minimum, size) : minimum)
                .minimumInHalfOpen(minimum)
                .asResilience4j(true)
                .permittedNumberOfCallsInHalfOpenState(config.getPermittedNumberOfCallsInHalfOpenState())
                .probeLease(Duration.ZERO)
                // Less than a millisecond is no limit there.
                .maxWaitDurationInHalfOpenState(Duration.ofMillis(
                        config.getMaxWaitDurationInHalfOpenState().toMillis()))
                .transitionToStateAfterWaitDuration(config.getTransitionToStateAfterWaitDuration())
                .waitDurationInOpenState(firstWait(config))
                .waitMultiplierInOpenState(1)
                .maxWaitDurationInOpenState(DAY)
                .waitIntervalFunctionInOpenState(config.getWaitIntervalFunctionInOpenState())
                .automaticTransitionFromOpenToHalfOpenEnabled(config.isAutomaticTransitionFromOpenToHalfOpenEnabled())
                .initialState(config.getInitialState())
                .maxPushbackHold(Duration.ZERO)
                .origin(config);
    }

    /** Shown, and used if the function should fail; where it cannot be told now, as resilience4j has it by default. */
    private static Duration firstWait(CircuitBreakerConfig config) {
        IntervalFunction usual = NONE.getWaitIntervalFunctionInOpenState();
        Duration wait = Duration.ofMillis(usual.apply(1));
        return Duration.ofMillis(new OpenWait(wait, 1, wait, config.getWaitIntervalFunctionInOpenState()).millis(1));
    }

    /** What is not in force in a pipeline, by the name of the option. */
    static List<String> warnings(CircuitBreakerConfig config) {
        List<String> warnings = new ArrayList<>();
        String decided = " of resilience4j's config is not asked in the pipeline, where the classifier decides;"
                + " it is in force for asResilience4j() only";
        if (config.getRecordExceptionPredicate() != NONE.getRecordExceptionPredicate()) {
            warnings.add("recordException(s)" + decided);
        }
        if (config.getIgnoreExceptionPredicate() != NONE.getIgnoreExceptionPredicate()) {
            warnings.add("ignoreException(s)" + decided);
        }
        if (config.getRecordResultPredicate() != NONE.getRecordResultPredicate()) {
            warnings.add("recordResult" + decided);
        }
        if (config.getTransitionOnResult() != NONE.getTransitionOnResult()) {
            warnings.add("transitionOnResult" + decided);
        }
        addOfTheMachinery(config, warnings);
        return List.copyOf(warnings);
    }

    private static void addOfTheMachinery(CircuitBreakerConfig config, List<String> warnings) {
        if (!config.getClock().equals(NONE.getClock())
                || config.getCurrentTimestampFunction() != NONE.getCurrentTimestampFunction()
                || config.getTimestampUnit() != NONE.getTimestampUnit()) {
            warnings.add("clock and currentTimestampFunction of resilience4j's config are not used:"
                    + " the breaker goes by the pipeline's TimeSource");
        }
        if (config.getSlidingWindowSynchronizationStrategy() != SlidingWindowSynchronizationStrategy.SYNCHRONIZED) {
            warnings.add("slidingWindowSynchronizationStrategy of resilience4j's config is not used:"
                    + " the window has one way to count, which takes no lock while all is well");
        }
        if (config.isIgnoreExceptionsPrecedenceEnabled()) {
            warnings.add("ignoreExceptionsPrecedenceEnabled of resilience4j's config is not asked in the pipeline,"
                    + " where the classifier decides; it is in force for asResilience4j() only");
        }
    }

    /** What resilience4j's classes see: its predicates if there were any, our numbers, and the breaker's clock. */
    static CircuitBreakerConfig config(CircuitBreakerSettings settings, PipelineClock clock) {
        CircuitBreakerConfig origin = settings.origin();
        CircuitBreakerConfig.Builder builder = origin == null
                ? CircuitBreakerConfig.custom().writableStackTraceEnabled(false)
                : CircuitBreakerConfig.from(origin);
        return builder.failureRateThreshold((float) settings.failureRateThreshold())
                .slowCallRateThreshold((float) settings.slowCallRateThreshold())
                .slowCallDurationThreshold(settings.slowCallDurationThreshold())
                .slidingWindow(
                        settings.slidingWindowSize(), settings.minimumNumberOfCalls(), settings.slidingWindowType())
                .permittedNumberOfCallsInHalfOpenState(settings.permittedNumberOfCallsInHalfOpenState())
                .maxWaitDurationInHalfOpenState(settings.maxWaitDurationInHalfOpenState())
                .transitionToStateAfterWaitDuration(settings.transitionToStateAfterWaitDuration())
                .waitIntervalFunctionInOpenState(settings::openMillis)
                .automaticTransitionFromOpenToHalfOpenEnabled(settings.automaticTransitionFromOpenToHalfOpenEnabled())
                .initialState(settings.initialState())
                .clock(clock)
                .currentTimestampFunction(any -> clock.nanos(), TimeUnit.NANOSECONDS)
                .build();
    }
}
