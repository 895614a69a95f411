/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.Policy;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A policy whose state also changes without a call: by hand, or by a reload. Observers hear of it at once. */
public interface ChangesAlone {

    /** Hears of a change of state. */
    interface Told {
        void stateChanged(String from, String to, String cause);
    }

    /** A pipeline that the policy is in. Tells its observers, on this thread. */
    interface Listener extends Told {
        /** Whether it does not have the policy any more, or is closed. */
        boolean isGone();
    }

    /** The pipelines that have a policy. Safe for any number of threads. */
    final class Listeners {
        private final List<Listener> all = new CopyOnWriteArrayList<>();

        /** One more; those that are gone go. */
        public void add(Listener pipeline) {
            all.removeIf(Listener::isGone);
            all.add(pipeline);
        }

        /** Any one that has the policy; null: none has. */
        public @Nullable Listener any() {
            for (Listener pipeline : all) {
                if (!pipeline.isGone()) {
                    return pipeline;
                }
            }
            return null;
        }
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
