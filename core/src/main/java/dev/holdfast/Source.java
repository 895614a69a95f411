/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

/** Where an answer came from. */
public enum Source {
    /** The dependency, just now: by this call, or by another call of the same key that this one joined. */
    LIVE,
    /** The cache; not older than its fresh time. */
    FRESH,
    /** The cache; older than its fresh time, and being refreshed in the background. */
    STALE_REVALIDATING,
    /** The cache, because the call failed or was rejected. */
    STALE_ON_ERROR,
    /** The fallback. */
    FALLBACK
}
