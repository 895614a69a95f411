/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Classifier;

/** Holds a classifier, which may be exchanged. The operations of a pipeline without one of their own share the pipeline's. */
public final class Meaning {
    private volatile Classifier classifier;

    public Meaning(Classifier first) {
        classifier = first;
    }

    public Classifier classifier() {
        return classifier;
    }

    public void become(Classifier other) {
        classifier = other;
    }
}
