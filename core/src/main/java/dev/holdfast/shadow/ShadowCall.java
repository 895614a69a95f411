/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.shadow;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.internal.PassageOver;
import dev.holdfast.internal.Refused;
import dev.holdfast.shadow.ShadowPolicy.Decision;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One entry of a call, as the policy in shadow sees it. It keeps the policy's object, and takes each decision and each request
 * that would change the call.
 */
final class ShadowCall extends PassageOver {
    private static final int GO_ON = 0;
    /** How often a wait is looked at: a policy looks at it a few times, and this ends even if it always waits on. */
    private static final int MOST_LOOKS = 64;

    private final ShadowPolicy shadow;
    private @Nullable Object object;
    private @Nullable Decision decision;
    /** Whether the policy has let the call in: then it hears its end. */
    private boolean inside = true;

    /** Until {@link #entered}: an answer turns the call away. */
    private boolean entering = true;

    private boolean settled;
    private @Nullable Object forked;
    /** The wait of which the policy has said so; of a call that has entered: for the one in the background. */
    private @Nullable Wait wait;

    private long limit = Long.MAX_VALUE;
    private long limitedAt;
    private long hedgeAfter = Long.MAX_VALUE;

    /** Whether it has forgotten its call, and waits for the next one. */
    private boolean free;

    private boolean shared;

    /** How the call would have ended: the policy has turned it away after a wait further in. */
    private @Nullable At afterAll;

    private ShadowCall(ShadowPolicy shadow, Passage passage) {
        super(passage);
        this.shadow = shadow;
    }

    /** Begins an entry of this layer. */
    static ShadowCall begin(ShadowPolicy shadow, Passage passage) {
        if (passage.object() instanceof ShadowCall call && call.free && call.shadow == shadow) {
            call.free = false;
            call.inside = true;
            call.entering = true;
            call.sees(passage);
            return call;
        }
        return new ShadowCall(shadow, passage);
    }

    /** A reference that is written into an old object costs the garbage collector's barrier. */
    @SuppressWarnings("ReferenceEquality")
    private void sees(Passage now) {
        if (passage != now) {
            passage = now;
        }
    }

    @Override
    public boolean forget() {
        if (shared) {
            return false; // the late end still asks for what is here
        }
        object = null;
        decision = null;
        inside = false; // until the next entry
        settled = false;
        forked = null;
        wait = null;
        afterAll = null;
        limit = Long.MAX_VALUE;
        hedgeAfter = Long.MAX_VALUE;
        free = true;
        return true;
    }

    @Override
    public void share() {
        shared = true;
    }

    /** The entry of this layer; null if there is none. */
    static @Nullable ShadowCall of(Passage passage) {
        if (passage.object() instanceof ShadowCall call) {
            call.sees(passage);
            return call;
        }
        return null;
    }

    @Override
    public boolean isInside() {
        return inside;
    }

    /** Whether the policy has not heard of this end, and hears of such ones. */
    boolean isToBeSettled(int end) {
        return inside && !settled && (shadow.policy().hears() & end) != 0;
    }

    /** The policy has heard of the end. */
    void settled() {
        settled = true;
    }

    void turnedAway() {
        inside = false;
    }

    /** Whether the policy must give up its place: the call would wait now for somebody else, and does not. */
    boolean givesUpItsPlace() {
        return wait != null && forked == null;
    }

    /** The policy has decided about the way in. */
    void entered() {
        entering = false;
        if (givesUpItsPlace()) {
            wait = null;
            inside = false;
            decided(Decision.DELAYED);
        } else if (forked != null) {
            if (wait != null) {
                wait.object = object;
            }
            doesWhatWasForked();
        }
    }

    /** The call itself does what the call in the background would have done. */
    private void doesWhatWasForked() {
        object = forked;
        forked = null;
        inside = true;
    }

    /** What the policy decided; null if nothing. */
    @Nullable
    Decision decision() {
        return decision;
    }

    private int decided(Decision made) {
        if ((made == Decision.REJECTED || made == Decision.DELAYED) && !Refused.isTry(passage)) {
            return GO_ON; // a hedge that would not have begun
        }
        decision = made;
        shadow.decided(made);
        return GO_ON;
    }

