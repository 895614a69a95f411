/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import io.github.resilience4j.bulkhead.BulkheadConfig;
import java.time.Duration;

/** What resilience4j's config says for the callers of a view alone. Pipelines have settings of their own for these. */
record Resilience4jOptions(Duration maxWait, boolean fair, boolean stackTraces) {
    /** As resilience4j has them. */
    static final Resilience4jOptions DEFAULTS = new Resilience4jOptions(Duration.ZERO, true, true);

    static Resilience4jOptions of(BulkheadConfig config) {
        return new Resilience4jOptions(
                config.getMaxWaitDuration(), config.isFairCallHandlingEnabled(), config.isWritableStackTraceEnabled());
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
