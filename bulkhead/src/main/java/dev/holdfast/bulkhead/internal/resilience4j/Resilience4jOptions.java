/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.resilience4j;

import io.github.resilience4j.bulkhead.BulkheadConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The options of a resilience4j config for callers of a view only. Pipelines have their own settings for these.
 *
 * @param warnings the options that could not be kept, one sentence each, after the name of the rule
 */
public record Resilience4jOptions(Duration maxWait, boolean fair, boolean stackTraces, List<String> warnings) {
    private static final String UNUSED_OPTION = "resilience4j-unused-option: ";

    /** The defaults of resilience4j. */
    public static final Resilience4jOptions DEFAULTS = new Resilience4jOptions(Duration.ZERO, true, true, List.of());

    /** The options of a config. */
    public static Resilience4jOptions of(BulkheadConfig config) {
        List<String> warnings = new ArrayList<>();
        if (!config.getMaxWaitDuration().isZero()) {
            warnings.add(
                    UNUSED_OPTION + "maxWaitDuration of resilience4j's config lets any number of calls wait; here no"
                            + " more than 1,000,000 do");
        }
        if (!config.isFairCallHandlingEnabled()) {
            warnings.add(
                    UNUSED_OPTION + "fairCallHandlingEnabled of resilience4j's config is false; here calls are served"
                            + " in the order in which they came");
        }
        return new Resilience4jOptions(
                config.getMaxWaitDuration(),
                config.isFairCallHandlingEnabled(),
                config.isWritableStackTraceEnabled(),
                List.copyOf(warnings));
    }

    BulkheadConfig config(int maxConcurrentCalls) {
        return BulkheadConfig.custom()
                .maxConcurrentCalls(maxConcurrentCalls)
                .maxWaitDuration(maxWait)
                .fairCallHandlingStrategyEnabled(fair)
                .writableStackTraceEnabled(stackTraces)
                .build();
    }
}