    // ---- what would have happened before the call's own end

    /** After a wait further in. A call that the policy turns away after all would end here. */
    void stillAdmits(Policy policy) {
        afterAll = null;
        int unusedHere = policy.stillAdmits(this);
        At end = afterAll;
        if (end == null) {
            return;
        }
        inside = false;
        limit = Long.MAX_VALUE;
        try {
            if ((policy.hears() & Policy.FAILURE) != 0) {
                int unused = policy.settle(end);
            }
        } finally {
            if ((policy.hears() & Policy.ENDED) != 0) {
                policy.ended(end);
            }
        }
    }

    /** What the policy keeps of a call that would wait, and until when. */
    private static final class Wait {
        final long until;

        @Nullable
        Object object;

        Wait(long until) {
            this.until = until;
        }
    }

    /** On the way up: whether the call would have waited for another call that it had started, which is this one. */
    boolean hasWaited() {
        return wait != null;
    }

    /** On the way up: the policy would have looked at such a wait, and might have answered. */
    void lookAtWait(Policy policy) {
        Object load = object;
        Wait looked = wait;
        object = looked == null ? null : looked.object;
        entering = true;
        try {
            for (int looks = 0; looked != null && looked.until - passage.now() <= 0 && looks < MOST_LOOKS; looks++) {
                wait = null;
                int unused = policy.enter(new At(this, looked.until, null, null));
                looked = wait;
            }
            if (object != null) {
                policy.abandon(this);
            }
        } finally {
            wait = null;
            entering = false;
            inside = true;
            object = load;
            limit = Long.MAX_VALUE;
        }
        if (decision == null) {
            decided(Decision.DELAYED);
        }
    }

    /** On the way up: whether the call was too slow for the policy. */
    boolean wasTooSlow() {
        return limit != Long.MAX_VALUE && passage.now() - limitedAt > limit;
    }

    /** On the way up: tells the policy that its limit is over, if it hears of failures. */
    void strike(Policy policy) {
        if (isToBeSettled(Policy.FAILURE)) {
            At struck = new At(
                    this,
                    limitedAt + limit,
                    Outcome.TIMEOUT,
                    new CallTimeoutException(passage.pipeline(), policy.name(), passage.attempts(), limit));
            settled = true;
            int unused = policy.settle(struck);
            if (struck.goesOn) {
                // How the call would end that begins again, the end of this one shows best.
                settled = false;
                return;
            }
            if (forked != null) {
                // A call in the background begins now, and takes as long as this one did.
                doesWhatWasForked();
                int unusedToo = policy.settle(new At(this, passage.now() + limit, null, null));
            }
        }
        if (decision == null) {
            decided(Decision.CUT_OFF);
        }
    }

    /**
     * On the way up: whether the delay of a hedge was over, and nobody has seen it. The alarm comes a little later, and a short
     * attempt may have ended by then.
     */
    boolean missedAHedge() {
        return inside
                && hedgeAfter != Long.MAX_VALUE
                && hedgeAfter < passage.actionNanos()
                && !passage.beside().overdue();
    }

    /** The call as the policy would have seen it at another time. */
    private static final class At extends PassageOver {
        private final long now;
        /** How the call would have ended then; null: as it did. */
        private final @Nullable Outcome outcome;

        private final @Nullable Throwable error;
        /** Whether the policy would have begun again. */
        private boolean goesOn;

        At(ShadowCall call, long now, @Nullable Outcome outcome, @Nullable Throwable error) {
            super(call);
            this.now = now;
            this.outcome = outcome;
            this.error = error;
        }

        @Override
        public long now() {
            return now;
        }

        @Override
        public boolean expired() {
            return true;
        }

        @Override
        public Outcome outcome() {
            return outcome == null ? passage.outcome() : outcome;
        }

        @Override
        public @Nullable Object value() {
            return error == null ? passage.value() : null;
        }

        @Override
        public @Nullable Throwable error() {
            return error == null ? passage.error() : error;
        }

        @Override
        public boolean failedHere() {
            return error == null && passage.failedHere();
        }

        @Override
        public long retryAfter() {
            return error == null ? passage.retryAfter() : -1;
        }

