/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.UnaryOperator;

/** A future that ends as another one, perhaps with another error. To cancel it cancels that one. */
final class HandedOn<T> extends CompletableFuture<T> {
    private final CompletableFuture<T> source;

    HandedOn(CompletableFuture<T> source, UnaryOperator<Throwable> errors) {
        this.source = source;
        var unused = source.whenComplete((value, error) -> {
            if (error == null) {
                complete(value);
            } else {
                Throwable cause = error.getCause();
                completeExceptionally(
                        errors.apply(error instanceof CompletionException && cause != null ? cause : error));
            }
        });
    }

    @Override
    public boolean cancel(boolean mayInterrupt) {
        // First this one, so that its owner sees a cancellation and not what the other makes of it.
        boolean cancelled = super.cancel(mayInterrupt);
        source.cancel(mayInterrupt);
        return cancelled;
    }
}
