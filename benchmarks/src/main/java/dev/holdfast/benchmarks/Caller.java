/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * One thread, and the call that it makes: it answers at once, from a field, and its attempts fail every so often. Each thread
 * counts its own, so that the count is no contended word; JMH pads the object.
 */
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // the set-up fills the call
public class Caller {
    /** Not final: the JIT must not know the answer. */
    private String answer = "answer";

    private final CompletableFuture<String> done = CompletableFuture.completedFuture(answer);
    private final Failed failure = new Failed();
    private long failsEvery = Long.MAX_VALUE;
    private long untilFailure = failsEvery;
    private Callable<?> call;

    /** Takes its place behind the guard. */
    @Setup
    public void prepare(Comparison comparison) {
        failsEvery(comparison.scenario.failsEvery());
        call = comparison.guard().around(this);
    }

    /** From now on its attempts number n, 2 n, 3 n … fail; none for n = 0. */
    Caller failsEvery(int attempts) {
        failsEvery = attempts == 0 ? Long.MAX_VALUE : attempts;
        untilFailure = failsEvery;
        return this;
    }

    Object call() throws Exception {
        return call.call();
    }

    /** The dependency, blocking. */
    String answer() {
        if (--untilFailure == 0) {
            untilFailure = failsEvery;
            throw failure;
        }
        return answer;
    }

    /** The dependency, asynchronous and already done. */
    CompletionStage<String> stage() {
        return done;
    }

    /** Made once and without a stack trace: what an exception costs is not the question. */
    static final class Failed extends RuntimeException {
        Failed() {
            super("every so often", null, false, false);
        }
    }
}