        @Override
        public boolean personal() {
            return error == null && passage.personal();
        }

        @Override
        public boolean cutShort() {
            return error == null && passage.cutShort();
        }

        @Override
        public @Nullable Refusal refusal() {
            return error == null ? passage.refusal() : null;
        }

        @Override
        public Source source() {
            return error == null ? passage.source() : Source.LIVE;
        }

        @Override
        public int await(Completion completion, long maxNanos) {
            return ((ShadowCall) passage).await(maxNanos, now);
        }

        @Override
        public int retry(long waitNanos) {
            goesOn = error != null;
            return GO_ON;
        }
    }

    /** Numbers of its own: those of the time source are for policies that are active. */
    @Override
    public double random() {
        return shadow.random();
    }

    // ---- memory

    @Override
    public @Nullable Object object() {
        return object;
    }

    @Override
    public void object(@Nullable Object value) {
        object = value;
    }

    @Override
    public boolean runsInside(Predicate<Object> held) {
        return passage.runsInside(
                other -> other instanceof ShadowCall call && call.object != null && held.test(call.object));
    }

    // ---- requests

    @Override
    public void limit(long nanos) {
        limit = nanos;
        limitedAt = passage.now();
    }

    @Override
    public void inject(Fault fault) {
        decided(Decision.INJECTED);
    }

    @Override
    public void holdRetry(long nanos) {}

    @Override
    public void shareValue() {}

    @Override
    public void holdOldAnswers() {}

    @Override
    public void holdBegunWork() {}

    @Override
    public void fork(Object background, long limitNanos) {
        forked = background;
    }

    @Override
    public void hedgeAfter(long nanos) {
        hedgeAfter = nanos;
        passage.beside().overdueAfter(nanos);
    }

    @Override
    public @Nullable Completion hedgesUnderWay() {
        return null;
    }

    @Override
    public int endHedges() {
        return GO_ON;
    }

    // ---- decisions

    @Override
    public int pause(long nanos) {
        return nanos > 0 ? decided(Decision.DELAYED) : GO_ON;
    }

    @Override
    public int await(Completion completion, long maxNanos) {
        return await(maxNanos, passage.now());
    }

    private int await(long maxNanos, long now) {
        if (!entering) {
            return decided(Decision.DELAYED);
        }
        wait = new Wait(maxNanos < Long.MAX_VALUE - now ? now + maxNanos : Long.MAX_VALUE);
        return GO_ON;
    }

    @Override
    public int reject(Reason reason, long retryAfterNanos, Supplier<String> message, @Nullable Throwable cause) {
        return turnedAway(
                entering
                        ? null
                        : new CallRejectedException(
                                reason,
                                passage.pipeline(),
                                shadow.policy().name(),
                                message,
                                retryAfterNanos,
                                cause,
                                List.of()),
                Outcome.REJECTED);
    }

    @Override
    public int answer(@Nullable Object value, Source source, long ageNanos) {
        return answered();
    }

    @Override
    public int answer(Outcome outcome, @Nullable Object value, Source source, long ageNanos) {
        return answered();
    }

    @Override
    public int share(Outcome outcome, @Nullable Object value, @Nullable Throwable error, Source source) {
        return answered();
    }

    @Override
    public int fail(Throwable error) {
        return turnedAway(error, Outcome.IGNORED);
    }

    private int turnedAway(@Nullable Throwable error, Outcome outcome) {
        if (entering) {
            inside = false;
        } else {
            afterAll = new At(this, passage.now(), outcome, error);
        }
        return decided(Decision.REJECTED);
    }

    @Override
    public int answerFrom(Function<? super @Nullable Throwable, ?> function) {
        return answered();
    }

    @Override
    public int answerFromStage(Function<? super @Nullable Throwable, ? extends CompletionStage<?>> function) {
        return answered();
    }

    private int answered() {
        inside &= !entering;
        return decided(Decision.ANSWERED);
    }

    @Override
    public int retry(long waitNanos) {
        // A wait that does not fit into the time is not begun.
        return waitNanos < passage.remaining() ? decided(Decision.RETRIED) : GO_ON;
    }

    @Override
    public int refuseRetry(Refusal why) {
        return GO_ON;
    }
}
