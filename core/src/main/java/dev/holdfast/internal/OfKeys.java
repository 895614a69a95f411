/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.CallObserver.Keys;
import org.jspecify.annotations.Nullable;

/** A policy that knows what its pipeline is an instance of. */
public interface OfKeys {
    /** Null: observers are not told. */
    @Nullable
    Keys keys();
}
