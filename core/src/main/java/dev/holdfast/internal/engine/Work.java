/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Work of an attempt that may go on after its outcome was decided, and the ends of layers that wait for it. */
abstract class Work {
    private boolean over;
    private long decidedAt = Long.MIN_VALUE;
    private int reach = Integer.MAX_VALUE;
    private @Nullable List<LateEnd> lateEnds;

    /** The work has ended. Those who waited for it are told by {@link #tell}. */
    synchronized List<LateEnd> end() {
        over = true;
        List<LateEnd> waiting = lateEnds == null ? List.of() : lateEnds;
        lateEnds = null;
        return waiting;
    }

    @SuppressWarnings("ForLoopReplaceableByForEach") // that makes an iterator, for which there may be no memory
    static void tell(List<LateEnd> waiting) {
        for (int i = 0; i < waiting.size(); i++) {
            try {
                waiting.get(i).workEnded();
            } catch (Throwable noMemory) {
                // The others hold something, too.
                Log.warn("the end of work that went on could not be told", noMemory);
            }
        }
    }

    /** The outcome is decided, but the work goes on; false if it has ended meanwhile. */
    synchronized boolean goesOn(long now) {
        if (!over) {
            decidedAt = now;
        }
        return !over;
    }

    synchronized boolean isOver() {
        return over;
    }

    /** When the outcome was decided and the work went on; {@link Long#MIN_VALUE} if it did not. */
    synchronized long decidedAt() {
        return decidedAt;
    }

    synchronized boolean attach(LateEnd end) {
        if (over) {
            return false;
        }
        if (lateEnds == null) {
            lateEnds = new ArrayList<>(2);
        }
        lateEnds.add(end);
        return true;
    }

    /** Whether the entry of this layer has ended although the walk has not left it; see {@link Overstay}. */
    boolean hasEnded(int layer) {
        return false;
    }

    /** The walk leaves this layer. */
    void left(int layer) {}

    boolean reaches(int layer) {
        return reach >= layer;
    }

    void reachOnly(int layer) {
        reach = Math.min(reach, layer);
    }
}
