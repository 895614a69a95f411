/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.soak;

/** What a faulty dependency mostly does for a while. */
enum Mood {
    WELL,
    /** Answers, but late; some answers come after the timeout. */
    SLOW,
    /** Throws, exceptions and errors alike. */
    FAILING,
    /** Does not answer, and does not heed interrupts or cancellations. */
    HANGING
}
