/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.util.concurrent.atomic.LongAdder;

/** Counts the calls that are in an instance of a pipeline, so that none with calls goes. */
final class InUse extends Policy {
    static final String NAME = "keyed";

    private final LongAdder inside = new LongAdder();

    /** Since the last look. Written only if it changes, because all threads read it. */
    private volatile boolean used = true;

    InUse() {
        super(NAME, ENTER | ENDED);
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
        inside.decrement();
    }

    void touch() {
        if (!used) {
            used = true;
        }
    }

    /** Whether nobody has used it since the last look, nor does now. */
    boolean isIdle() {
        boolean idle = !used && inside.sum() == 0;
        used = false;
        return idle;
    }
}
