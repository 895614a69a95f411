/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What an operation or a call answers in place of a failure: one of the two. */
public record OwnFallback(
        @Nullable Function<? super @Nullable Throwable, ?> function,
        @Nullable Function<? super @Nullable Throwable, ? extends CompletionStage<?>> asyncFunction) {}
