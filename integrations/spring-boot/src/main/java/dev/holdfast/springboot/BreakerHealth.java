/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Pipeline;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.config.Holdfast;
import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.spi.Policy;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The health of the breakers. An open breaker says that a dependency is ill, and not that this service is: so it counts only for
 * pipelines that the application names.
 */
public final class BreakerHealth {
    private final Holdfast holdfast;
    private final Set<String> downIfOpen;

    /**
     * Of these pipelines.
     *
     * @param downIfOpen the names of those without which the service can do nothing
     * @throws IllegalArgumentException if there is no pipeline of such a name, or it has no breaker
     */
    public BreakerHealth(Holdfast holdfast, Set<String> downIfOpen) {
        this.holdfast = holdfast;
        this.downIfOpen = Set.copyOf(downIfOpen);
        downIfOpen.forEach(name -> requireBreaker(holdfast, name));
    }

    /**
     * The state of each breaker, by the names of the pipelines, such as {@code open}. Several of a name are one after the other, those
     * of a pipeline in its order: {@code open, closed}.
     */
    public Map<String, Object> states() {
        Map<String, Object> states = new TreeMap<>();
        for (Pipeline pipeline : holdfast.pipelines()) {
            breakers(pipeline)
                    .map(breaker -> breaker.state().name().toLowerCase(Locale.ROOT))
                    .forEach(state -> states.merge(pipeline.name(), state, (before, next) -> before + ", " + next));
        }
        return states;
    }

    /**
     * Whether a breaker rejects every call that the application named, or that of an instance of such a pipeline. One whose wait is
     * over does not: only a call can close it, and none would come to a service that is down.
     */
    public boolean isDown() {
        return downIfOpen.stream()
                .flatMap(name -> Stream.concat(
                        Stream.of(PipelineBeans.named(holdfast::pipeline, name)), holdfast.instances(name).stream()))
                .flatMap(BreakerHealth::breakers)
                .anyMatch(CircuitBreakerPolicy::rejectsAll);
    }

    /**
     * A breaker in shadow is enough: it is there to be tried out, or somebody has turned protection off, and a restart must not fail
     * for it.
     *
     * @throws IllegalArgumentException if there is no such pipeline, or it has no breaker
     */
    static void requireBreaker(Holdfast holdfast, String name) {
        @Nullable Pipeline found = holdfast.pipeline(name);
        // Null of a mock, which has no breakers either.
        if (found != null && hasNone(breakers(found)) && hasNone(alsoInShadow(found))) {
            throw new IllegalArgumentException(
                    "the pipeline '" + name + "' has no circuit-breaker, and so is never open; expected one that has");
        }
    }

    /** Whether a pipeline has a breaker, and can never be open: not before somebody enforces it. */
    static boolean isInShadow(Holdfast holdfast, String name) {
        @Nullable Pipeline found = holdfast.pipeline(name);
        return found != null && hasNone(breakers(found)) && !hasNone(alsoInShadow(found));
    }

    private static boolean hasNone(Stream<CircuitBreakerPolicy> breakers) {
        return breakers.findAny().isEmpty();
    }

    private static Stream<CircuitBreakerPolicy> breakers(Pipeline pipeline) {
        return among(pipeline, AroundPolicy::behind);
    }

    private static Stream<CircuitBreakerPolicy> alsoInShadow(Pipeline pipeline) {
        return among(pipeline, AroundPolicy::innermost);
    }

    private static Stream<CircuitBreakerPolicy> among(Pipeline pipeline, UnaryOperator<Policy> behind) {
        return pipeline.policies().stream()
                .map(behind)
                .filter(CircuitBreakerPolicy.class::isInstance)
                .map(CircuitBreakerPolicy.class::cast);
    }
}
