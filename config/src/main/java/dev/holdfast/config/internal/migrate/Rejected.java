/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The exceptions with which resilience4j rejects a call. Here a rejection is no exception that a classifier sees. */
final class Rejected {
    private static final Map<String, Set<Kind>> BY = Map.of(
            "io.github.resilience4j.circuitbreaker.CallNotPermittedException", Set.of(Kind.CIRCUIT_BREAKER),
            "io.github.resilience4j.ratelimiter.RequestNotPermitted", Set.of(Kind.RATE_LIMITER),
            "io.github.resilience4j.bulkhead.BulkheadFullException", Set.of(Kind.BULKHEAD, Kind.THREAD_POOL));

    private Rejected() {}

    static boolean isOne(String exception) {
        return BY.containsKey(exception);
    }

    /** Whether policies of this kind throw it. */
    static boolean isBy(String exception, Kind kind) {
        return Optional.ofNullable(BY.get(exception))
                .filter(kinds -> kinds.contains(kind))
                .isPresent();
    }
}
