/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.Policy;
import java.util.List;

/** A policy whose state also changes without a call: by hand, or by a reload. Observers hear of it at once. */
public interface ChangesAlone {

    /** A pipeline that the policy is in. */
    interface Listener {
        /** Whether it does not have the policy any more, or is closed. */
        boolean isGone();

        /** Tells its observers, on this thread. */
        void stateChanged(String from, String to, String cause);
    }

    /** Receives each pipeline that it is in from now on. Any listener is told of a change, but only one. */
    void listener(Listener pipeline);

    /** Looks at the state, and tells of changes that nobody has seen. */
    void look();

    /** All of these policies that do so, also those in shadow, look at their states. */
    static void look(List<Policy> policies) {
        for (Policy policy : policies) {
            if (AroundPolicy.innermost(policy) instanceof ChangesAlone alone) {
                alone.look();
            }
        }
    }
}
