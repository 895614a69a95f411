/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Asks a service on somebody's behalf, as often as it sees fit. */
interface Client {
    /**
     * Makes a call.
     *
     * @param key what is asked for, if the answer may be kept
     * @param attempt asks the service once
     * @return completes normally in any case
     */
    CompletableFuture<Answer> call(@Nullable Integer key, Service attempt);
}
