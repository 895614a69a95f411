/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.concurrent.CompletableFuture;

/** What a client calls. */
interface Service {
    /**
     * Takes a request.
     *
     * @param until when the client gives it up, as a header tells it; most services do not look at it
     */
    CompletableFuture<String> ask(double until);
}
