/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.fallback;

import dev.holdfast.Reply.Source;
import dev.holdfast.internal.Fatal;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Gives another answer to a call that failed, timed out, was pushed back or was rejected.
 *
 * <p>The fallback of a {@linkplain dev.holdfast.Call#fallback call} comes first, then that of its {@linkplain
 * dev.holdfast.Operation.Options#fallback operation}, then the policy's own.
 *
 * <p>It stands outside the retry and the stale cache: a failure is retried first, and a fallback is never stored. It does not
 * answer a cancelled call, nor, unless asked for, the caller's own fault. If the function throws, the call ends with that
 * exception.
 */
public final class FallbackPolicy extends Policy {
    private final FallbackSettings settings;
    private final @Nullable Function<@Nullable Throwable, ?> function;
    private final @Nullable Function<@Nullable Throwable, ? extends CompletionStage<?>> asyncFunction;

    private FallbackPolicy(FallbackSettings settings) {
        super("fallback", FAILURE | OWN_FALLBACK);
        this.settings = settings;
        this.function = settings.function();
        this.asyncFunction = settings.asyncFunction();
    }

    /** A fallback with these settings. */
    public static FallbackPolicy of(FallbackSettings settings) {
        return new FallbackPolicy(settings);
    }

    /** A fallback that always answers this value. */
    public static FallbackPolicy value(@Nullable Object value) {
        return of(FallbackSettings.of(f -> f.value(value)));
    }

    /** A fallback that answers what this function returns for the error; the error is null if the failure was a value. */
    public static FallbackPolicy of(Function<@Nullable Throwable, ?> function) {
        return of(FallbackSettings.of(f -> f.function(function)));
    }

    /** A fallback that answers what the stage of this function completes with. */
    public static FallbackPolicy ofAsync(Function<@Nullable Throwable, ? extends CompletionStage<?>> function) {
        return of(FallbackSettings.of(f -> f.asyncFunction(function)));
    }

    /**
     * A fallback without an answer of its own: it answers calls whose {@linkplain dev.holdfast.Operation.Options#fallback
     * operation} or which {@linkplain dev.holdfast.Call#fallback themselves} have one.
     */
    public static FallbackPolicy ofOperations() {
        return of(FallbackSettings.of(f -> f.onlyOfOperations()));
    }

    /** The settings that this fallback was made with. */
    public FallbackSettings settings() {
        return settings;
    }

    @Override
    public Map<String, Object> settingsMap() {
        return settings.asMap();
    }

    @Override
    public Timing timing() {
        return Timing.NONE;
    }

    @Override
    public boolean mayAnswer() {
        // What operations and calls have they say themselves.
        return !settings.onlyOfOperations();
    }

    @Override
    public int settle(Passage passage) {
        if (!answers(passage)) {
            return KEEP;
        }
        Function<? super @Nullable Throwable, ?> now = passage.fallback();
        Function<? super @Nullable Throwable, ? extends CompletionStage<?>> later = passage.asyncFallback();
        if (now == null && later == null) {
            if (settings.onlyOfOperations()) {
                return KEEP;
            }
            now = function;
            later = asyncFunction;
        }
        if (now != null) {
            return passage.answerFrom(now);
        }
        if (later != null) {
            return passage.answerFromStage(later);
        }
        return passage.answer(settings.value(), Source.FALLBACK, 0);
    }

    private boolean answers(Passage passage) {
        switch (passage.outcome()) {
            case SUCCESS:
            case CANCELLED:
                return false;
            case IGNORED:
                return settings.onIgnored() && !Fatal.is(passage.error());
            default:
                return true;
        }
    }
}
