/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.internal.PassageOver;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The passage as the policy under a spy sees it: remembers the decision, and keeps the layer's object for the spy. */
final class SpyPassage extends PassageOver {

    /** The decision of a policy. */
    enum Said {
        NOTHING,
        PAUSE,
        AWAIT,
        TURN,
        STAGE,
        RETRY
    }

    private final Life life;
    private final Function<Object, Life> forked;
    private Said said = Said.NOTHING;
    private @Nullable Supplier<String> message;

    SpyPassage(Passage passage, Life life, Function<Object, Life> forked) {
        super(passage);
        this.life = life;
        this.forked = forked;
    }

    Said said() {
        return said;
    }

    /**
     * The method that got this has returned. Whatever the policy asks it later fails, since the passage serves other calls then.
     * Returns how reading the message of a rejection fails; null if it does not.
     */
    @SuppressWarnings("NullAway") // to be used no more
    @Nullable
    Throwable over() {
        passage = null;
        if (message == null) {
            return null;
        }
        try {
            return message.get() == null ? new NullPointerException("no message") : null;
        } catch (Throwable thrown) {
            return thrown;
        }
    }

    private int say(Said what, int code) {
        if (code != Policy.KEEP) { // the end of hedges that change nothing is no decision
            said = what;
        }
        return code;
    }

    @Override
    public boolean runsInside(Predicate<Object> held) {
        return passage.runsInside(object -> object instanceof Life other && other.holds(held));
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
    public void fork(Object object, long limitNanos) {
        passage.beside().fork(forked.apply(object), limitNanos);
    }

    @Override
    public int endHedges() {
        return say(Said.TURN, passage.beside().endHedges());
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
        this.message = message;
        return say(Said.TURN, passage.reject(reason, retryAfterNanos, message, cause));
    }

    @Override
    public int answer(@Nullable Object value, Source source, long ageNanos) {
        return say(Said.TURN, passage.answer(value, source, ageNanos));
    }

    @Override
    public int answer(Outcome outcome, @Nullable Object value, Source source, long ageNanos) {
        return say(Said.TURN, passage.answer(outcome, value, source, ageNanos));
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
    public int retry(long waitNanos) {
        return say(Said.RETRY, passage.retry(waitNanos));
    }
}
