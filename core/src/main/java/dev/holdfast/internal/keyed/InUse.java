/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.keyed;

import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/** Counts the calls that are in an instance of a pipeline, so that none with calls goes. */
public final class InUse extends Policy {
    private final LongAdder inside = new LongAdder();

    /** Since the last look. Written only if it changes, because all threads read it. */
    private volatile boolean used = true;

    public InUse() {
        super("keyed", ENTER | ENDED);
    }

    /** Where it belongs among these policies: outermost, but inside a deadline. */
    public static int place(List<? extends Policy> policies) {
        int inside = 0;
        while (inside < policies.size()
                && ShadowPolicy.inside(policies.get(inside)).name().equals("deadline")) {
            inside++;
        }
        return inside;
    }

    @Override
    public Timing timing() {
        return Timing.NONE;
    }

    @Override
    public int enter(Passage passage) {
        inside.increment();
        touch();
        return PROCEED;
    }

    @Override
    public void ended(Passage passage) {
        // First: a look that counts the call no more must see that it has been there.
        touch();
        inside.decrement();
    }

    /** Somebody has asked for the instance, or a call of it has ended. */
    public void touch() {
        if (!used) {
            used = true;
        }
    }

    /** Whether nobody has used it since the last look, nor does now. */
    public boolean isIdle() {
        boolean empty = inside.sum() == 0;
        if (used) {
            used = false;
            return false;
        }
        return empty;
    }
}
