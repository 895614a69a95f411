/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.Reason;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.time.Duration;

/** A layer that makes one kind of trouble in every call, until it is told to stop. */
final class TroublePolicy extends Policy {

    /** The kind of trouble. */
    enum Kind {
        PAUSE,
        REJECT,
        FAIL,
        ENTER_THROWS,
        SETTLE_THROWS,
        ABANDON_THROWS,
        ENDED_THROWS,
        STILL_ADMITS_THROWS,
        STILL_ADMITS_REJECTS
    }

    static final Duration PAUSE = Duration.ofMillis(10);

    private final Kind kind;
    private volatile boolean over;

    TroublePolicy(Kind kind) {
        super("trouble", ENTER | SUCCESS | FAILURE | ENDED | STILL_ADMITS);
        this.kind = kind;
    }

    void stop() {
        over = true;
    }

    private boolean makes(Kind asked) {
        return kind == asked && !over;
    }

    private void maybeThrow(Kind asked) {
        if (makes(asked)) {
            throw new ThrownOnPurpose("trouble: " + kind);
        }
    }

    @Override
    public int enter(Passage passage) {
        maybeThrow(Kind.ENTER_THROWS);
        if (makes(Kind.REJECT)) {
            return passage.reject(Reason.OTHER, -1, "trouble of '" + passage.pipeline() + "'");
        }
        if (makes(Kind.FAIL)) {
            return passage.fail(new IllegalStateException("trouble"));
        }
        return makes(Kind.PAUSE) || makes(Kind.ABANDON_THROWS) ? passage.pause(PAUSE.toNanos()) : PROCEED;
    }

    @Override
    public int settle(Passage passage) {
        maybeThrow(Kind.SETTLE_THROWS);
        return KEEP;
    }

    @Override
    public void abandon(Passage passage) {
        maybeThrow(Kind.ABANDON_THROWS);
    }

    @Override
    public void ended(Passage passage) {
        maybeThrow(Kind.ENDED_THROWS);
    }

    @Override
    public int stillAdmits(Passage passage) {
        maybeThrow(Kind.STILL_ADMITS_THROWS);
        return makes(Kind.STILL_ADMITS_REJECTS)
                ? passage.reject(Reason.OTHER, -1, "trouble of '" + passage.pipeline() + "'")
                : PROCEED;
    }
}
