/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.Passage;
import java.util.concurrent.atomic.LongAdder;

/** Counts the tries that a policy rejects. */
public final class Refused {
    private Refused() {}

    /** Before or after the rejection. */
    public static void count(Passage passage, LongAdder rejected) {
        if (isTry(passage)) {
            rejected.increment();
        }
    }

    /**
     * Whether a caller asked for it. Nobody asked for a hedge: the call goes on without it, and so it counts as a hedge that was
     * refused, and not as a try that was.
     */
    public static boolean isTry(Passage passage) {
        return passage.mayWait();
    }
}
