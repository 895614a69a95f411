/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.fallback;

import dev.holdfast.Source;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Answers instead of a call that failed, timed out, was pushed back or was turned away.
 *
 * <p>Its answer is no success of the dependency: it stands outside the retry and the cache, so that a failure is tried again
 * first and a fallback is never stored. Not for a call that was cancelled, nor, unless asked, for the caller's own fault. What
 * the function throws is the call's error.
 */
public final class FallbackPolicy extends Policy {
    private final FallbackSettings settings;
    private final @Nullable Function<@Nullable Throwable, ?> function;
    private final @Nullable Function<@Nullable Throwable, ? extends CompletionStage<?>> asyncFunction;

    private FallbackPolicy(FallbackSettings settings) {
        super("fallback", FAILURE);
        this.settings = settings;
        this.function = settings.function();
        this.asyncFunction = settings.asyncFunction();
    }

    /** With these settings. */
    public static FallbackPolicy of(FallbackSettings settings) {
        return new FallbackPolicy(settings);
    }

    /** Always this value. */
    public static FallbackPolicy value(@Nullable Object value) {
        return of(FallbackSettings.of(f -> f.value(value)));
    }

    /** What this function makes of the error; it is given null where the failure was a value. */
    public static FallbackPolicy of(Function<@Nullable Throwable, ?> function) {
        return of(FallbackSettings.of(f -> f.function(function)));
    }

    /** What the stage completes with that this function makes of the error. */
    public static FallbackPolicy ofAsync(Function<@Nullable Throwable, ? extends CompletionStage<?>> function) {
        return of(FallbackSettings.of(f -> f.asyncFunction(function)));
    }

    @Override
    public boolean mayAnswer() {
        return true;
    }

    @Override
    public int settle(Passage passage) {
        if (!answers(passage)) {
            return KEEP;
        }
        if (function != null) {
            return passage.answerFrom(function);
        }
        if (asyncFunction != null) {
            return passage.remaining() > 0 ? passage.answerFromStage(asyncFunction) : KEEP;
        }
        return passage.answer(settings.value(), Source.FALLBACK, 0);
    }

    private boolean answers(Passage passage) {
        switch (passage.outcome()) {
            case SUCCESS:
            case CANCELLED:
                return false;
            case IGNORED:
                return settings.onIgnored() && !(passage.error() instanceof VirtualMachineError);
            default:
                return true;
        }
    }
}
