/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import static dev.holdfast.micrometer.Registration.tag;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import io.micrometer.core.instrument.Tags;
import java.util.concurrent.atomic.LongAdder;

/** The meters of one operation of one pipeline. */
final class OperationMeters {
    final Cells<Outcome, Cells<Source, Timing>> calls;
    final Cells<Outcome, Timing> attempts;
    final Cells<Outcome, Timing> backgroundCalls;
    final Lazy<Timing> overruns;
    final Lazy<LongAdder> hedges;

    OperationMeters(Registration registration, Latencies latencies, String operation) {
        calls = new Cells<>(
                Outcome.class,
                outcome -> new Cells<>(
                        Source.class, source -> calls(registration, latencies, operation, outcome, source)));
        attempts = new Cells<>(Outcome.class, outcome -> attempts(registration, latencies, operation, outcome));
        backgroundCalls = byOutcome(
                registration, operation, "background.calls", "Calls of the pipeline itself, such as a refresh");
        overruns = new Lazy<>(() -> registration.timing(
                "overruns", "Work that went on after its outcome had been decided", "operation", operation));
        hedges = new Lazy<>(() ->
                registration.counter("hedges", "Attempts that were started beside a slow one", "operation", operation));
    }

    private static Timing calls(
            Registration registration, Latencies latencies, String operation, Outcome outcome, Source source) {
        String description = "Calls, by how they ended and where the answer came from";
        String[] tags = {"operation", operation, "outcome", tag(outcome), "source", tag(source)};
        Timing timing = registration.timing("calls", description, tags);
        latencies.follow(timing, "calls", Tags.of(tags));
        return timing;
    }

    private static Timing attempts(Registration registration, Latencies latencies, String operation, Outcome outcome) {
        String[] tags = {"operation", operation, "outcome", tag(outcome)};
        Timing timing = registration.timing("attempts", "Runs of the action, by how they ended", tags);
        latencies.follow(timing, "attempts", Tags.of(tags));
        return timing;
    }

    private static Cells<Outcome, Timing> byOutcome(
            Registration registration, String operation, String name, String description) {
        return new Cells<>(
                Outcome.class,
                outcome -> registration.timing(name, description, "operation", operation, "outcome", tag(outcome)));
    }
}
