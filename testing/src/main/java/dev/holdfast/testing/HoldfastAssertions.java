/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;

/**
 * Where AssertJ's assertions on pipelines, replies and calls begin. To be imported beside AssertJ's own.
 *
 * <pre>{@code
 * assertThat(reply).isStale().hasValue("12 pieces").hasAttempts(2);
 * assertThat(pipeline).isIdle().hasState("circuit-breaker", "closed");
 * assertThatCall(() -> pipeline.call(stock::call)).wasRejectedBy("circuit-breaker", Reason.CIRCUIT_OPEN);
 * }</pre>
 */
public final class HoldfastAssertions {
    private HoldfastAssertions() {}

    /** Of a pipeline's order and what its policies hold. */
    public static PipelineAssert assertThat(Pipeline actual) {
        return new PipelineAssert(actual);
    }

    /** Of an answer and where it came from. */
    public static <T extends @Nullable Object> ReplyAssert<T> assertThat(Reply<T> actual) {
        return new ReplyAssert<>(actual);
    }

    /** Makes the call, of which is then asked how it failed. */
    public static CallAssert assertThatCall(ThrowingCallable call) {
        return CallAssert.of(call);
    }

    /** Of a call that has ended, on virtual time after {@code run}. */
    public static CallAssert assertThatCall(CompletableFuture<?> call) {
        return CallAssert.of(call);
    }
}
