/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.TransitionCheckResult;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * The same random sequence given to resilience4j's breaker and to our view: state, metrics, events and permissions are equal
 * after every step. {@code -Dholdfast.differential.sequences=1000000} and {@code -Dholdfast.differential.seed} for more, and
 * others.
 */
class DifferentialTest {
    private static final int SEQUENCES = Integer.getInteger("holdfast.differential.sequences", 8_000);
    private static final long SEED = Long.getLong("holdfast.differential.seed", 20_261_125);
    private static final int STEPS = 200;
    private static final long MILLISECOND = 1_000_000;

    private static final List<State> STATES = List.of(State.values());

    private final Exception failure = new IOException("failure");
    private final Exception ignored = new IllegalArgumentException("ignored");
    private final Exception unrecorded = new IllegalStateException("recorded as a success");
    private final Exception wrapped = new CompletionException(failure);
    private final Exception tripping = new UnsupportedOperationException("opens at once");

    private static final List<Consumer<CircuitBreaker>> TRANSITIONS = List.of(
            CircuitBreaker::transitionToClosedState,
            CircuitBreaker::transitionToOpenState,
            CircuitBreaker::transitionToHalfOpenState,
            CircuitBreaker::transitionToForcedOpenState,
            CircuitBreaker::transitionToDisabledState,
            CircuitBreaker::transitionToMetricsOnlyState,
            CircuitBreaker::reset,
            CircuitBreaker::reset);

    @Test
    void randomSequencesLeaveBothTheSame() {
        for (int i = 0; i < SEQUENCES; i++) {
            long seed = SEED + i;
            int step = -1;
            try {
                SplittableRandom random = new SplittableRandom(seed);
                // From before 1970, too: a second begins where it should also there.
                long start = random.nextInt(8) == 0 ? random.nextLong(-10_000, 10_000) : random.nextLong(2_000_000_000);
                Twins twins = new Twins(config(random), new Ticking(start));
                boolean eventful = random.nextInt(4) == 0;
                twins.check();
                for (step = 0; step < STEPS; step++) {
                    step(twins, random, eventful);
                    twins.check();
                }
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed + ", step " + step + ": " + e.getMessage(), e);
            }
        }
    }

    private CircuitBreakerConfig config(SplittableRandom random) {
        boolean counts = random.nextBoolean();
        int size = 1 + random.nextInt(counts ? 20 : 6);
        IntervalFunction wait = random.nextBoolean()
                ? IntervalFunction.of(1 + random.nextInt(3_000))
                : IntervalFunction.ofExponentialBackoff(1 + random.nextInt(500), 1 + random.nextInt(3), 5_000);
        return CircuitBreakerConfig.custom()
                .failureRateThreshold(1 + random.nextInt(100))
                .slowCallRateThreshold(1 + random.nextInt(100))
                .slowCallDurationThreshold(Duration.ofMillis(1 + random.nextInt(3)))
                .slidingWindowType(counts ? SlidingWindowType.COUNT_BASED : SlidingWindowType.TIME_BASED)
                .slidingWindowSize(size)
                .minimumNumberOfCalls(1 + random.nextInt(15))
                .permittedNumberOfCallsInHalfOpenState(1 + random.nextInt(6))
                .waitIntervalFunctionInOpenState(wait)
                .maxWaitDurationInHalfOpenState(Duration.ofMillis(random.nextBoolean() ? 0 : random.nextInt(2_000)))
                .transitionToStateAfterWaitDuration(random.nextBoolean() ? State.OPEN : State.CLOSED)
                .automaticTransitionFromOpenToHalfOpenEnabled(random.nextBoolean())
                .initialState(random.nextInt(3) > 0 ? State.CLOSED : STATES.get(random.nextInt(6)))
                .recordException(e -> e != unrecorded)
                .ignoreException(e -> e == ignored)
                .recordResult("bad"::equals)
                .transitionOnResult(result -> result.isRight() && result.get() == tripping
                        ? TransitionCheckResult.transitionToOpenAndWaitFor(Duration.ofMillis(700))
                        : TransitionCheckResult.noTransition())
                .build();
    }

    private void step(Twins twins, SplittableRandom random, boolean eventful) {
        long took = random.nextLong(5) * MILLISECOND + random.nextLong(2);
        // Which kind of call is frequent depends on the calls before, and now and then on moves by hand.
        switch (random.nextInt(eventful ? 20 : 17)) {
            case 0, 1, 2, 3 -> twins.acquire();
            case 4, 5, 6, 7 -> twins.report(b -> b.onSuccess(took, TimeUnit.NANOSECONDS));
            case 8 -> twins.report(b -> b.onError(took / MILLISECOND, TimeUnit.MILLISECONDS, failure));
            case 9 -> twins.report(b -> b.onError(took, TimeUnit.NANOSECONDS, wrapped));
            case 10 -> other(twins, random, took);
            case 11 -> twins.giveBack(CircuitBreaker::releasePermission);
            case 12 -> twins.giveBack(b -> b.onError(took, TimeUnit.NANOSECONDS, ignored));
            case 13, 14 -> twins.time.advance(random.nextLong(600 * MILLISECOND));
            case 15 -> twins.time.advance(random.nextLong(4) * 1_000 * MILLISECOND + random.nextLong(2));
            case 16 -> twins.time.advance(random.nextLong(20) == 0 ? 100_000 * MILLISECOND : 1);
            case 17 -> twins.move(b -> b.transitionToOpenStateFor(Duration.ofMillis(took / 1_000)));
            case 18 -> {
                long wait = random.nextLong(-MILLISECOND, 2_000 * MILLISECOND);
                twins.move(b -> b.transitionToOpenStateUntil(
                        twins.time.clock().instant().plusNanos(wait)));
            }
            default -> twins.move(TRANSITIONS.get(random.nextInt(TRANSITIONS.size())));
        }
    }

    private void other(Twins twins, SplittableRandom random, long took) {
        switch (random.nextInt(5)) {
            case 0 -> twins.report(b -> b.onError(took, TimeUnit.NANOSECONDS, unrecorded));
            case 1 -> twins.report(b -> b.onResult(took, TimeUnit.NANOSECONDS, "good"));
            case 2 -> twins.report(b -> b.onResult(took, TimeUnit.NANOSECONDS, "bad"));
            case 3 -> twins.report(b -> b.onResult(took, TimeUnit.NANOSECONDS, null));
            default -> twins.report(b -> b.onError(took, TimeUnit.NANOSECONDS, tripping));
        }
    }
}
