/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import dev.holdfast.CheckedSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What is played before the action of one attempt, or in its place: a dependency that is slow, fails, answers nonsense or
 * hangs. Injected by {@link Passage#inject}. Immutable.
 *
 * @param delayNanos how long the attempt waits first; {@link Long#MAX_VALUE}: until its limit, its caller or the end of the
 *     pipeline ends it
 * @param instead what is run then; null: the action. Must not block: what it returns or throws is how the attempt ends
 */
public record Fault(long delayNanos, @Nullable CheckedSupplier<?, ?> instead) {

    /** The action runs after this time. */
    public static Fault delay(long nanos) {
        return new Fault(nanos, null);
    }

    /** The attempt ends at once with what this returns or throws, and the action is not run. */
    public static Fault instead(CheckedSupplier<?, ?> instead) {
        return new Fault(0, instead);
    }

    /** The attempt does not end by itself, and the action is not run. */
    public static Fault hang() {
        return new Fault(Long.MAX_VALUE, null);
    }
}
