/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

/** Where an answer came from. */
public enum Source {
    /** The dependency, now: through this call, or through another call for the same key that this one joined. */
    LIVE,
    /** The cache; the value is younger than its fresh time. */
    FRESH,
    /** The cache; the value is older than its fresh time, and is being refreshed in the background. */
    STALE_REVALIDATING,
    /** The cache, because the call failed or was rejected. */
    STALE_ON_ERROR,
    /** The fallback. */
    FALLBACK
}
