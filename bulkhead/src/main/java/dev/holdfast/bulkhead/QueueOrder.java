/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

/** Who is served first of the calls that wait for a permit, and who is turned away. */
public enum QueueOrder {
    /** First come, first served. Whoever finds the queue full is turned away. */
    FIFO,

    /**
     * Last come, first served: under overload the newest call is the one whose caller is still there. A newcomer takes the
     * place of the oldest when the queue is full.
     */
    LIFO,

    /**
     * First come, first served, with a controlled delay: once calls have been waiting without a pause for {@link
     * BulkheadSettings#codelInterval}, a newcomer waits for no more than {@link BulkheadSettings#codelTarget}. So a burst is
     * absorbed, and a queue that stands is not (Nichols and Jacobson's CoDel as Facebook uses it in "Fail at Scale", ACM
     * Queue 13(8), 2015).
     */
    CODEL
}
