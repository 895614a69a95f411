/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** What fallbacks answer. */
interface Stage {
    /** At once. */
    Object now();

    /** After a while. */
    CompletionStage<?> begin(@Nullable Throwable error);
}
