/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Asks a service on somebody's behalf, as often as it sees fit. */
interface Client {
    /**
     * Makes a call.
     *
     * @param key what is asked for, if the answer may be kept
     * @param attempt asks the service once; the service does not know if nobody listens to the answer any more
     * @return completes normally in any case
     */
    CompletableFuture<Answer> call(@Nullable Integer key, Supplier<CompletableFuture<String>> attempt);
}
