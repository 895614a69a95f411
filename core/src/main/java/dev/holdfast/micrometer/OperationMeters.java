/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import static dev.holdfast.micrometer.Registration.tag;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import java.util.concurrent.atomic.LongAdder;

/** The meters of one operation of one pipeline. */
final class OperationMeters {
    final Cells<Outcome, Cells<Source, Timing>> calls;
    final Cells<Outcome, Timing> attempts;
    final Cells<Outcome, Timing> backgroundCalls;
    final Lazy<Timing> overruns;
    final Lazy<LongAdder> hedges;

    OperationMeters(Registration registration, String operation) {
        calls = new Cells<>(
                Outcome.class,
                outcome -> new Cells<>(Source.class, source -> calls(registration, operation, outcome, source)));
        attempts = byOutcome(registration, operation, "attempts", "Runs of the action, by how they ended");
        backgroundCalls = byOutcome(
                registration, operation, "background.calls", "Calls of the pipeline itself, such as a refresh");
        overruns = new Lazy<>(() -> registration.timing(
                "overruns", "Work that went on after its outcome had been decided", "operation", operation));
        hedges = new Lazy<>(() ->
                registration.counter("hedges", "Attempts that were started beside a slow one", "operation", operation));
    }

    private static Timing calls(Registration registration, String operation, Outcome outcome, Source source) {
        String description = "Calls, by how they ended and where the answer came from";
        return registration.timing(
                "calls", description, "operation", operation, "outcome", tag(outcome), "source", tag(source));
    }

    private static Cells<Outcome, Timing> byOutcome(
            Registration registration, String operation, String name, String description) {
        return new Cells<>(
                Outcome.class,
                outcome -> registration.timing(name, description, "operation", operation, "outcome", tag(outcome)));
    }
}
