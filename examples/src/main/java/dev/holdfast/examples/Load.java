/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.time.Duration;

/**
 * What the customers of a shop do.
 *
 * @param perSecond requests on average
 * @param seed of the times at which they come
 * @param patience how long a customer waits for an answer
 */
record Load(int perSecond, long seed, Duration patience) {
    static final Duration USUAL_PATIENCE = Duration.ofSeconds(2);
}
