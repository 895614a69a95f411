/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** Keeps how attempts ended. */
final class Attempts implements CallObserver {
    final List<Outcome> outcomes = new CopyOnWriteArrayList<>();
    final List<String> operations = new CopyOnWriteArrayList<>();

    @Override
    public void attemptSettled(
            String pipeline, @Nullable String operation, int attempt, Outcome outcome, long durationNanos) {
        operations.add(String.valueOf(operation));
        outcomes.add(outcome);
    }

    /** Three attempts, and what else is inside of them. */
    Pipeline retrying(Policy... inside) {
        List<Policy> policies = new ArrayList<>();
        policies.add(retry());
        policies.addAll(List.of(inside));
        return Pipeline.builder("shop").policies(policies).observer(this).build();
    }

    /** Without a budget, which would take a stopped machine for an outage. */
    static RetryPolicy retry() {
        return RetryPolicy.of(r -> r.maxAttempts(3)
                .initialBackoff(Duration.ofMillis(1))
                .maxBackoff(Duration.ofMillis(1))
                .budgetEnabled(false));
    }

    /** On this time: a limit strikes when the test lets it pass, and gRPC's own timers never do. */
    Pipeline on(TimeSource time, Policy... policies) {
        return Pipeline.builder("shop")
                .time(time)
                .policies(policies)
                .observer(this)
                .build();
    }

    Pipeline plain(Policy... policies) {
        return Pipeline.builder("shop").policies(policies).observer(this).build();
    }
}
