/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

/**
 * What a layer remembers of a call in an object that may serve the next call of the same thread. A new one for each call is written
 * into an old object, and pays the garbage collector's barrier each time. Used by one thread at a time.
 */
public interface Reusable {
    /** The call is over: lets go of all that was its, and may serve another call. Returns false, and does nothing, if it may not. */
    boolean forget();

    /** Somebody else refers to it now, such as the late end of an attempt: it serves no other call. */
    void share();
}
