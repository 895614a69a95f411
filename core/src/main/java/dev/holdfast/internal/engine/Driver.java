/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

/** Does what the walk says: waits, runs the action, and is told by others that the wait or the action is over. */
interface Driver {
    /** Runs a call that has no caller; {@link ChildCalls#done} is told of its end. */
    void runChild(CallState child);

    /** The limit of this attempt has struck; on the timer's thread. */
    void strike(CallState call, long number);

    /** A hedge has answered before the call's own attempt; on the thread on which it ended. */
    void overtake(CallState call, long number);

    /** Gives up a hedge. Returns false if its action was about to run, and now does not. */
    boolean giveUp(CallState hedge);
}
