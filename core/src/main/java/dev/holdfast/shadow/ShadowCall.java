/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.shadow;

import dev.holdfast.CallTimeoutException;
import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.internal.PassageOver;
import dev.holdfast.shadow.ShadowPolicy.Decision;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
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

    private boolean waits;
    /** Until when the policy would wait. */
    private long waitsUntil;

    private @Nullable Object forked;
    /** What the policy keeps of a call that would wait for the one in the background. */
    private @Nullable Object waiting;
    /** How much later than now the policy is told that it is. */
    private long laterNanos;
    /** How the call would have ended at its limit; null except while the policy is told so. */
    private @Nullable CallTimeoutException struck;

    /** Whether the policy would go on with a call that reached its limit. */
    private boolean goesOn;

    private boolean settled;
    private long limit = Long.MAX_VALUE;
    private long limitedAt;
    private long hedgeAfter = Long.MAX_VALUE;

    ShadowCall(ShadowPolicy shadow, Passage passage) {
        super(passage);
        this.shadow = shadow;
    }

    /** The entry of this layer; null if there is none. */
    static @Nullable ShadowCall of(Passage passage) {
        if (passage.object() instanceof ShadowCall call) {
            call.passage = passage;
            return call;
        }
        return null;
    }

    boolean isInside() {
        return inside;
    }

    /** Whether the policy has not heard of this end, and hears of such ones. */
    boolean isToBeSettled(int end) {
        return inside && !settled && (shadow.policy().hears() & end) != 0;
    }

    /** The policy has heard of the end. */
    void settled() {
        settled = true;
        laterNanos = 0;
    }

    void turnedAway() {
        inside = false;
    }

    /** Whether the policy must give up its place: the call would wait now for somebody else, and does not. */
    boolean givesUpItsPlace() {
        return waits && forked == null;
    }

    /** The policy has decided about the way in. */
    void entered() {
        entering = false;
        if (givesUpItsPlace()) {
            inside = false;
            decided(Decision.DELAYED);
        } else if (forked != null) {
            waiting = waits ? object : null;
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
        decision = made;
        shadow.decided(made);
        return GO_ON;
    }

    // ---- what would have happened before the call's own end

    /** On the way up: whether the call would have waited for another call that it had started, which is this one. */
    boolean hasWaited() {
        return waiting != null;
    }

    /** On the way up: the policy would have looked at such a wait, and might have answered. */
    void lookAtWait(Policy policy) {
        Object load = object;
        object = waiting;
        waiting = null;
        entering = true;
        try {
            for (int looks = 0; waits && waitsUntil - passage.now() <= 0 && looks < MOST_LOOKS; looks++) {
                waits = false;
                laterNanos = waitsUntil - passage.now();
                int unused = policy.enter(this);
            }
            if (object != null) {
                policy.abandon(this);
            }
        } finally {
            entering = false;
            inside = true;
            object = load;
            laterNanos = 0;
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
        struck = new CallTimeoutException(passage.pipeline(), policy.name(), passage.attempts(), limit);
        laterNanos = limitedAt + limit - passage.now();
        try {
            if (isToBeSettled(Policy.FAILURE)) {
                int unused = policy.settle(this);
                settled = true;
            }
        } finally {
            struck = null;
            laterNanos = 0;
        }
        if (forked != null) {
            // A call in the background begins now, and takes as long as this one did.
            doesWhatWasForked();
            laterNanos = limit;
            settled = false;
        } else if (goesOn) {
            settled = false;
        }
        if (decision == null && !goesOn) {
            decided(Decision.CUT_OFF);
        }
    }

    /** On the way up: whether the policy would have hedged. Its budget pays as if it had. */
    void lookAtHedge(Policy policy) {
        if (hedgeAfter < passage.actionNanos() && policy.hedge(0, passage.now()) != Policy.NO_HEDGE) {
            decided(Decision.HEDGED);
        }
    }

    @Override
    public long now() {
        return passage.now() + laterNanos;
    }

    @Override
    public boolean expired() {
        return laterNanos < 0 || passage.expired();
    }

    @Override
    public Outcome outcome() {
        return struck == null ? passage.outcome() : Outcome.TIMEOUT;
    }

    @Override
    public @Nullable Object value() {
        return struck == null ? passage.value() : null;
    }

    @Override
    public @Nullable Throwable error() {
        return struck == null ? passage.error() : struck;
    }

    @Override
    public long retryAfter() {
        return struck == null ? passage.retryAfter() : -1;
    }

    @Override
    public boolean personal() {
        return struck == null && passage.personal();
    }

    @Override
    public boolean cutShort() {
        return struck == null && passage.cutShort();
    }

    @Override
    public @Nullable Refusal refusal() {
        return struck == null ? passage.refusal() : null;
    }

    @Override
    public Source source() {
        return struck == null ? passage.source() : Source.LIVE;
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
        limitedAt = now();
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
    public void fork(Object background, long limitNanos) {
        forked = background;
    }

    @Override
    public void hedgeAfter(long nanos) {
        hedgeAfter = nanos;
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
        return decided(Decision.DELAYED);
    }

    @Override
    public int await(Completion completion, long maxNanos) {
        if (!entering) {
            return decided(Decision.DELAYED);
        }
        waits = true;
        waitsUntil = maxNanos < Long.MAX_VALUE - now() ? now() + maxNanos : Long.MAX_VALUE;
        return GO_ON;
    }

    @Override
    public int reject(Reason reason, long retryAfterNanos, Supplier<String> message, @Nullable Throwable cause) {
        // One that is turned away after all hears its end.
        inside &= !entering;
        return decided(Decision.REJECTED);
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
        inside &= !entering;
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
        if (struck != null) {
            // The call would begin again. How that ends, the end of this one shows best.
            goesOn = true;
            return GO_ON;
        }
        // A wait that does not fit into the time is not begun.
        boolean fits = passage.remaining() > 0 && waitNanos <= passage.remaining();
        return fits ? decided(Decision.RETRIED) : GO_ON;
    }

    @Override
    public int refuseRetry(Refusal why) {
        return GO_ON;
    }
}
