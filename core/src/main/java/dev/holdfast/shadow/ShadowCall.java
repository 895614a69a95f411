/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.shadow;

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

    private final ShadowPolicy shadow;
    private @Nullable Object object;
    private @Nullable Decision decision;
    /** Whether the policy has let the call in: then it hears its end. */
    private boolean inside = true;

    /** Until {@link #entered}: an answer turns the call away. */
    private boolean entering = true;

    private boolean waits;
    private @Nullable Object forked;
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

    void turnedAway() {
        inside = false;
    }

    /** Whether the policy would make the call wait now. The call does not, so that the policy must give up its place. */
    boolean waits() {
        return waits;
    }

    /** The policy has decided about the way in. */
    void entered() {
        entering = false;
        inside &= !waits;
        if (forked != null) {
            // The call itself does what the call in the background would have done.
            object = forked;
            inside = true;
        }
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

    /** On the way up: whether the call was too slow for the policy. */
    void lookAtLimit() {
        if (limit != Long.MAX_VALUE && passage.now() - limitedAt > limit) {
            decided(Decision.CUT_OFF);
        }
    }

    /** On the way up: whether the policy would have hedged. */
    void lookAtHedge(Policy policy) {
        if (hedgeAfter < passage.actionNanos() && policy.hedge(0, passage.now()) != Policy.NO_HEDGE) {
            policy.hedgeNotMade(passage.now());
            decided(Decision.HEDGED);
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
        waits = true;
        return decided(Decision.DELAYED);
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
        return answered();
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
        return decided(Decision.RETRIED);
    }

    @Override
    public int refuseRetry(Refusal why) {
        return GO_ON;
    }
}
