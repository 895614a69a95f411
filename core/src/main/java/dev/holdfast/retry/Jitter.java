/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

/** How waits between attempts are drawn, so that callers that failed together do not come back together. */
public enum Jitter {
    /** From zero to the exponential wait; the least load for the dependency. */
    FULL,
    /** From half the exponential wait to the whole. */
    EQUAL,
    /** From the initial wait to three times the last one (AWS architecture blog, "Exponential backoff and jitter"). */
    DECORRELATED,
    /** The exponential wait itself. */
    NONE
}
