/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.hedge;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import dev.holdfast.retry.RetryBudget;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Starts a second attempt beside a slow one. The first answer wins (Dean and Barroso, "The Tail at Scale", 2013).
 *
 * <p>An attempt is slow if it takes longer than a percentile of the recent attempts, or than a fixed delay; on the system's time
 * up to about two milliseconds more. The first attempt runs where it would run without this policy. The others run on the
 * pipeline's background executor. The inner policies see each of them, but they never wait there: if a permit or a token is not
 * free, they are not made. The first success wins, or the first fault of the caller's own. The others are cancelled or
 * interrupted, and a value that comes too late goes to the operation's {@code discard}. A failure is delivered when no other
 * attempt runs. A blocking first attempt that ignores its interrupt holds its caller, as with a timeout.
 *
 * <p>Only idempotent operations are hedged, and no call inside a second or later attempt of an outer pipeline. Each hedge takes a
 * token from the {@link RetryBudget}, which it shares with the retry of the same pipeline. A policy in several pipelines measures
 * them together, and pays from the budget of the one that was built last. Safe for any number of threads; one policy of a pipeline
 * can hedge.
 */
public final class HedgePolicy extends Policy {

    /**
     * What hedges are paid from: a budget of this policy, which fills it unless a retry does; or that of the retry, whatever it is
     * after a reload.
     */
    private record Purse(
            @Nullable RetryPolicy retry, @Nullable RetryBudget own, boolean inShadow) {
        @Nullable
        RetryBudget budget() {
            return own != null || retry == null ? own : retry.budget().orElse(null);
        }

        boolean isOfTheRetry() {
            return retry != null && retry.budget().orElse(null) == own;
        }
    }

    private final HedgeSettings settings;
    private final long fixedNanos;
    private final long initialNanos;
    private LongAdder started = new LongAdder();
    private LongAdder won = new LongAdder();
    private LongAdder refused = new LongAdder();
    private final AtomicReference<@Nullable TimeSource> bound = new AtomicReference<>();
    private volatile @Nullable Latencies latencies;
    private volatile @Nullable Purse purse;
    /** Its own budget while a retry has one: the retry may go again, as when a reload is refused. Guarded by this. */
    private @Nullable RetryBudget setAside;

    private HedgePolicy(HedgeSettings settings) {
        super("hedge", ENTER | SUCCESS | FAILURE | HEDGE);
        this.settings = settings;
        fixedNanos = settings.delay().map(Duration::toNanos).orElse(0L);
        initialNanos = settings.initialDelay().toNanos();
    }

    /** A hedge with these settings. */
    public static HedgePolicy of(HedgeSettings settings) {
        return new HedgePolicy(settings);
    }

    /** A hedge with the defaults, changed by this function. */
    public static HedgePolicy of(Consumer<? super HedgeSettings.Builder> configure) {
        return of(HedgeSettings.of(configure));
    }

    /** A hedge with the defaults: one more attempt after the measured 95th percentile. */
    public static HedgePolicy ofDefaults() {
        return of(HedgeSettings.builder().build());
    }

    /** The settings. */
    public HedgeSettings settings() {
        return settings;
    }

    @Override
    public Map<String, Object> settingsMap() {
        return settings.asMap();
    }

    /** The budget that limits the hedges; empty if there is none, or while the policy is in no pipeline. */
    public Optional<RetryBudget> budget() {
        return Optional.ofNullable(paying());
    }

    private @Nullable RetryBudget paying() {
        Purse known = purse;
        return known == null ? null : known.budget();
    }

    @Override
    public void bind(String pipeline, TimeSource time) {
        if (bound.compareAndSet(null, time)) {
            latencies = new Latencies(
                    settings.percentile() / 100,
                    settings.minimumCalls(),
                    settings.window().toNanos(),
                    time.nanos());
        } else if (bound.get() != time) {
            throw new IllegalStateException("this hedge is part of a pipeline with another TimeSource;"
                    + " make a policy for each source of time, or give both pipelines the same one");
        }
    }

    @Override
    public synchronized void beside(String pipeline, List<Policy> policies) {
        // In shadow, something else stands in its place.
        boolean inShadow = policies.stream().noneMatch(policy -> policy == this);
        RetryPolicy retry = policies.stream()
                .filter(RetryPolicy.class::isInstance)
                .map(RetryPolicy.class::cast)
                .filter(one -> one.budget().isPresent())
                .findFirst()
                .orElse(null);
        Purse known = purse;
        if (!settings.budgetEnabled()) {
            purse = null;
        } else if (known == null || known.inShadow != inShadow || known.retry != retry) {
            if (known != null && known.retry == null && retry != null) {
                setAside = known.own;
            }
            purse = new Purse(retry, own(retry, inShadow), inShadow);
        }
    }

    /** Null if it pays from the retry's budget. */
    private @Nullable RetryBudget own(@Nullable RetryPolicy retry, boolean inShadow) {
        RetryBudget given = settings.givenBudget();
        RetryBudget shared =
                given != null || retry == null ? given : retry.budget().orElseThrow();
        if (shared != null) {
            // In shadow it must not take the tokens of those that retry. Its own one is filled by the same ends of
            // attempts.
            return inShadow ? shared.fresh() : given;
        }
        // One that comes out of shadow, or whose retry has gone, keeps its tokens. If it had a budget before the retry
        // came, it keeps the one that is emptier: an outage that was seen is not forgotten.
        RetryBudget before = paying();
        RetryBudget aside = setAside;
        setAside = null;
        if (before == null || aside == null) {
            return before != null ? before : RetryBudget.ofDefaults();
        }
        return filled(before) < filled(aside) ? before : aside;
    }

    private static double filled(RetryBudget budget) {
        return budget.tokens() / budget.maxTokens();
    }

