/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.util.ArrayList;
import java.util.List;

/** What an existing breaker's config says of failures, which in a pipeline is said by the classifier. */
final class OwnPredicates {
    private static final CircuitBreakerConfig NONE = CircuitBreakerConfig.ofDefaults();

    private OwnPredicates() {}

    static List<String> warnings(CircuitBreaker breaker) {
        CircuitBreakerConfig config = breaker.getCircuitBreakerConfig();
        String called = "the circuit breaker '" + breaker.getName() + "' ";
        List<String> warnings = new ArrayList<>();
        if (config.getRecordExceptionPredicate() != NONE.getRecordExceptionPredicate()) {
            warnings.add(
                    called + "records certain exceptions only: a failure of the pipeline that is none of them counts"
                            + " as a success; let the pipeline's classifier decide, and take recordException(s) out of its config");
        }
        if (config.getIgnoreExceptionPredicate() != NONE.getIgnoreExceptionPredicate()) {
            warnings.add(
                    called + "ignores certain exceptions: a failure of the pipeline that is one of them is not counted;"
                            + " let the pipeline's classifier decide, and take ignoreException(s) out of its config");
        }
        if (config.getRecordResultPredicate() != NONE.getRecordResultPredicate()) {
            warnings.add(called + "records certain results as failures: in the pipeline its recordResult is not asked;"
                    + " let the pipeline's classifier decide");
        }
        return List.copyOf(warnings);
    }
}
