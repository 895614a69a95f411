/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What the budget of the retries costs by itself, with all threads at one. */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class RetryTokens extends Measured {
    private static final int MAX_TOKENS = 10;
    private static final double TOKEN_RATIO = 0.1;

    @Param({"HOLDFAST", "GRPC"})
    public Kind budget;

    private Tokens tokens;

    /** Who keeps the tokens. */
    public enum Kind {
        HOLDFAST,
        GRPC;

        Tokens of(int maxTokens, double tokenRatio) {
            return this == GRPC
                    ? new Tokens.OneWord(maxTokens, tokenRatio)
                    : new Tokens.Budget(maxTokens, tokenRatio, () -> 0);
        }
    }

    @Setup
    public void fill() {
        tokens = budget.of(MAX_TOKENS, TOKEN_RATIO);
    }

    /** Counts a thread's own calls; JMH pads the object. */
    @State(Scope.Thread)
    public static class Turn {
        private int calls;

        boolean isTenth() {
            calls = calls == 9 ? 0 : calls + 1;
            return calls == 0;
        }
    }

    /** Good times: the budget is full. */
    @Benchmark
    public void succeeded() {
        tokens.succeeded();
    }

    /** Nine successes pay for nine tenths of a failure: the budget is never full, and soon drained. */
    @Benchmark
    public boolean everyTenthFailed(Turn turn) {
        if (turn.isTenth()) {
            return tokens.failed();
        }
        tokens.succeeded();
        return true;
    }

    /** An outage. */
    @Benchmark
    public boolean failed() {
        return tokens.failed();
    }

    /** What a hedge asks. */
    @Benchmark
    public boolean allows() {
        return tokens.allows();
    }
}
