/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import dev.holdfast.Outcome;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Repeats an attempt that failed, timed out or was pushed back, after a wait.
 *
 * <p>The server's {@code Retry-After} replaces the backoff. A wait that does not fit into the remaining time is not begun: the
 * call ends with its last outcome. So it does if the breaker or the gate holds the retry for longer than {@code maxRetryAfter}.
 * These are not retried: a call that was rejected locally, unless asked for; a call inside the retry of an outer pipeline; any
 * call while the {@link RetryBudget} is low. The budget belongs to the policy, and all its pipelines share it. If further attempts
 * are rejected, the call ends as its last real attempt did.
 *
 * <p>An operation that is not idempotent is retried only if its work was surely not done: it was rejected locally, or pushed
 * back, or no connection was made for it (refused, timed out while connecting, unknown host, no TLS). A failure that is a value is none
 * of these, and neither is a timeout.
 */
public final class RetryPolicy extends Policy {
    // The slot: how often this entry was tried again above, the last wait below.
    private static final int WAIT_BITS = 48;
    private static final long WAIT_MASK = (1L << WAIT_BITS) - 1;
    private static final int MOST_COUNTED = 0x7fff;

    private final RetrySettings settings;
    private @Nullable RetryBudget budget;

    private RetryPolicy(RetrySettings settings, @Nullable RetryBudget budget) {
        super("retry", budget == null ? FAILURE : SUCCESS | FAILURE);
        this.settings = settings;
        this.budget = budget;
    }

    /** A retry with these settings. */
    public static RetryPolicy of(RetrySettings settings) {
        return new RetryPolicy(settings, settings.budget());
    }

    /** A retry with the defaults, changed by this function. */
    public static RetryPolicy of(Consumer<? super RetrySettings.Builder> configure) {
        return of(RetrySettings.of(configure));
    }

    /** A retry with the defaults. */
    public static RetryPolicy ofDefaults() {
        return of(RetrySettings.builder().build());
    }

    /** The settings. */
    public RetrySettings settings() {
        return settings;
    }

    @Override
    public Map<String, Object> settingsMap() {
        return settings.asMap();
    }

    /** The budget that limits its retries; empty if there is none. */
    public Optional<RetryBudget> budget() {
        return Optional.ofNullable(budget);
    }

    /** The budget has to know which attempts were cut short, by how long the others took. */
    @Override
    public Timing timing() {
        return budget == null ? Timing.NONE : Timing.SOME;
    }

    @Override
    public void bind(String pipeline, TimeSource time) {
        if (budget != null) {
            budget.bind(time);
        }
    }

    /** The tokens, unless the budget is set otherwise. */
    @Override
    public void takeOver(Policy previous) {
        if (previous instanceof RetryPolicy retry && settings.hasBudgetOf(retry.settings)) {
            budget = retry.budget;
        }
    }

    @Override
    public void meters(Meters meters) {
        if (budget != null) {
            meters.gauge(
                    "retry.budget.tokens",
                    "Tokens of the retry budget; at half and below there are only the retries by time alone",
                    () -> Objects.requireNonNull(budget).tokens());
            meters.gauge(
                    "retry.budget.max.tokens",
                    "Tokens of the full retry budget: max-tokens, or more for a busy client",
                    () -> Objects.requireNonNull(budget).maxTokens());
        }
    }

    @Override
    public int settle(Passage passage) {
        Outcome outcome = passage.outcome();
        if (outcome == Outcome.SUCCESS) {
            return succeeded(passage);
        }
        boolean rejected = outcome == Outcome.REJECTED;
        if (rejected ? !settings.retryRejections() : !isDependencysFault(outcome)) {
            return KEEP;
        }
        boolean paid = rejected ? isFirstTryOrAllowed(passage) : pays(passage);
        Refusal refusal = refusal(passage);
        if (refusal != null) {
            return settings.maxAttempts() == 1 ? KEEP : passage.refuseRetry(refusal);
        }
        return tryAgain(passage, rejected, paid);
    }

