/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.Outcome;
import dev.holdfast.Source;

/** What is counted for one operation of one pipeline. */
final class OperationMeters {
    private static final Outcome[] OUTCOMES = Outcome.values();
    private static final Source[] SOURCES = Source.values();

    final Cells<Timing> attempts;
    final Cells<Timing> backgroundCalls;
    private final Cells<Timing> calls;
    private final Cells<Timing> overruns;

    OperationMeters(Registration registration, String operation) {
        calls = new Cells<>(
                OUTCOMES.length * SOURCES.length,
                i -> registration.timing(
                        "calls",
                        "Calls by how they ended and where the answer came from",
                        "operation",
                        operation,
                        "outcome",
                        Registration.tag(OUTCOMES[i / SOURCES.length]),
                        "source",
                        Registration.tag(SOURCES[i % SOURCES.length])));
        attempts = byOutcome(registration, "attempts", "Runs of the action by how they ended", operation);
        backgroundCalls = byOutcome(
                registration, "background.calls", "Calls of the pipeline itself, such as refreshes", operation);
        overruns = new Cells<>(
                1,
                i -> registration.timing(
                        "overruns",
                        "Work that went on after its outcome had been decided, and for how long",
                        "operation",
                        operation));
    }

    private static Cells<Timing> byOutcome(
            Registration registration, String name, String description, String operation) {
        return new Cells<>(
                OUTCOMES.length,
                i -> registration.timing(
                        name, description, "operation", operation, "outcome", Registration.tag(OUTCOMES[i])));
    }

    Timing calls(Outcome outcome, Source source) {
        return calls.at(outcome.ordinal() * SOURCES.length + source.ordinal());
    }

    Timing overruns() {
        return overruns.at(0);
    }
}
