/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import org.openjdk.jmh.infra.Blackhole;

/** Who is measured. Variants of one family do the same, so that only the fastest of them is compared with. */
public enum Library {
    HOLDFAST("Holdfast"),
    /** Where its circuit breaker, and so its window, has no part. */
    RESILIENCE4J("resilience4j"),
    RESILIENCE4J_SYNCHRONIZED("resilience4j", "synchronized window"),
    RESILIENCE4J_LOCK_FREE("resilience4j", "lock-free window"),
    FAILSAFE("Failsafe"),
    SMALLRYE("SmallRye Fault Tolerance"),
    VEGAS("concurrency-limits SimpleLimiter with Vegas"),
    GRADIENT2("concurrency-limits SimpleLimiter with Gradient2"),
    BUCKET4J("Bucket4j, local"),
    GUAVA("Guava RateLimiter"),
    /** Control: retries that are free. */
    UNBUDGETED("retry without a budget"),
    /** Control: the same calls with no limit of time around them. */
    UNLIMITED("no limit of time"),
    /** Control: what a limit costs that is a task of its own. */
    SCHEDULED_TASK("one ScheduledThreadPoolExecutor task a call");

    private final String family;
    private final String title;

    Library(String name) {
        this.family = name;
        this.title = name;
    }

    Library(String family, String variant) {
        this.family = family;
        this.title = family + ", " + variant;
    }

    String family() {
        return family;
    }

    String title() {
        return title;
    }

    /**
     * Its guard for this work, ready to be measured.
     *
     * @param blackhole takes what is computed to pollute the profile
     * @throws IllegalArgumentException if the scenario does not name this library
     */
    Guard guard(Scenario scenario, Blackhole blackhole) throws Exception {
        if (!scenario.libraries().contains(this)) {
            throw new IllegalArgumentException(this + " has no part in " + scenario);
        }
        Guard guard = make(scenario, blackhole);
        return scenario.work() == Work.OPEN_BREAKER ? new OpenBreaker(guard) : guard;
    }

    private Guard make(Scenario scenario, Blackhole blackhole) throws Exception {
        return switch (this) {
            case HOLDFAST -> HoldfastGuard.of(scenario, blackhole);
            case RESILIENCE4J, RESILIENCE4J_SYNCHRONIZED ->
                new Resilience4jGuard(scenario, SlidingWindowSynchronizationStrategy.SYNCHRONIZED, blackhole);
            case RESILIENCE4J_LOCK_FREE ->
                new Resilience4jGuard(scenario, SlidingWindowSynchronizationStrategy.LOCK_FREE, blackhole);
            case FAILSAFE -> FailsafeGuard.of(scenario.work());
            case SMALLRYE -> SmallRyeGuard.of(scenario.work());
            case VEGAS -> Limiters.vegas();
            case GRADIENT2 -> Limiters.gradient2();
            case BUCKET4J -> Limiters.bucket4j();
            case GUAVA -> Limiters.guava();
            case UNBUDGETED -> new HoldfastGuard(Policies.unbudgetedRetry());
            case UNLIMITED -> HoldfastGuard.unlimited(scenario.work());
            case SCHEDULED_TASK -> new ScheduledTaskGuard();
        };
    }
}