    /** The totals, its own budget, and what it has measured, if it measures the same. */
    @Override
    public synchronized void takeOver(Policy previous) {
        if (previous instanceof HedgePolicy hedge) {
            started = hedge.started;
            won = hedge.won;
            refused = hedge.refused;
            Purse now = purse;
            Purse before = hedge.purse;
            if (now != null
                    && now.own != null
                    && before != null
                    && before.own != null
                    && now.inShadow == before.inShadow
                    && settings.givenBudget() == hedge.settings.givenBudget()) {
                purse = new Purse(now.retry, before.own, now.inShadow);
            }
            HedgeSettings other = hedge.settings;
            if (settings.percentile() == other.percentile()
                    && settings.minimumCalls() == other.minimumCalls()
                    && settings.window().equals(other.window())) {
                latencies = hedge.latencies;
            }
        }
    }

    @Override
    public void meters(Meters meters) {
        meters.gauge(
                "hedge.delay.seconds", "After how long another attempt is started", () -> lastKnownDelayNanos() / 1e9);
        meters.counter("hedge.started", "Attempts that were started beside a slow one", () -> started.sum());
        meters.counter("hedge.won", "Calls that were answered by such an attempt", () -> won.sum());
        meters.counter(
                "hedge.refused",
                "Attempts that were due and did not begin: by the budget, by another policy, or since the call had ended",
                () -> refused.sum());
    }

    // ---- the delay

    private long delayNanos(long now) {
        Latencies measured = latencies;
        if (fixedNanos != 0 || measured == null) {
            return fixedNanos;
        }
        return orInitial(measured.quantileNanos(now));
    }

    private double lastKnownDelayNanos() {
        Latencies measured = latencies;
        return fixedNanos != 0 || measured == null ? fixedNanos : orInitial(measured.lastKnownNanos());
    }

    private long orInitial(long measuredNanos) {
        return measuredNanos == Latencies.UNKNOWN ? initialNanos : measuredNanos;
    }

    // ---- a call

    @Override
    public int enter(Passage passage) {
        if (passage.idempotent() && passage.outerAttempt() <= 1) {
            passage.beside().hedgeAfter(delayNanos(passage.now()));
        }
        return PROCEED;
    }

    @Override
    public long hedge(int hedges, long now) {
        if (hedges >= settings.maxHedges()) {
            return NO_HEDGE;
        }
        RetryBudget paying = paying();
        if (paying != null && !paying.spend(now)) {
            refused.increment();
            return NO_HEDGE;
        }
        return hedges + 1 < settings.maxHedges() ? delayNanos(now) : Long.MAX_VALUE;
    }

    @Override
    public void hedgeBegun() {
        started.increment();
    }

    /** Nobody pays for what the dependency never saw. */
    @Override
    public void hedgeNotMade(long now, boolean begun) {
        RetryBudget paying = paying();
        if (paying != null) {
            paying.giveBack(now);
        }
        if (!begun) {
            refused.increment();
        }
    }

    @Override
    public int settle(Passage passage) {
        Completion underWay = passage.beside().hedgesUnderWay();
        if (underWay != null) {
            return passage.await(underWay, Long.MAX_VALUE);
        }
        // Of the call's own attempt, before a hedge's outcome takes the place of its own.
        boolean answered = isAnswer(passage.outcome());
        boolean gaveUp = passage.outcome() == Outcome.CANCELLED;
        boolean tellsItsTime = isGood(passage) || (passage.outcome() == Outcome.TIMEOUT && !passage.cutShort());
        long ownNanos = passage.actionNanos();
        int decision = passage.beside().endHedges();
        if (!answered && isAnswer(passage.outcome())) {
            won.increment();
        }
        if (passage.started() && (tellsItsTime || (gaveUp && wasOvertaken(passage)))) {
            measured(ownNanos, passage.now());
        }
        fillUnlessCutShort(passage);
        return decision;
    }

    /** Whether a hedge's answer ended the call's own attempt, and not a wait of the call between two of them. */
    private static boolean wasOvertaken(Passage passage) {
        return isGood(passage) && passage.actionNanos() != passage.valueNanos();
    }

    private static boolean isGood(Passage passage) {
        return passage.outcome() == Outcome.SUCCESS && passage.source() == Source.LIVE;
    }

    /** The caller's own fault too is an answer of the dependency. */
    private static boolean isAnswer(Outcome outcome) {
        return outcome == Outcome.SUCCESS || outcome == Outcome.IGNORED;
    }

    @Override
    public void abandon(Passage passage) {
        passage.beside().endHedges();
        fillUnlessCutShort(passage);
    }

    /**
     * A lost attempt is recorded with its time so far. That is longer than the delay, which is enough for the percentile. A
     * failure says nothing about how long an answer takes. An attempt that an outer limit cut short must not be recorded: one
     * caller with a short deadline would have all others hedged.
     */
    private void measured(long ownNanos, long now) {
        Latencies measured = latencies;
        if (measured != null && fixedNanos == 0) {
            measured.record(ownNanos, now);
        }
    }

    private void fillUnlessCutShort(Passage passage) {
        Purse filled = purse;
        if (filled != null
                && filled.own != null
                && !filled.isOfTheRetry()
                && passage.started()
                && !passage.cutShort()) {
            fill(filled.own, passage);
        }
    }

    private static void fill(RetryBudget budget, Passage passage) {
        Outcome outcome = passage.outcome();
        if (isGood(passage)) {
            budget.succeeded(passage);
        } else if (outcome == Outcome.FAILURE || outcome == Outcome.PUSHBACK || outcome == Outcome.TIMEOUT) {
            budget.failed(passage.now(), passage.attempts());
        }
    }
}