    /** Only what the dependency itself answered tells that it is well. */
    private int succeeded(Passage passage) {
        if (budget != null && passage.source() == Source.LIVE && passage.started() && budget.needsTimeOfSuccess()) {
            budget.succeeded(passage);
        }
        return KEEP;
    }

    /**
     * Takes a token for this failure, also if it is not retried. Returns whether the budget allows a retry. An attempt that an
     * outer limit cut short takes none: it says nothing about the dependency.
     */
    private boolean pays(Passage passage) {
        if (budget == null) {
            return true;
        }
        return passage.cutShort() ? budget.allows(passage.now()) : budget.failed(passage.now(), passage.attempts());
    }

    /** A call that was only turned away has not reached the dependency yet: its next try is its first. */
    private boolean isFirstTryOrAllowed(Passage passage) {
        return budget == null || passage.attempts() == 0 || budget.allows(passage.now());
    }

    private int tryAgain(Passage passage, boolean rejected, boolean paid) {
        int tries = counted(passage) + 1;
        long told = passage.retryAfter();
        double drawn = settings.draw(passage);
        long backoff = told < 0 ? settings.backoffNanos(tries, passage.slot() & WAIT_MASK, drawn) : 0;
        long wait = told < 0 ? backoff : settings.stretchedNanos(rejected ? told : settings.capped(told), tries, drawn);
        long held = held(passage);
        // A wait that a rejection has told is the hold itself.
        if (settings.isTooLong(held) && (held > wait || (rejected && told >= 0))) {
            return passage.refuseRetry(Refusal.HELD);
        }
        // Even the longest one is less than what remains without a limit.
        wait = Math.min(Math.max(wait, passage.heldRetry()), Long.MAX_VALUE - 1);
        // A retry that does not fit into the time is refused for that, and uses up no spare.
        if (!paid && wait < passage.remaining() && !takesSpare(passage)) {
            return passage.refuseRetry(Refusal.BUDGET);
        }
        passage.slot((long) Math.min(tries, MOST_COUNTED) << WAIT_BITS | Math.min(backoff, WAIT_MASK));
        return passage.retry(wait);
    }

    private boolean takesSpare(Passage passage) {
        return budget != null && budget.spare(passage.now(), passage.attempts());
    }

    private static boolean isDependencysFault(Outcome outcome) {
        return outcome == Outcome.FAILURE || outcome == Outcome.PUSHBACK || outcome == Outcome.TIMEOUT;
    }

    private @Nullable Refusal refusal(Passage passage) {
        // A rejected try is no attempt, and counts all the same: else it would be tried for ever.
        int counted = counted(passage);
        boolean isLast = counted == MOST_COUNTED && passage.outcome() == Outcome.REJECTED;
        if (isLast || Math.max(passage.attempts(), counted + 1) >= settings.maxAttempts()) {
            return Refusal.EXHAUSTED;
        }
        if (passage.retryAfter() == Passage.NEVER) {
            return Refusal.PUSHBACK;
        }
        if (passage.outerAttempt() > 1 && !settings.retryInsideRetries()) {
            return Refusal.NESTED;
        }
        if (!passage.idempotent() && passage.mayHaveBegun()) {
            return passage.sentOnce() ? Refusal.SENT_ONCE : Refusal.NOT_IDEMPOTENT;
        }
        return null;
    }

    /** How long no attempt makes sense, as the policies further in say. */
    private static long held(Passage passage) {
        // A rejection's time is no suggestion that a cap could shorten: before it is over, there is only the next
        // rejection.
        long told = passage.outcome() == Outcome.REJECTED ? passage.retryAfter() : 0;
        return Math.max(told, passage.heldRetry());
    }

    /** How often this entry was tried again; of more than can be counted, one that is rejected is the last. */
    private static int counted(Passage passage) {
        return (int) (passage.slot() >>> WAIT_BITS);
    }
}
