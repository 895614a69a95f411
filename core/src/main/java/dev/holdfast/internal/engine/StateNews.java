/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.OwnObserver;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.spi.CallObserver;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The changes of state that the observers of one pipeline are to hear. Each observer hears of one after the other, in their order,
 * and no lock is held meanwhile: who finds that another thread tells an observer leaves the rest to it. So an observer may change a
 * state itself, and one that waits keeps up nobody but the thread that tells it.
 */
final class StateNews {
    /** For an observer that stands still: the older ones are left out. */
    static final int MOST = 1_000;

    private final ShortLock lock = new ShortLock();
    /** Those that only keep what they hear. */
    private final int[] keepers;
    /** The library's own before those of the user. */
    private final List<Turns> others;

    /** One change. */
    record Change(String policy, String from, String to, String cause) {}

    /** What one observer has not heard. */
    private static final class Turns {
        final int observer;
        /** Null before the first change: a pipeline for each key has many of these. */
        @Nullable
        Deque<Change> waiting;

        /** Whether a thread tells it now. Written under the lock, or by that thread. */
        volatile boolean isTold;

        Turns(int observer) {
            this.observer = observer;
        }
    }

    StateNews(CallObserver[] observers) {
        List<Integer> first = new ArrayList<>();
        List<Turns> own = new ArrayList<>();
        List<Turns> theirs = new ArrayList<>();
        for (int i = 0; i < observers.length; i++) {
            if (observers[i] instanceof OwnObserver.Keeper) {
                first.add(i);
            } else {
                (observers[i] instanceof OwnObserver ? own : theirs).add(new Turns(i));
            }
        }
        keepers = first.stream().mapToInt(i -> i).toArray();
        own.addAll(theirs);
        others = List.copyOf(own);
    }

    /** Gives the change its place. */
    void note(Change change, ObjIntConsumer<Change> teller) {
        lock.lock();
        try {
            for (Turns turns : others) {
                add(turns, change);
            }
            for (int keeper : keepers) {
                teller.accept(change, keeper);
            }
        } finally {
            lock.unlock();
        }
    }

    private static void add(Turns turns, Change change) {
        Deque<Change> waiting = turns.waiting;
        if (waiting == null) {
            waiting = new ArrayDeque<>();
            turns.waiting = waiting;
        }
        if (waiting.size() == MOST) {
            waiting.removeFirst();
        }
        waiting.addLast(change);
    }

    /** Tells what waits. */
    void tell(ObjIntConsumer<Change> teller) {
        for (Turns turns : others) {
            tell(turns, teller);
        }
    }

    private void tell(Turns turns, ObjIntConsumer<Change> teller) {
        Change next = first(turns);
        while (next != null) {
            boolean isHeard = false;
            try {
                teller.accept(next, turns.observer);
                isHeard = true;
            } finally {
                if (!isHeard) {
                    // Where the stack is full, even the observers' net has a hole. The next change finds the turn free.
                    turns.isTold = false;
                }
            }
            next = next(turns);
        }
    }

    /** The first one that waits, and the turn; null: nothing waits, or another thread has the turn. */
    private @Nullable Change first(Turns turns) {
        lock.lock();
        try {
            return turns.isTold ? null : take(turns);
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Change next(Turns turns) {
        lock.lock();
        try {
            return take(turns);
        } finally {
            lock.unlock();
        }
    }

    private static @Nullable Change take(Turns turns) {
        Change next = turns.waiting == null ? null : turns.waiting.pollFirst();
        turns.isTold = next != null;
        return next;
    }
}
