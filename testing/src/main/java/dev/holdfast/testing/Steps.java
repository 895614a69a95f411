/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.internal.TestMistake;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** The steps of a script, one after the other; the last is repeated. Not safe for threads: its owner locks. */
final class Steps<S> {
    private final String owner;
    private final List<S> steps = new ArrayList<>();
    /** How many of them are the last step, repeated. */
    private int repeats;

    private int taken;

    Steps(String owner) {
        this.owner = owner;
    }

    void add(S step) {
        steps.add(step);
        repeats = 1;
    }

    /** In all of its repeats. */
    void changeLast(UnaryOperator<S> change) {
        S changed = change.apply(last());
        for (int i = 1; i <= repeats; i++) {
            steps.set(steps.size() - i, changed);
        }
    }

    void repeatLast(int times) {
        if (times < 1) {
            throw new IllegalArgumentException("times is " + times + " but must be at least 1");
        }
        S step = last();
        for (; repeats < times; repeats++) {
            steps.add(step);
        }
        for (; repeats > times; repeats--) {
            steps.remove(steps.size() - 1);
        }
    }

    private S last() {
        if (steps.isEmpty()) {
            throw new IllegalStateException(empty());
        }
        return steps.get(steps.size() - 1);
    }

    private String empty() {
        return "the script of the " + owner + " is empty: say what it does first";
    }

    /** Not an exception as above: this is the answer to a call, which no policy may repeat or answer. */
    S next() {
        if (steps.isEmpty()) {
            throw new TestMistake(empty());
        }
        return steps.get(Math.min(taken++, steps.size() - 1));
    }
}
