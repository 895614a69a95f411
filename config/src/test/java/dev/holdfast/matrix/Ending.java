/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

import static dev.holdfast.matrix.Ending.Event.CANCEL;
import static dev.holdfast.matrix.Ending.Event.CLOSE;
import static dev.holdfast.matrix.Ending.Event.INTERRUPT;
import static dev.holdfast.matrix.Ending.Event.REFUSE;

import org.jspecify.annotations.Nullable;

/** The ways a call ends: what the action does, what the call meets, and what comes from outside, all in ms. */
@SuppressWarnings("ImmutableEnumChecker") // a record of constants
enum Ending {
    VALUE(of(Script.VALUE)),
    FAILURE(of(Script.FAIL)),
    FAILURE_ONCE(of(Script.FAIL_ONCE)),
    PUSHBACK(of(Script.BUSY)),
    PUSHBACK_ONCE(of(Script.BUSY_ONCE)),
    IGNORED(of(Script.GONE)),
    ERROR(of(Script.ERROR)),
    MACHINE_ERROR(of(Script.MACHINE)),
    /** The action ends so by itself: somebody else has interrupted or cancelled it. */
    INTERRUPTION(of(Script.INTERRUPTION)),
    CANCELLATION(of(Script.CANCELLATION)),
    SLOW(of(Script.SLOW)),

    /** Of work that must not be done twice. */
    ONCE_FAILURE(of(Script.FAIL).once()),
    ONCE_PUSHBACK(of(Script.BUSY_ONCE).once()),
    ONCE_SLOW(of(Script.SLOW).once()),
    ONCE_LIMIT(of(Script.HANG).onlyLimited().once()),
    ONCE_OLD(of(Script.FAIL).meets(Trouble.WARM).once()),

    OWN_LIMIT(of(Script.HANG).onlyLimited()),
    OWN_LIMIT_ONCE(of(Script.HANG_ONCE).onlyLimited()),
    OWN_LIMIT_REFLAG(of(Script.REFLAG).onlyLimited()),
    OWN_LIMIT_DEAF(of(Script.DEAF).onlyLimited()),
    OUTER_LIMIT(of(Script.HANG).onlyLimited().shortOutside()),
    OUTER_LIMIT_REFLAG(of(Script.REFLAG).onlyLimited().shortOutside()),
    CALL_LIMIT(of(Script.HANG).deadline(60)),
    CALL_LIMIT_REFLAG(of(Script.REFLAG).deadline(60)),
    CALL_LIMIT_DEAF(of(Script.DEAF).deadline(60)),
    INHERITED_LIMIT(of(Script.HANG).inherits(60)),
    INHERITED_LIMIT_DEAF(of(Script.DEAF).inherits(60)),
    SHORT_DEADLINE(of(Script.FAIL).deadline(20)),
    /** A fallback's stage that begins after the first failure comes in the very instant of the limit. */
    STAGE_AT_LIMIT(of(Script.FAIL).deadline(Script.QUICK + Layer.STAGE_TAKES)),

    CANCELLED(of(Script.HANG).at(40, CANCEL)),
    CANCELLED_DEAF(of(Script.DEAF).at(40, CANCEL)),
    CANCELLED_BETWEEN(of(Script.FAIL).at(5, CANCEL)),
    INTERRUPTED(of(Script.HANG).at(40, INTERRUPT)),
    INTERRUPTED_REFLAG(of(Script.REFLAG).at(40, INTERRUPT)),
    INTERRUPTED_DEAF(of(Script.DEAF).at(40, INTERRUPT)),
    INTERRUPTED_BETWEEN(of(Script.FAIL).at(5, INTERRUPT)),

    REFUSED_VALUE(of(Script.SLOW).at(0, REFUSE)),
    REFUSED_FAILURE(of(Script.FAIL_ONCE).at(0, REFUSE)),
    REFUSED_LIMIT(of(Script.HANG).at(0, REFUSE).deadline(60)),
    CLOSED_BEFORE(of(Script.VALUE).at(0, CLOSE)),
    CLOSED_VALUE(of(Script.SLOW).at(40, CLOSE)),
    CLOSED_BETWEEN(of(Script.FAIL_ONCE).at(5, CLOSE)),
    CLOSED_LIMIT(of(Script.HANG).at(40, CLOSE).deadline(60)),

    OPEN(of(Script.VALUE).meets(Trouble.OPEN)),
    PROBE_VALUE(of(Script.VALUE).meets(Trouble.HALF_OPEN)),
    PROBE_FAILURE(of(Script.FAIL).meets(Trouble.HALF_OPEN)),
    PROBE_IGNORED(of(Script.GONE).meets(Trouble.HALF_OPEN)),
    PROBE_LIMIT(of(Script.HANG).meets(Trouble.HALF_OPEN).deadline(60)),
    PROBE_CANCELLED(of(Script.HANG).meets(Trouble.HALF_OPEN).at(15, CANCEL)),
    PROBE_INTERRUPTED(of(Script.HANG).meets(Trouble.HALF_OPEN).at(15, INTERRUPT)),

