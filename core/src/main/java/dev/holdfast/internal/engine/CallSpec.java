/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.CallKey;
import org.jspecify.annotations.Nullable;

/**
 * What the user said of one call. Used again for every call that has no key.
 *
 * @param deadlineNanos {@link Long#MAX_VALUE} if the call has no deadline of its own
 * @param sentOnce not idempotent, and not even to be repeated if the work was not done
 * @param fallback null: its operation's too has none
 * @param asker of a decorated function whose partition is asked for
 */
public record CallSpec(
        OperationSpec operation,
        @Nullable CallKey key,
        long deadlineNanos,
        boolean idempotent,
        boolean sentOnce,
        @Nullable OwnFallback fallback,
        @Nullable Asker asker) {}
