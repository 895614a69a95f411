/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.bulkhead.BulkheadSettings.QueueOrder;
import dev.holdfast.bulkhead.internal.engine.AdaptiveLimit;
import dev.holdfast.bulkhead.internal.engine.Algorithms;
import dev.holdfast.bulkhead.internal.engine.LossLimit;
import dev.holdfast.bulkhead.internal.engine.Permits;
import dev.holdfast.bulkhead.internal.engine.Ticket;
import dev.holdfast.bulkhead.internal.engine.TicketQueue;
import dev.holdfast.bulkhead.internal.resilience4j.ExistingBulkheadPolicy;
import dev.holdfast.bulkhead.internal.resilience4j.Views;
import dev.holdfast.internal.ByPipeline;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Refused;
import dev.holdfast.internal.Stripes;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import io.github.resilience4j.bulkhead.Bulkhead;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Limits how many calls run at once, so that one slow dependency cannot take every thread.
 *
 * <p>The limit is fixed and can be {@linkplain #resize changed}, or it adapts between a minimum and a maximum ({@link
 * LimitAlgorithm}). A call that finds no free permit waits in a bounded queue, for at most {@code maxWait}; {@link QueueOrder}
 * says which call is next among those of the same {@linkplain Passage#rank rank}. What comes last does not wait, and has at most
 * half of the permits: refreshes and hedges. A permit that comes back is handed to the next call. Blocking and asynchronous calls
 * wait in the same queue; an asynchronous call holds no thread. A call is rejected with {@link Reason#BULKHEAD_FULL} if the queue
 * is full, or if it has waited for too long. If nothing but losses came back, an adaptive limit
 * lets no call through for a time, on average at most 2 s or the time of two attempts. In such a pause no permit is given out; a
 * call that cannot wait for its end is rejected at once, and the rejection says when it is.
 *
 * <p>The permit stays with the work. It comes back exactly once, when the work of the attempt is really over. After a
 * timeout this may be later than the outcome. The permit of work that never ends is written off after {@code lease}. Safe
 * for any number of threads; one instance for each dependency. Allocates nothing unless a call waits.
 */
public final class BulkheadPolicy extends Policy {
    private static final String NAME = "bulkhead";

    /** The slot value of a call that has a permit. */
    private static final long HELD = 1;
    /** A permit that comes behind all others. */
    private static final long HELD_SPARE = 2;
    /** A bit beside these: the attempt {@linkplain Passage#repeats repeats} one. */
    private static final long AGAIN = 4;
    /** Both bits: a hedge, or the retry of a refresh. */
    private static final long BESIDE = HELD_SPARE | AGAIN;

    private static final long UNKNOWN = -1;

    private final BulkheadSettings settings;
    /**
     * A call gives its permit back to the object that it got it from, and remembers it: this bulkhead may take over from another
     * one while it has calls. Volatile, and written last in a take-over: whoever sees it sees the limit that goes with it.
     */
    private volatile Permits permits;

    private final long maxWaitNanos;
    private final long leaseNanos;
    private final long targetNanos;
    private @Nullable AdaptiveLimit adaptive;
    /** How long an attempt takes at most. */
    private final ByPipeline<Long> attemptLimits = new ByPipeline<>(Math::max);
    /** The limit that observers know. */
    private AtomicInteger toldLimit;

    /** Whether somebody looks when a pause is over. */
    private final AtomicBoolean looks = new AtomicBoolean();

    private LongAdder writtenOff = new LongAdder();
    /** Calls of pipelines. */
    private LongAdder rejected = new LongAdder();

    /** Get the events of every call; usually there are no views. */
    private Views views;

    private BulkheadPolicy(BulkheadSettings settings) {
        super(NAME, hearsFor(settings.limit()));
        this.settings = settings;
        adaptive = adaptive(settings);
        int limit = adaptive == null ? settings.maxConcurrentCalls() : adaptive.limit();
        toldLimit = new AtomicInteger(limit);
        permits = new Permits(limit, settings.maxWaitingCalls(), queue(settings));
        maxWaitNanos = settings.maxWait().toNanos();
        targetNanos = settings.codelTarget().toNanos();
        leaseNanos = settings.lease().toNanos();
        boolean changeable = adaptive == null || settings.limit() == LimitAlgorithm.LOSSES;
        views = new Views(
                permits,
                settings.forViews(),
                targetNanos,
                changeable ? null : settings.limit().name(),
                new LimitOfViews());
    }

    private static @Nullable AdaptiveLimit adaptive(BulkheadSettings settings) {
        int floor = settings.minConcurrentCalls();
        int initial = settings.initialConcurrentCalls();
        int ceiling = settings.maxConcurrentCalls();
        return switch (settings.limit()) {
            case FIXED -> null;
            case LOSSES -> new LossLimit(floor, settings::initialConcurrentCalls, ceiling);
            case AIMD -> Algorithms.aimd(floor, initial, ceiling);
            case VEGAS -> Algorithms.vegas(floor, initial, ceiling);
            case GRADIENT2 -> Algorithms.gradient2(floor, initial, ceiling);
        };
    }

    private static TicketQueue queue(BulkheadSettings settings) {
        QueueOrder order = settings.queueOrder();
        long interval = settings.codelInterval().toNanos();
        return new TicketQueue(order == QueueOrder.LIFO, order == QueueOrder.CODEL ? interval : TicketQueue.NEVER);
    }

    private static int hearsFor(LimitAlgorithm limit) {
        return limit == LimitAlgorithm.FIXED ? ENTER | ENDED : ENTER | ENDED | SUCCESS | FAILURE;
    }

    /**
     * A bulkhead with the defaults, changed by the function.
     *
     * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of range
     */
    public static BulkheadPolicy of(Consumer<? super BulkheadSettings.Builder> changes) {
        return of(BulkheadSettings.of(changes));
    }

    /** A bulkhead with these settings. */
    public static BulkheadPolicy of(BulkheadSettings settings) {
        return new BulkheadPolicy(settings);
    }

    /** A bulkhead whose limit adapts to losses, from 10 up to 200. Up to 100 calls wait for a permit, for at most 100 ms each. */
    public static BulkheadPolicy ofDefaults() {
        return of(BulkheadSettings.builder().build());
    }

    /**
     * An existing resilience4j bulkhead, which stays shared with your other code.
     *
     * <p>It has no queue: a call that finds it full is rejected at once, with resilience4j's {@code BulkheadFullException}
     * as the cause. Its {@code maxWaitDuration} should be zero, because any other value blocks the calling thread, also the
     * thread of an asynchronous call; the build warns. The lease is the default.
     */
    public static Policy of(Bulkhead existing) {
        return new ExistingBulkheadPolicy(
                existing, BulkheadSettings.builder().build().lease());
    }

    @Override
    public Timing timing() {
        return switch (settings.limit()) {
            case FIXED -> Timing.NONE;
            case LOSSES -> Timing.SOME;
            case AIMD, VEGAS, GRADIENT2 -> Timing.EVERY;
        };
    }

    /** The attempts of all its pipelines are to know how long one may take. */
    @Override
    public void beside(String pipeline, List<Policy> policies) {
        long attempt = policies.stream().mapToLong(Policy::longest).min().orElse(Long.MAX_VALUE);
        attemptLimits.tell(pipeline, before -> attempt);
        tellAttemptLimit();
    }

    private void tellAttemptLimit() {
        if (adaptive instanceof LossLimit limit) {
            // What is slow in one pipeline may be usual in another.
            limit.attemptLimit(() -> Objects.requireNonNullElse(attemptLimits.ofAll(), Long.MAX_VALUE));
        }
    }

    @Override
    public int enter(Passage passage) {
        if (passage.object() instanceof Ticket ticket) {
            return afterWaiting(passage, ticket);
        }
        Permits from = permits;
        boolean last = passage.rank() == Passage.LAST_RANK;
        if (taken(from, last)) {
            return admit(passage, from, last);
        }
        AdaptiveLimit limit = adaptive;
        long pause = 0;
        if (limit != null) {
            limit.wanted();
            pause = limit.pauseNanos(passage.now());
            if (resized(passage, from, limit) && taken(from, last)) {
                return admit(passage, from, last);
            }
        }
        long longest = Math.min(maxWaitNanos, passage.remaining());
        // Before the end of a pause no permit can come: a call that cannot wait so long would wait for nothing.
        long wait = last || pause > longest ? 0 : longest;
        Ticket ticket = wait > 0 ? from.join(passage.now(), passage.rank()) : null;
        if (ticket == null) {
            return reject(passage, pause, fullMessage(passage, pause, last));
        }
        if (ticket.granted()) {
            return admit(passage, from, false);
        }
        passage.object(ticket);
        wait = ticket.waitNanos(wait, targetNanos);
        // Again: whoever began a pause meanwhile may not have seen the ticket.
        pause = limit == null ? 0 : limit.pauseNanos(passage.now());
        if (pause > wait) {
            return afterWaiting(passage, ticket);
        }
        openAfter(pause);
        return passage.await(ticket, wait);
    }

    /** A pause ends by time, and then nobody may come who would see it: those that wait need somebody who looks. */
    private void openAfter(long pause) {
        if (pause > 0 && looks.compareAndSet(false, true)) {
            try {
                var unused = views.time().schedule(pause, this::open);
            } catch (RuntimeException | Error noTimer) {
                looks.set(false); // each call that waits looks when its own time is over
            }
        }
    }

    private void open() {
        looks.set(false);
        Permits present = permits;
        AdaptiveLimit limit = adaptive;
        long pause = limit == null ? 0 : limit.pauseNanos(views.time().nanos());
        if (pause > 0 && present.waiting() > 0) {
            openAfter(pause);
        } else if (limit != null) {
            boolean unused = show(present, limit);
        }
    }

    private static boolean taken(Permits from, boolean last) {
        int stripe = Stripes.current();
        return last ? from.tryAcquireSpare(stripe) : from.tryAcquire(stripe);
    }

    private int admit(Passage passage, Permits from, boolean last) {
        passage.object(from);
        passage.slot((last ? HELD_SPARE : HELD) | (passage.repeats() ? AGAIN : 0));
        views.permitted();
        return PROCEED;
    }

    /** The ticket decides, not the time: a ticket that was granted in the last moment holds a permit. */
    private int afterWaiting(Passage passage, Ticket ticket) {
        Permits now = permits;
        AdaptiveLimit limit = adaptive;
        long pause = limit == null ? 0 : limit.pauseNanos(passage.now());
        if (limit != null && pause == 0) {
            resized(passage, now, limit);
        }
        if (ticket.granted() || !ticket.permits().withdraw(ticket)) {
            return admit(passage, ticket.permits(), false);
        }
        String message = lateMessage(passage, ticket, pause);
        return reject(passage, pause, () -> message);
    }

    private int reject(Passage passage, long pause, Supplier<String> message) {
        if (Refused.isTry(passage)) {
            rejected.increment();
            views.rejected();
        }
        return passage.reject(Reason.BULKHEAD_FULL, known(pause), message, null);
    }

    /** When the next call may be let through. Nobody knows when a permit comes back; the end of a pause is known. */
    private static long known(long pause) {
        return pause == 0 ? UNKNOWN : pause;
    }

    @Override
    public void abandon(Passage passage) {
        if (passage.slot() != 0) {
            // It was admitted, and then told so to somebody who threw.
            release(passage);
        } else if (passage.object() instanceof Ticket ticket
                && !ticket.permits().withdraw(ticket)) {
            ticket.permits().release(Stripes.current());
        }
    }

    /** Called only if the limit adapts. */
    @Override
    public int settle(Passage passage) {
        Permits now = permits;
        AdaptiveLimit limit = adaptive;
        if (limit == null || !passage.started()) {
            return KEEP;
        }
        // A 404 says that the dependency works, and how long it takes.
        boolean success = passage.outcome() == Outcome.SUCCESS || passage.outcome() == Outcome.IGNORED;
        long nanos = passage.actionNanos();
        // If an outer limit cut the attempt short, its time says little about the load, unless it was long.
        if (success ? limit.isIndifferentTo(nanos) : passage.cutShort() && !limit.cutShort(passage.now(), nanos)) {
            return KEEP;
        }
        switch (passage.outcome()) {
            case SUCCESS, IGNORED -> limit.served(passage.now(), nanos, now.inFlight());
            case TIMEOUT, PUSHBACK, FAILURE -> lost(passage, limit, now.inFlight());
            default -> {
                return KEEP;
            }
        }
        resized(passage, now, limit);
        return KEEP;
    }

    private static void lost(Passage passage, AdaptiveLimit limit, int inFlight) {
        long now = passage.now();
        long nanos = passage.actionNanos();
        boolean failed = passage.outcome() == Outcome.FAILURE;
        boolean refused = passage.outcome() == Outcome.PUSHBACK && limit.isRefusedAtOnce(nanos);
        if ((passage.slot() & BESIDE) == BESIDE && limit instanceof LossLimit) {
            return; // a call is counted once, and this one has another attempt
        }
        if ((passage.slot() & AGAIN) != 0) {
            limit.lostAgain(now, nanos, inFlight, !failed, passage::random);
        } else if (refused) {
            limit.refused(now, nanos, inFlight, passage::random);
        } else if (failed) {
            limit.failed(now, nanos, inFlight, passage::random);
        } else {
            limit.dropped(now, nanos, inFlight, passage::random);
        }
    }

    /** Gives out as many permits as the limit says now; false if they are as many already. */
    private boolean resized(Passage passage, Permits now, AdaptiveLimit limit) {
        boolean changed = show(now, limit);
        int decided = limit.decided();
        if (toldLimit.get() != decided) {
            tellLimit(passage, decided);
        }
        if (now.limit() == 0 && now.waiting() > 0) {
            openAfter(limit.pauseNanos(passage.now()));
        }
        return changed;
    }

    private void tellLimit(Passage passage, int decided) {
        int told = toldLimit.getAndSet(decided);
        if (told != decided) {
            passage.limitChanged(told, decided);
        }
    }

    /** Two changes may arrive here in the wrong order. The last one sets the permits to the present limit. */
    private static boolean show(Permits now, AdaptiveLimit limit) {
        boolean changed = false;
        while (now.limit() != limit.limit()) {
            now.resize(limit.limit());
            changed = true;
        }
        return changed;
    }

    @Override
    public void ended(Passage passage) {
        if (passage.slot() != 0) {
            release(passage); // first, because the rest may throw
            if (passage.writtenOff()) {
                writtenOff.increment();
            }
            if (passage.started()) {
                views.finished();
            }
        }
    }

    private static void release(Passage passage) {
        Permits from = (Permits) Objects.requireNonNull(passage.object());
        int stripe = Stripes.current();
        if ((passage.slot() & HELD_SPARE) != 0) {
            from.releaseSpare(stripe);
        } else {
            from.release(stripe);
        }
    }

    /**
     * Changes the limit, or the maximum of a limit that heeds losses, also under load. Never waits. A smaller limit takes effect
     * as permits come back; a larger fixed limit serves waiting calls at once.
     *
     * @param maxConcurrentCalls 1 to 1,000,000; at least the minimum of a limit that adapts
     * @throws dev.holdfast.spi.InvalidSettingsException if it is out of range
     * @throws IllegalStateException if the limit adapts by another algorithm
     */
    public void resize(int maxConcurrentCalls) {
        if (adaptive != null && settings.limit() != LimitAlgorithm.LOSSES) {
            throw new IllegalStateException(
                    "the limit of this bulkhead adapts by " + settings.limit() + " and cannot be set");
        }
        BulkheadSettings.of(b -> b.limit(settings.limit())
                .minConcurrentCalls(adaptive == null ? 1 : settings.minConcurrentCalls())
                .maxConcurrentCalls(maxConcurrentCalls));
        resizeTo(maxConcurrentCalls);
    }

    private final class LimitOfViews implements Views.Limit {
        @Override
        public int most() {
            return adaptive instanceof LossLimit limit ? limit.ceiling() : permits.limit();
        }

        @Override
        public void most(int calls) {
            resize(calls);
        }

        @Override
        public long pauseNanos(long now) {
            Permits present = permits;
            AdaptiveLimit limit = adaptive;
            long pause = limit == null ? 0 : limit.pauseNanos(now);
            if (limit != null && pause == 0) {
                boolean unused = show(present, limit);
            }
            return pause;
        }
    }

    private void resizeTo(int most) {
        Permits present = permits;
        AdaptiveLimit limit = adaptive;
        if (limit == null) {
            present.resize(most);
        } else {
            limit.ceiling(most);
            boolean unused = show(present, limit);
        }
    }

    /**
     * The {@linkplain #asResilience4j(String, Map) view} without tags, with the name of the first pipeline that this policy
     * is built into. Before that the name is {@code bulkhead}.
     */
    public Bulkhead asResilience4j() {
        return asResilience4j(views.name(NAME), Map.of());
    }

    /**
     * A view of this bulkhead that implements resilience4j's {@code Bulkhead}, for its registries, Micrometer binders and
     * decorators. The view and the pipelines share the permits and the queue; the view's events and metrics include the
     * calls of both. {@code maxWaitDuration} is that of the config from which the {@linkplain BulkheadSettings#from
     * settings} were made, or zero. If it is not zero, a caller of the view waits by parking its thread. If a permit is
     * given back twice, this may free the permit of another user of the view, but never one of a pipeline, and never more
     * than are out. {@code changeConfig} changes the limit, as {@link #resize} does, and the wait of the view's callers. Event
     * consumers run on the thread of the call and must not block. A consumer that throws is logged once. The same name gives the
     * same view.
     *
     * <p>A limit that adapts learns from the calls of pipelines alone: a view does not hear how a call has ended. Give a bulkhead
     * that is used through views only a fixed limit.
     *
     * <p>A registry takes the view through a pre-filled {@code RegistryStore}; its {@code replace} does nothing for an
     * absent name.
     *
     * @throws IllegalArgumentException if there is a view of this name with other tags
     */
    public Bulkhead asResilience4j(String name, Map<String, String> tags) {
        return views.view(name, tags);
    }

    @Override
    public void bind(String pipeline, TimeSource time) {
        views.bind(pipeline, time);
        looks.set(false); // a timer of another time may never come
    }

    /**
     * Takes over the permits that are out, the queue and the views. If the order or the interval of the queue, the kind of the
     * limit or its minimum changes, this bulkhead starts anew but for its totals, and running calls count in the previous one.
     */
    @Override
    public void takeOver(Policy previous) {
        if (!(previous instanceof BulkheadPolicy bulkhead)) {
            return;
        }
        writtenOff = bulkhead.writtenOff;
        rejected = bulkhead.rejected;
        attemptLimits.addThoseOf(bulkhead.attemptLimits);
        if (settings.isQueuedAndAdaptsAs(bulkhead.settings)) {
            views = bulkhead.views;
            views.longestIfLate(targetNanos);
            if (bulkhead.adaptive != null) {
                adaptive = bulkhead.adaptive;
                toldLimit = bulkhead.toldLimit;
                tellAttemptLimit();
            }
            permits = bulkhead.permits;
            permits.queueLimit(settings.maxWaitingCalls());
            if (settings.maxConcurrentCalls() != bulkhead.settings.maxConcurrentCalls()) {
                resizeTo(settings.maxConcurrentCalls());
            }
            if (adaptive instanceof LossLimit limit) {
                // After the maximum, within which it is.
                limit.first(settings::initialConcurrentCalls);
                boolean unused = show(permits, limit);
            }
        }
    }

    @Override
    public int dedicatedThreads() {
        return settings.dedicatedThreads() ? settings.maxConcurrentCalls() : 0;
    }

    @Override
    public long lease() {
        return leaseNanos;
    }

    @Override
    public void meters(Meters meters) {
        meters.gauge("bulkhead.in.flight", "Permits that are out", this::inFlight);
        meters.gauge("bulkhead.waiting", "Calls that wait for a permit", this::waiting);
        meters.gauge("bulkhead.limit", "Permits in all", this::limit);
        meters.counter("bulkhead.rejected", "Calls that were turned away", () -> rejected.sum());
        meters.counter(
                "bulkhead.written.off", "Permits taken back from work that outlived its lease", this::writtenOff);
    }

    @Override
    public List<String> warnings() {
        return settings.warnings();
    }

    /** The settings that this bulkhead was made with. */
    public BulkheadSettings settings() {
        return settings;
    }

    @Override
    public Map<String, Object> settingsMap() {
        return settings.asMap();
    }

    /** The limit now. It changes if it adapts or is resized. */
    public int limit() {
        return permits.limit();
    }

    /** How many permits are in use now. */
    public int inFlight() {
        return permits.inFlight();
    }

    /** How many calls wait for a permit now. */
    public int waiting() {
        return permits.waiting();
    }

    /** How many permits were taken back from work that outlived its lease. */
    public long writtenOff() {
        return writtenOff.sum();
    }

    private Supplier<String> fullMessage(Passage passage, long pauseNanos, boolean last) {
        String pipeline = passage.pipeline();
        if (pauseNanos > 0) {
            return () -> pauseMessage(pipeline, pauseNanos);
        }
        Supplier<String> counts = counts();
        String fact = last ? "' has no permit to spare: " : "' is full: ";
        return () -> "bulkhead of '" + pipeline + fact + counts.get();
    }

    private static String pauseMessage(String pipeline, long nanos) {
        return "bulkhead of '" + pipeline + "' lets no call through for "
                + Checks.time(nanos)
                + ", since nothing but losses came back";
    }

    private String lateMessage(Passage passage, Ticket ticket, long pause) {
        if (pause > 0) {
            return pauseMessage(passage.pipeline(), pause);
        }
        String full = "bulkhead of '" + passage.pipeline() + "' is full: ";
        if (ticket.displaced()) {
            return full + "a later call took the place in the queue, " + counts().get();
        }
        return full + "no permit came back within " + Checks.time(ticket.waitNanos()) + ", " + counts().get();
    }

    /** The present numbers. The text is made when it is read. */
    private Supplier<String> counts() {
        Permits now = permits;
        int out = now.inFlight();
        int limit = now.limit();
        int waiting = now.waiting();
        return () -> out + " of " + limit + " permits are out, " + waiting + " of " + now.queueLimit() + " wait";
    }
}
