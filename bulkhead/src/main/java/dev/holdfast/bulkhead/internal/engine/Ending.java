/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

/** How an attempt ended that was not served. */
enum Ending {
    /** In a timeout, or in a pushback that may have been in a queue. */
    LOST,

    /** In a pushback sooner than an answer: it has been in no queue. */
    REFUSED,

    /** In an error: a bug, and no load. */
    FAILED
}
