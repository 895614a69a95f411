/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

/**
 * Knows how values of a call are discarded: an attempt, for a value that comes after it was given up, and the future of a call, for
 * its value. For those whose subscribers may leave when the call is over already.
 */
public interface Discards {
    /** Nobody gets this value. It is not discarded if others have it too, or a cache keeps it. */
    void discard(Object lost);
}
