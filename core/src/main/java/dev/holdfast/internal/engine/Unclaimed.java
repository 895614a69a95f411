/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.Discards;
import org.jspecify.annotations.Nullable;

/** How a call discards values, without the call itself, which may be over. */
record Unclaimed(
        Engine engine, OperationSpec operation, @Nullable Inside inside) implements Discards {
    @Override
    public void discard(Object lost) {
        engine.discard(operation, inside, lost);
    }
}
