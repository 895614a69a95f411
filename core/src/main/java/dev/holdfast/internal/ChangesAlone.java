/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A policy whose state also changes without a call: by hand, or by a reload. Observers hear of it at once. */
public interface ChangesAlone extends TellsState {
    /** The cause of a change that somebody makes through the policy or a view of it. */
    String BY_HAND = "by hand";

    /** The cause of a change by a reload. */
    String BY_OPTION = "by the option initial-state";

    /**
     * Hears of changes of state, in two steps, so that the policy can give each change its place under a lock, and no code of the
     * user runs under that lock.
     */
    interface Told {
        /** Gives the change its place behind those before. Runs no code of the user. */
        void noteChange(String from, String to, String cause);

        /** Tells the observers what they have not heard, on this thread, unless another thread is about it. */
        void tellChanges();

        /** The one of a call's pipeline. */
        static Told of(Passage passage) {
            Passage inside = passage;
            while (inside instanceof PassageOver over) {
                inside = over.passage;
            }
            return inside instanceof Told told ? told : new OfPassage(passage);
        }
    }

    /** A passage that tells at once. */
    final class OfPassage implements Told {
        private final Passage passage;
        private final List<Runnable> noted = new ArrayList<>();

        private OfPassage(Passage passage) {
            this.passage = passage;
        }

        @Override
        public void noteChange(String from, String to, String cause) {
            noted.add(() -> passage.stateChanged(from, to, cause));
        }

        @Override
        public void tellChanges() {
            noted.forEach(Runnable::run);
            noted.clear();
        }
    }

    /** A pipeline that the policy is in. */
    interface Listener extends Told {
        /** Whether it does not have the policy any more, or is closed. */
        boolean isGone();
    }

    /** The pipelines that have a policy. Safe for any number of threads. */
    final class Listeners {
        private static final int FEW = 16;

        private final ShortLock lock = new ShortLock();
        private final List<Listener> all = new ArrayList<>();
        /** With this many, those that are gone are looked for. */
        private int many = FEW;

        /** One more. Those that are gone go when there are twice as many as were left the last time. */
        public void add(Listener pipeline) {
            lock.lock();
            try {
                if (all.size() >= many) {
                    all.removeIf(Listener::isGone);
                    many = Math.max(FEW, 2 * all.size());
                }
                all.add(pipeline);
            } finally {
                lock.unlock();
            }
        }

        /** Any one that has the policy; null: none has. */
        public @Nullable Listener any() {
            lock.lock();
            try {
                for (int last = all.size() - 1; last >= 0; last--) {
                    Listener pipeline = all.get(last);
                    if (!pipeline.isGone()) {
                        return pipeline;
                    }
                    // Or each further question would pass it again.
                    all.remove(last);
                }
                return null;
            } finally {
                lock.unlock();
            }
        }

        /** How many are held, gone or not. */
        int held() {
            lock.lock();
            try {
                return all.size();
            } finally {
                lock.unlock();
            }
        }
    }

    /** Receives each pipeline that it is in from now on. Any listener is told of a change, but only one. */
    void listener(Listener pipeline);

    /** Looks at the state, and tells of changes that nobody has seen. */
    void look();

    /** None of the pipeline's calls is rejected. */
    @Override
    default String stateAtRest() {
        return "closed";
    }

    /** All of these policies that do so, also those in shadow, look at their states. */
    static void look(List<Policy> policies) {
        for (Policy policy : policies) {
            if (AroundPolicy.innermost(policy) instanceof ChangesAlone alone) {
                alone.look();
            }
        }
    }
}
