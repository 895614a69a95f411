/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import java.util.concurrent.CompletableFuture;

/** Work that does not heed its cancellation. */
final class StubbornFuture<T> extends CompletableFuture<T> {
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        return false;
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new StubbornFuture<>();
    }
}
