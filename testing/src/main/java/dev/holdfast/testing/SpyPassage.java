/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Passage.Fault;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The passage as the policy under a spy sees it: remembers the decision, and keeps the layer's object for the spy. */
final class SpyPassage extends Passage implements Passage.Beside {

    /** The decision of a policy. */
    enum Said {
        NOTHING,
        PAUSE,
        AWAIT,
        TURN,
        STAGE,
        RETRY
    }

    private final Passage passage;
    private final Life life;
    private final Function<Object, Life> forked;
    private Said said = Said.NOTHING;

    SpyPassage(Passage passage, Life life, Function<Object, Life> forked) {
        this.passage = passage;
        this.life = life;
        this.forked = forked;
    }

    @Override
    public Beside beside() {
        return this;
    }

    Said said() {
        return said;
    }

    private int say(Said what, int code) {
        said = what;
        return code;
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
    public boolean mayHaveBegun() {
        return passage.mayHaveBegun();
    }

    @Override
    public void holdOldAnswers() {
        passage.holdOldAnswers();
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
        return passage.runsInside(object -> object instanceof Life other && other.holds(held));
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
        return life.object();
    }

    @Override
    public void object(@Nullable Object value) {
        life.object(value);
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
        passage.beside().fork(forked.apply(object), limitNanos);
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
        return say(Said.TURN, passage.beside().endHedges());
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
    public void stateChanged(String from, String to, String cause) {
        passage.stateChanged(from, to, cause);
    }

    @Override
    public void limitChanged(int from, int to) {
        passage.limitChanged(from, to);
    }

    @Override
    public int pause(long nanos) {
        return say(Said.PAUSE, passage.pause(nanos));
    }

    @Override
    public int await(Completion completion, long maxNanos) {
        return say(Said.AWAIT, passage.await(completion, maxNanos));
    }

    @Override
    public int reject(Reason reason, long retryAfterNanos, Supplier<String> message, @Nullable Throwable cause) {
        return say(Said.TURN, passage.reject(reason, retryAfterNanos, message, cause));
    }

    @Override
    public int answer(@Nullable Object value, Source source, long ageNanos) {
        return say(Said.TURN, passage.answer(value, source, ageNanos));
    }

    @Override
    public int share(Outcome outcome, @Nullable Object value, @Nullable Throwable error, Source source) {
        return say(Said.TURN, passage.share(outcome, value, error, source));
    }

    @Override
    public int fail(Throwable error) {
        return say(Said.TURN, passage.fail(error));
    }

    @Override
    public int answerFrom(Function<? super Throwable, ?> function) {
        return say(Said.TURN, passage.answerFrom(function));
    }

    @Override
    public int answerFromStage(Function<? super Throwable, ? extends CompletionStage<?>> function) {
        return say(Said.STAGE, passage.answerFromStage(function));
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
        return say(Said.RETRY, passage.retry(waitNanos));
    }

    @Override
    public int refuseRetry(Refusal why) {
        return passage.refuseRetry(why);
    }
}
