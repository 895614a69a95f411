/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/** What a probe says, and of which kind it is. */
public record Decision(Kind kind, ToIntFunction<Passage> say) {

    /** What follows for the layer's life. */
    public enum Kind {
        GO_ON,
        PAUSE,
        AWAIT,
        TURN,
        RETRY,
        STAGE
    }

    /** Proceed, or keep. */
    public static final Decision GO_ON = new Decision(Kind.GO_ON, passage -> 0);

    public static final Decision REJECT = new Decision(
            Kind.TURN,
            passage -> passage.reject(Reason.OTHER, -1, "probe of '" + passage.pipeline() + "' turns calls away"));

    public static Decision pause(long millis) {
        return new Decision(
                Kind.PAUSE, passage -> passage.pause(Duration.ofMillis(millis).toNanos()));
    }

    public static Decision await(Completion completion) {
        return new Decision(Kind.AWAIT, passage -> passage.await(completion, Long.MAX_VALUE));
    }

    public static Decision await(Completion completion, long maxMillis) {
        return new Decision(
                Kind.AWAIT,
                passage ->
                        passage.await(completion, Duration.ofMillis(maxMillis).toNanos()));
    }

    public static Decision answer(Object value) {
        return new Decision(Kind.TURN, passage -> passage.answer(value, Source.FALLBACK, 0));
    }

    public static Decision fail(Throwable error) {
        return new Decision(Kind.TURN, passage -> passage.fail(error));
    }

    public static Decision retry(long millis) {
        return new Decision(
                Kind.RETRY, passage -> passage.retry(Duration.ofMillis(millis).toNanos()));
    }

    public static Decision function(Function<? super Throwable, ?> function) {
        return new Decision(Kind.TURN, passage -> passage.answerFrom(function));
    }

    public static Decision stage(Function<? super Throwable, ? extends CompletionStage<?>> function) {
        return new Decision(Kind.STAGE, passage -> passage.answerFromStage(function));
    }
}
