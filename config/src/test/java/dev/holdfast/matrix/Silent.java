/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

/** What the pages do not say, or say in two ways: both answers are taken, and which one was given is counted. */
enum Silent {
    /** INTERPRETER 4: "also if a fallback answers"; fallback.md says nothing of interrupts. */
    A_FALLBACK_ANSWERS_AN_INTERRUPT,
    /** The same of one that takes time, while the interrupted thread waits for it. */
    A_STAGE_IS_ASKED_AFTER_AN_INTERRUPT,
    /** Both come in one instant. */
    A_STAGE_IN_THE_INSTANT_OF_ITS_LIMIT_ANSWERS,
    /** The inner pipeline inherits the limit and may have an answer at once; DESIGN 1 (8) has the outer's limit reported. */
    AN_INNER_ANSWER_BEATS_THE_OUTER_LIMIT,
    /** Or is given up as a rival, or measured by the rival's answer: which comes first is chance. */
    AN_ATTEMPT_THAT_ENDS_WITH_ANOTHER_IN_ONE_INSTANT_IS_CUT_BY_ITS_LIMIT
}
