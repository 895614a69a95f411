/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

/** What each layer of a pipeline knows of how long answers take. One in shadow learns nothing of what it would have turned away. */
final class Answers {
    private final AnswerTimes[] ofLayers;

    // Written and read by all threads without care: that two note an answer does no harm.
    private long notedAt;
    private boolean noted;

    Answers(Plan plan) {
        ofLayers = new AnswerTimes[plan.layers];
        for (int i = 0; i < ofLayers.length; i++) {
            ofLayers[i] = AnswerTimes.of(plan.policy(i));
        }
    }

    /** Notes only some answers: each write slows down all threads that read. */
    void note(CallState call) {
        if (call.now() - notedAt >= AnswerTimes.SAMPLE_NANOS || !noted) {
            noteNow(call);
        }
    }

    private void noteNow(CallState call) {
        long longestAgo = 0;
        boolean hearAll = true;
        for (int i = 0; i < ofLayers.length; i++) {
            if (call.isLetInBy(i)) {
                longestAgo = Math.max(longestAgo, ofLayers[i].note(call.actionNanos, call.now()));
            } else {
                hearAll = false;
            }
        }
        // Else the next answer may be one for the layer that does not hear of this one.
        if (hearAll) {
            notedAt = call.now() - longestAgo;
            noted = true;
        }
    }

    /** A bit for each layer: the attempt that a limit ended ran long enough to count against the dependency. */
    long outlived(CallState call) {
        long longNanos = call.longFor(call.limitOwner);
        long mask = 0;
        for (int i = 0; i < ofLayers.length; i++) {
            if (call.isLetInBy(i) && ofLayers[i].areOutlivedBy(call.actionNanos, call.now(), longNanos)) {
                mask |= 1L << i;
            }
        }
        return mask;
    }
}
