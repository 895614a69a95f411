/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.CallObserver.Observed;
import dev.holdfast.spi.TimeSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Records the events of a pipeline, one line of text for each, so that two runs can be compared.
 *
 * <p>Safe for any number of threads; the lines are in the order in which the events were told. On virtual time the same seed
 * gives the same lines.
 *
 * <pre>
 * 12000000 stock rejected by bulkhead: BULKHEAD_FULL
 * 15000000 stock call SUCCESS from LIVE after 2 attempts in 15000000 ns
 * </pre>
 */
public final class RecordingObserver implements CallObserver {
    private final @Nullable TimeSource time;
    private final List<String> lines = new ArrayList<>();

    /** Lines without times. */
    public RecordingObserver() {
        this.time = null;
    }

    /** Lines that begin with the nanoseconds of this source of time. */
    public RecordingObserver(TimeSource time) {
        this.time = time;
    }

    /** The lines so far, oldest first. */
    public List<String> lines() {
        synchronized (lines) {
            return List.copyOf(lines);
        }
    }

    /** All lines, each with a line feed at its end. */
    public String text() {
        synchronized (lines) {
            StringBuilder text = new StringBuilder();
            lines.forEach(line -> text.append(line).append('\n'));
            return text.toString();
        }
    }

    /** Adds a line of the test's own, such as what a caller got. */
    public void note(String line) {
        String prefix = time == null ? "" : time.nanos() + " ";
        synchronized (lines) {
            lines.add(prefix + line);
        }
    }

    private static String of(String pipeline, @Nullable String operation) {
        return operation == null ? pipeline : pipeline + "/" + operation;
    }

    @Override
    public void opened(Observed pipeline) {
        note(pipeline.name() + " opened");
    }

    @Override
    public void closed(Observed pipeline) {
        note(pipeline.name() + " closed");
    }

    @Override
    public void callSettled(
            String pipeline, @Nullable String operation, Outcome outcome, Source source, int attempts, long nanos) {
        note(of(pipeline, operation) + " call " + outcome + " from " + source + " after " + attempts + " attempts in "
                + nanos + " ns");
    }

    @Override
    public void backgroundSettled(String pipeline, @Nullable String operation, Outcome outcome, long nanos) {
        note(of(pipeline, operation) + " background call " + outcome + " in " + nanos + " ns");
    }

    @Override
    public void attemptSettled(String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
        note(of(pipeline, operation) + " attempt " + attempt + " " + outcome + " in " + nanos + " ns");
    }

    @Override
    public void rejected(String pipeline, @Nullable String operation, String policy, Reason reason) {
        note(of(pipeline, operation) + " rejected by " + policy + ": " + reason);
    }

    @Override
    public void retryScheduled(String pipeline, @Nullable String operation, int attempts, long waitNanos) {
        note(of(pipeline, operation) + " retry after " + attempts + " attempts in " + waitNanos + " ns");
    }

    @Override
    public void retryRefused(String pipeline, @Nullable String operation, int attempts, Refusal why) {
        note(of(pipeline, operation) + " no retry after " + attempts + " attempts: " + why);
    }

    @Override
    public void hedged(String pipeline, @Nullable String operation, int attempt) {
        note(of(pipeline, operation) + " hedged with attempt " + attempt);
    }

    @Override
    public void stateChanged(String pipeline, String policy, String from, String to, String cause) {
        note(pipeline + " " + policy + " " + from + " > " + to + ": " + cause);
    }

    @Override
    public void limitChanged(String pipeline, String policy, int from, int to) {
        note(pipeline + " " + policy + " limit " + from + " > " + to);
    }

    @Override
    public void overrun(String pipeline, @Nullable String operation, long nanos) {
        note(of(pipeline, operation) + " overrun of " + nanos + " ns");
    }

    @Override
    public void writtenOff(String pipeline, @Nullable String operation, String policy) {
        note(of(pipeline, operation) + " written off by " + policy);
    }
}
