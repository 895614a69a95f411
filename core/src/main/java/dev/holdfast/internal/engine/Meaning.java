/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Classifier;

/** Holds a classifier, which may be exchanged. The operations of a pipeline without one of their own share the pipeline's. */
public final class Meaning {
    private volatile Classifier classifier;

    /** At first this one. */
    public Meaning(Classifier first) {
        classifier = first;
    }

    /** The one of now. */
    public Classifier classifier() {
        return classifier;
    }

    /** From now on another one. */
    public void become(Classifier other) {
        classifier = other;
    }
}
