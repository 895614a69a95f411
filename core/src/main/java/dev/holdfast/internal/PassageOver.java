/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Another passage under a policy's eyes: whoever stands between a policy and its passage changes what it must. */
public abstract class PassageOver extends Passage implements Passage.Beside {
    protected Passage passage;

    protected PassageOver(Passage passage) {
        this.passage = passage;
    }

    /**
     * The call is over that a layer remembers in this: lets go of all that was its, and may serve the next call of the same thread.
     * Returns false, and does nothing, if it may not. A new object for each call is written into an old one, and pays the garbage
     * collector's barrier each time.
     */
    public boolean forget() {
        return false;
    }

    /** Whether the policy has let the call in, or would have: one that it has turned away tells it nothing. */
    public boolean isInside() {
        return true;
    }

    /** Somebody else refers to it now, such as the late end of an attempt: it serves no other call. */
    public void share() {}

    @Override
    public Beside beside() {
        return this;
    }

    @Override
    public long now() {
        return passage.now();
    }

    @Override
    public double random() {
        return passage.random();
    }

    @Override
    public long remaining() {
        return passage.remaining();
    }

    @Override
    public String limitedBy() {
        return passage.limitedBy();
    }

    @Override
    public int attempts() {
        return passage.attempts();
    }

    @Override
    public int outerAttempt() {
        return passage.outerAttempt();
    }

    @Override
    public String pipeline() {
        return passage.pipeline();
    }

    @Override
    public @Nullable String operation() {
        return passage.operation();
    }

    @Override
    public @Nullable CallKey key() {
        return passage.key();
    }

    @Override
    public boolean idempotent() {
        return passage.idempotent();
    }

    @Override
    public boolean sentOnce() {
        return passage.sentOnce();
    }

    @Override
    public int rank() {
        return passage.rank();
    }

    @Override
    public int weight() {
        return passage.weight();
    }

    @Override
    public boolean mayWait() {
        return passage.mayWait();
    }

    @Override
    public boolean mayHaveBegun() {
        return passage.mayHaveBegun();
    }

    @Override
    public void holdOldAnswers() {
        passage.holdOldAnswers();
    }

    @Override
    public void holdBegunWork() {
        passage.holdBegunWork();
    }

    @Override
    public boolean holdsOldAnswers() {
        return passage.holdsOldAnswers();
    }

    @Override
    public boolean hasClassifier() {
        return passage.hasClassifier();
    }

    @Override
    public boolean repeatable() {
        return passage.repeatable();
    }

    @Override
    public boolean runsInside(Predicate<Object> held) {
        return passage.runsInside(held);
    }

    @Override
    public long slot() {
        return passage.slot();
    }

    @Override
    public void slot(long value) {
        passage.slot(value);
    }

    @Override
    public @Nullable Object object() {
        return passage.object();
    }

    @Override
    public void object(@Nullable Object value) {
        passage.object(value);
    }

    @Override
    public Outcome outcome() {
        return passage.outcome();
    }

    @Override
    public @Nullable Object value() {
        return passage.value();
    }

    @Override
    public @Nullable Throwable error() {
        return passage.error();
    }

    @Override
    public boolean failedHere() {
        return passage.failedHere();
    }

    @Override
    public long retryAfter() {
        return passage.retryAfter();
    }

    @Override
    public boolean started() {
        return passage.started();
    }

    @Override
    public boolean cutShort() {
        return passage.cutShort();
    }

    @Override
    public boolean personal() {
        return passage.personal();
    }

    @Override
    public @Nullable Refusal refusal() {
        return passage.refusal();
    }

    @Override
    public long actionNanos() {
        return passage.actionNanos();
    }

    @Override
    public long valueNanos() {
        return passage.valueNanos();
    }

    @Override
    public Source source() {
        return passage.source();
    }

    @Override
    public boolean expired() {
        return passage.expired();
    }

    @Override
    public boolean overdue() {
        return passage.beside().overdue();
    }

    @Override
    public boolean writtenOff() {
        return passage.writtenOff();
    }

    @Override
    public void overdueAfter(long nanos) {
        passage.beside().overdueAfter(nanos);
    }

    @Override
    public void limit(long nanos) {
        passage.limit(nanos);
    }

    @Override
    public void fork(Object object, long limitNanos) {
        passage.beside().fork(object, limitNanos);
    }

    @Override
    public void hedgeAfter(long nanos) {
        passage.beside().hedgeAfter(nanos);
    }

    @Override
    public @Nullable Completion hedgesUnderWay() {
        return passage.beside().hedgesUnderWay();
    }

    @Override
    public int endHedges() {
        return passage.beside().endHedges();
    }

    @Override
    public void inject(Fault fault) {
        passage.inject(fault);
    }

    @Override
    public void holdRetry(long nanos) {
        passage.holdRetry(nanos);
    }

    @Override
    public long heldRetry() {
        return passage.heldRetry();
    }

    @Override
    public void shareValue() {
        passage.shareValue();
    }

    @Override
    public boolean replaced() {
        return passage.replaced();
    }

    @Override
    public void stateChanged(String from, String to, String cause) {
        passage.stateChanged(from, to, cause);
    }

    @Override
    public void limitChanged(int from, int to) {
        passage.limitChanged(from, to);
    }

    @Override
    public int pause(long nanos) {
        return passage.pause(nanos);
    }

    @Override
    public int await(Completion completion, long maxNanos) {
        return passage.await(completion, maxNanos);
    }

    @Override
    public int reject(Reason reason, long retryAfterNanos, Supplier<String> message, @Nullable Throwable cause) {
        return passage.reject(reason, retryAfterNanos, message, cause);
    }

    @Override
    public int answer(@Nullable Object value, Source source, long ageNanos) {
        return passage.answer(value, source, ageNanos);
    }

    @Override
    public int answer(Outcome outcome, @Nullable Object value, Source source, long ageNanos) {
        return passage.answer(outcome, value, source, ageNanos);
    }

    @Override
    public int share(Outcome outcome, @Nullable Object value, @Nullable Throwable error, Source source) {
        return passage.share(outcome, value, error, source);
    }

    @Override
    public int fail(Throwable error) {
        return passage.fail(error);
    }

    @Override
    public int answerFrom(Function<? super @Nullable Throwable, ?> function) {
        return passage.answerFrom(function);
    }

    @Override
    public int answerFromStage(Function<? super @Nullable Throwable, ? extends CompletionStage<?>> function) {
        return passage.answerFromStage(function);
    }

    @Override
    public @Nullable Function<? super @Nullable Throwable, ?> fallback() {
        return passage.fallback();
    }

    @Override
    public @Nullable Function<? super @Nullable Throwable, ? extends CompletionStage<?>> asyncFallback() {
        return passage.asyncFallback();
    }

    @Override
    public int retry(long waitNanos) {
        return passage.retry(waitNanos);
    }

    @Override
    public int refuseRetry(Refusal why) {
        return passage.refuseRetry(why);
    }
}
