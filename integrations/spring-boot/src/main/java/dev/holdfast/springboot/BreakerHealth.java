/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Pipeline;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.config.Holdfast;
import dev.holdfast.internal.AroundPolicy;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

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
     * @throws IllegalArgumentException if there is no pipeline of such a name
     */
    public BreakerHealth(Holdfast holdfast, Set<String> downIfOpen) {
        this.holdfast = holdfast;
        this.downIfOpen = Set.copyOf(downIfOpen);
        downIfOpen.forEach(holdfast::pipeline);
    }

    /** The state of each breaker, by the names of the pipelines. */
    public Map<String, Object> states() {
        Map<String, Object> states = new TreeMap<>();
        for (Pipeline pipeline : holdfast.pipelines()) {
            breakers(pipeline)
                    .forEach(breaker ->
                            states.put(pipeline.name(), breaker.state().name().toLowerCase(Locale.ROOT)));
        }
        return states;
    }

    /**
     * Whether a breaker rejects every call that the application named, or that of an instance of such a pipeline. One whose wait is
     * over does not: only a call can close it, and none would come to a service that is down.
     */
    public boolean isDown() {
        return downIfOpen.stream()
                .flatMap(name -> Stream.concat(Stream.of(holdfast.pipeline(name)), holdfast.instances(name).stream()))
                .flatMap(BreakerHealth::breakers)
                .anyMatch(CircuitBreakerPolicy::rejectsAll);
    }

    static boolean hasBreaker(Pipeline pipeline) {
        return breakers(pipeline).findAny().isPresent();
    }

    private static Stream<CircuitBreakerPolicy> breakers(Pipeline pipeline) {
        return pipeline.policies().stream()
                .map(AroundPolicy::behind)
                .filter(CircuitBreakerPolicy.class::isInstance)
                .map(CircuitBreakerPolicy.class::cast);
    }
}