    FULL(of(Script.VALUE).meets(Trouble.FULL)),
    FULL_FAILURE(of(Script.FAIL).meets(Trouble.FULL)),
    FULL_FOR_LONG(of(Script.VALUE).meets(Trouble.FULL_FOR_LONG)),
    FULL_LIMIT(of(Script.VALUE).meets(Trouble.FULL_FOR_LONG).deadline(20)),
    FULL_INHERITED_LIMIT(of(Script.VALUE).meets(Trouble.FULL_FOR_LONG).inherits(20)),
    FULL_CANCELLED(of(Script.VALUE).meets(Trouble.FULL).at(15, CANCEL)),
    FULL_INTERRUPTED(of(Script.VALUE).meets(Trouble.FULL).at(15, INTERRUPT)),
    FULL_REFUSED(of(Script.VALUE).meets(Trouble.FULL).at(0, REFUSE)),
    FULL_CLOSED(of(Script.VALUE).meets(Trouble.FULL).at(15, CLOSE)),

    SLOWED(of(Script.VALUE).meets(Trouble.SLOWED)),
    THROTTLED(of(Script.VALUE).meets(Trouble.THROTTLED)),
    SLOWED_LIMIT(of(Script.VALUE).meets(Trouble.SLOWED).deadline(60)),
    SLOWED_CANCELLED(of(Script.VALUE).meets(Trouble.SLOWED).at(40, CANCEL)),
    SLOWED_INTERRUPTED(of(Script.VALUE).meets(Trouble.SLOWED).at(40, INTERRUPT)),
    SLOWED_REFUSED(of(Script.VALUE).meets(Trouble.SLOWED).at(0, REFUSE)),
    SLOWED_CLOSED(of(Script.VALUE).meets(Trouble.SLOWED).at(40, CLOSE)),

    WARM_VALUE(of(Script.VALUE).meets(Trouble.WARM)),
    WARM_FAILURE(of(Script.FAIL).meets(Trouble.WARM)),
    WARM_PUSHBACK(of(Script.BUSY).meets(Trouble.WARM)),
    WARM_IGNORED(of(Script.GONE).meets(Trouble.WARM)),
    WARM_LIMIT(of(Script.HANG).meets(Trouble.WARM).deadline(60)),
    WARM_CANCELLED(of(Script.HANG).meets(Trouble.WARM).at(40, CANCEL)),
    WARM_INTERRUPTED(of(Script.HANG).meets(Trouble.WARM).at(40, INTERRUPT)),

    JOINED(of(Script.VALUE).meets(Trouble.LEADER)),
    JOINED_LIMIT(of(Script.VALUE).meets(Trouble.LEADER).deadline(8)),
    JOINED_CANCELLED(of(Script.VALUE).meets(Trouble.LEADER).at(5, CANCEL)),
    JOINED_INTERRUPTED(of(Script.VALUE).meets(Trouble.LEADER).at(5, INTERRUPT)),
    JOINED_REFUSED(of(Script.VALUE).meets(Trouble.LEADER).at(0, REFUSE)),
    JOINED_CLOSED(of(Script.VALUE).meets(Trouble.LEADER).at(5, CLOSE)),
    PROMOTED(of(Script.VALUE).meets(Trouble.LEADER_GIVES_UP)),
    PROMOTED_FAILURE(of(Script.FAIL).meets(Trouble.LEADER_GIVES_UP)),
    PROMOTED_REFUSED(of(Script.VALUE).meets(Trouble.LEADER_GIVES_UP).at(0, REFUSE)),
    JOINED_FAILURE(of(Script.VALUE).meets(Trouble.LEADER_FAILS)),
    JOINED_HANG(of(Script.VALUE).meets(Trouble.LEADER_HANGS));

    /** What comes from outside. */
    enum Event {
        CANCEL,
        INTERRUPT,
        /** The outermost pipeline's executor takes nothing from now on. */
        REFUSE,
        /** The outermost pipeline is closed. */
        CLOSE
    }

    static final long NONE = Long.MAX_VALUE / 8;
    static final long SHORT = 70;
    /** Of another call that would hang for ever. */
    static final long LEADER_LIMIT = 500;

    /**
     * All of an ending.
     *
     * @param deadline of the call itself
     * @param inherited of the caller's thread
     * @param limited only for pipelines with a limit
     * @param notTwice whether the work must not be done twice
     * @param outerIsShort whether the outermost limit is shorter than those further in
     */
    record Spec(
            Script script,
            Trouble trouble,
            @Nullable Event event,
            long eventAt,
            long deadline,
            long inherited,
            boolean limited,
            boolean outerIsShort,
            boolean notTwice) {

        Spec meets(Trouble value) {
            return new Spec(script, value, event, eventAt, deadline, inherited, limited, outerIsShort, notTwice);
        }

        Spec at(long when, Event value) {
            return new Spec(script, trouble, value, when, deadline, inherited, limited, outerIsShort, notTwice);
        }

        Spec deadline(long value) {
            return new Spec(script, trouble, event, eventAt, value, inherited, limited, outerIsShort, notTwice);
        }

        Spec inherits(long value) {
            return new Spec(script, trouble, event, eventAt, deadline, value, limited, outerIsShort, notTwice);
        }

        Spec once() {
            return new Spec(script, trouble, event, eventAt, deadline, inherited, limited, outerIsShort, true);
        }

        Spec onlyLimited() {
            return new Spec(script, trouble, event, eventAt, deadline, inherited, true, outerIsShort, notTwice);
        }

        Spec shortOutside() {
            return new Spec(script, trouble, event, eventAt, deadline, inherited, limited, true, notTwice);
        }
    }

    final Spec spec;

    Ending(Spec spec) {
        this.spec = spec;
    }

    private static Spec of(Script script) {
        return new Spec(script, Trouble.NONE, null, NONE, NONE, NONE, false, false, false);
    }

    boolean isBy(Event event) {
        return spec.event() == event;
    }
}
