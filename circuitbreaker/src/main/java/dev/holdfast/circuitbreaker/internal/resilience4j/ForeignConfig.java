/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.resilience4j;

import dev.holdfast.circuitbreaker.internal.engine.OpenWait;
import dev.holdfast.circuitbreaker.internal.engine.PipelineClock;
import dev.holdfast.circuitbreaker.internal.engine.Rules;
import dev.holdfast.circuitbreaker.internal.engine.Thresholds;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A config of resilience4j: its parts that have no effect in a pipeline, and the config that views show. */
public final class ForeignConfig {
    private static final CircuitBreakerConfig NONE = CircuitBreakerConfig.ofDefaults();

    /** The rule of a predicate that the classifier takes the place of. */
    static final String PREDICATES = "resilience4j-predicates: ";

    private static final String UNUSED_OPTION = "resilience4j-unused-option: ";

    private ForeignConfig() {}

    /** The first wait, for display and as a fallback if the function fails. If it fails now, resilience4j's default. */
    public static Duration firstWait(CircuitBreakerConfig config) {
        Duration usual =
                Duration.ofMillis(NONE.getWaitIntervalFunctionInOpenState().apply(1));
        OpenWait wait = new OpenWait(usual, 1, usual, config.getWaitIntervalFunctionInOpenState());
        return Duration.ofMillis(wait.millis(1));
    }

    /** Warnings about options that have no effect in a pipeline. Each begins with its rule. */
    public static List<String> warnings(CircuitBreakerConfig config) {
        List<String> warnings = new ArrayList<>();
        String decided = " of resilience4j's config is not asked in the pipeline, where the classifier decides;"
                + " it is in force for asResilience4j() only";
        if (config.getRecordExceptionPredicate() != NONE.getRecordExceptionPredicate()) {
            warnings.add(PREDICATES + "recordException(s)" + decided);
        }
        if (config.getIgnoreExceptionPredicate() != NONE.getIgnoreExceptionPredicate()) {
            warnings.add(PREDICATES + "ignoreException(s)" + decided);
        }
        if (config.getRecordResultPredicate() != NONE.getRecordResultPredicate()) {
            warnings.add(PREDICATES + "recordResult" + decided);
        }
        if (config.getTransitionOnResult() != NONE.getTransitionOnResult()) {
            warnings.add(PREDICATES + "transitionOnResult" + decided);
        }
        addOfTheMachinery(config, warnings);
        return List.copyOf(warnings);
    }

    private static void addOfTheMachinery(CircuitBreakerConfig config, List<String> warnings) {
        if (!config.getClock().equals(NONE.getClock())
                || config.getCurrentTimestampFunction() != NONE.getCurrentTimestampFunction()
                || config.getTimestampUnit() != NONE.getTimestampUnit()) {
            warnings.add(UNUSED_OPTION + "clock and currentTimestampFunction of resilience4j's config are not used:"
                    + " the breaker goes by the pipeline's TimeSource");
        }
        if (config.getSlidingWindowSynchronizationStrategy() != SlidingWindowSynchronizationStrategy.SYNCHRONIZED) {
            warnings.add(UNUSED_OPTION + "slidingWindowSynchronizationStrategy of resilience4j's config is not used:"
                    + " the window has one way to count, which takes no lock while all is well");
        }
        if (config.isIgnoreExceptionsPrecedenceEnabled()) {
            warnings.add(PREDICATES
                    + "ignoreExceptionsPrecedenceEnabled of resilience4j's config is not asked in the pipeline,"
                    + " where the classifier decides; it is in force for asResilience4j() only");
        }
    }

    /** The config that views show: the predicates of {@code origin} if there is one, our numbers, and the breaker's clock. */
    static CircuitBreakerConfig config(Rules rules, @Nullable CircuitBreakerConfig origin, PipelineClock clock) {
        CircuitBreakerConfig.Builder builder = origin == null
                ? CircuitBreakerConfig.custom().writableStackTraceEnabled(false)
                : CircuitBreakerConfig.from(origin);
        Thresholds thresholds = rules.thresholds();
        Rules.HalfOpen halfOpen = rules.halfOpen();
        SlidingWindowType type = rules.countsCalls() ? SlidingWindowType.COUNT_BASED : SlidingWindowType.TIME_BASED;
        return builder.failureRateThreshold(thresholds.failureRate())
                .slowCallRateThreshold(thresholds.slowRate())
                .slowCallDurationThreshold(Duration.ofNanos(thresholds.slowNanos()))
                .slidingWindow(rules.windowSize(), thresholds.minimumCalls(), type)
                .permittedNumberOfCallsInHalfOpenState(halfOpen.probes())
                .maxWaitDurationInHalfOpenState(Duration.ofNanos(halfOpen.longestNanos()))
                .transitionToStateAfterWaitDuration(States.theirs(halfOpen.next()))
                .waitIntervalFunctionInOpenState(rules.openWait()::millis)
                .automaticTransitionFromOpenToHalfOpenEnabled(rules.automatic())
                .initialState(States.theirs(rules.initialState()))
                .clock(clock)
                .currentTimestampFunction(any -> clock.nanos(), TimeUnit.NANOSECONDS)
                .build();
    }
}
