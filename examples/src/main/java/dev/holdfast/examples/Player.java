/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/** One of those that a {@link Run} plays the same arrivals and faults to. */
interface Player extends Books {
    /** Sends one request and returns at once; the future is done, without error, when its answer is on the scoreboard. */
    CompletableFuture<Void> send(Arrival arrival);

    /**
     * Puts its stock service into this condition.
     *
     * @throws IOException if it cannot begin to listen again
     */
    void become(Condition condition) throws IOException;
}
