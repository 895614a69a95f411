/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.Reason;
import dev.holdfast.internal.ChangesAlone.Told;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Ranks;
import dev.holdfast.internal.Refused;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.internal.TellsState;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.throttling.internal.engine.Gcra;
import dev.holdfast.valkey.SharedPermits.State;
import dev.holdfast.valkey.SharedPermits.Turn;
import dev.holdfast.valkey.SharedThrottleSettings.WhenStoreIsAway;
import dev.holdfast.valkey.TurnQueue.Grant;
import dev.holdfast.valkey.TurnQueue.Ticket;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Limits how many calls of all processes of a service start in a time: one limit, whose permits lie in Valkey or Redis.
 *
 * <p>Each process takes permits in batches, before it needs them, and so a steady call does not wait for the store. In any time
 * t at most burst + (t + d) × limit / per calls start, and at most one batch more for each process; d is how long an answer of the
 * store takes. A call that finds no permit waits
 * for the store's answer and for its turn, for at most {@code maxWait}. An asynchronous call holds no thread meanwhile. Then it
 * is rejected with {@link Reason#THROTTLED}; at once, if its turn comes too late even if this process gets the whole limit.
 *
 * <p>Calls of one process that wait start by {@linkplain Passage#rank rank}, and in the order in which they came. The one that has
 * waited longest is passed over at most seven times in a row. By its rank an attempt may wait for twice {@code maxWait} (0), {@code
 * maxWait} (1), half of it (2) or not at all (3).
 *
 * <p>If the store does not answer in time, it is away: each process then limits its calls to its share of the limit, unless
 * {@link SharedThrottleSettings.WhenStoreIsAway} says otherwise. The process asks the store again by itself, at least once a
 * second while there are calls, and goes back to it. A failure of the store never reaches a caller. Observers hear of both
 * changes of state.
 *
 * <p>Safe for any number of threads; one instance for each dependency and process. Allocates nothing for a call that finds a
 * permit.
 */
public final class SharedThrottlePolicy extends Policy implements TellsState {
    private final SharedThrottleSettings settings;
    private final SharedPermits permits;
    private final long maxWaitNanos;
    private final AtomicReference<State> told;
    private final ShortLock telling = new ShortLock();
    // A call that starts at once does not touch these.
    private LongAdder rejected = new LongAdder();
    private LongAdder waited = new LongAdder();
    private LongAdder givenBack = new LongAdder();
    private LongAdder withoutStore = new LongAdder();
    /** The time source of the pipeline that was built last with this throttle; null before that. */
    private volatile @Nullable TimeSource time;

    SharedThrottlePolicy(PermitStore store, SharedThrottleSettings settings) {
        super("throttle", ENTER | FAILURE);
        this.settings = settings;
        permits = new SharedPermits(settings, store, this::nanos);
        maxWaitNanos = settings.maxWait().toNanos();
        told = new AtomicReference<>(permits.state());
    }

    /**
     * A throttle with the defaults, changed by the function: at least {@code key}.
     *
     * @see #of(ValkeyStore, SharedThrottleSettings)
     * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of range
     */
    public static SharedThrottlePolicy of(ValkeyStore store, Consumer<? super SharedThrottleSettings.Builder> changes) {
        return of(store, SharedThrottleSettings.of(changes));
    }

    /**
     * A throttle with these settings. If they say no {@code replicas}, the processes with the same {@code key} announce themselves in
     * the store: then this blocks for a first answer as {@link ValkeyStore#replicas(String)} does.
     */
    public static SharedThrottlePolicy of(ValkeyStore store, SharedThrottleSettings settings) {
        return new SharedThrottlePolicy(
                store.permits(settings), settings.orReplicas(() -> store.replicas(settings.key())));
    }

    @Override
    public Timing timing() {
        return Timing.NONE;
    }

    @Override
    public int enter(Passage passage) {
        if (passage.object() instanceof Ticket waiting) {
            return withoutPermit(passage, waiting);
        }
        long left = permits.take();
        if (left < 0) {
            return withoutPermit(passage, null);
        }
        passage.slot(SharedPermits.PERMIT);
        if (permits.runsLow(left)) {
            permits.askAhead(passage.now() + lateness(passage.now()));
            tellState(passage);
        }
        return PROCEED;
    }

    /** While a call waits, the layer's object is its ticket, and the slot is the end of its wait. */
    private int withoutPermit(Passage passage, @Nullable Ticket waiting) {
        // The thread may have lost the processor after the call's time was read, and the store is judged by this time.
        long late = lateness(passage.now());
        long now = passage.now() + late;
        long until = waiting == null ? now + Ranks.longestWait(passage.rank(), maxWaitNanos) : passage.slot();
        // A wait that leaves no time for the attempt is useless.
        long longest = Math.max(0, Math.min(until - now, passage.remaining() - 1 - late));
        Turn turn = permits.turn(now, longest, passage.rank(), waiting);
        tellState(passage);
        Completion wake = turn.wake();
        if (wake != null) {
            if (waiting == null) {
                waited.increment();
                passage.slot(until);
                passage.object(turn.ticket());
            }
            return passage.await(wake, turn.nanos() + late); // counted from the call's own time
        }
        passage.object(null);
        passage.slot(Gcra.NONE);
        Grant grant = turn.grant();
        if (grant == null) {
            return turnAway(passage, turn.nanos());
        }
        passage.slot(grant.place);
        passage.object(grant.share);
        if (grant.place != SharedPermits.PERMIT) {
            withoutStore.increment();
        }
        return PROCEED;
    }

    private long lateness(long now) {
        TimeSource bound = time;
        return bound == null ? 0 : Math.max(0, bound.nanos() - now);
    }

    private int turnAway(Passage passage, long wait) {
        Refused.count(passage, rejected);
        String pipeline = passage.pipeline();
        boolean away = permits.away();
        String store = away ? ", and its store is away" : permits.late() ? ", and its store has not answered yet" : "";
        return passage.reject(
                Reason.THROTTLED,
                wait,
                () -> away && settings.whenStoreIsAway() == WhenStoreIsAway.CLOSED
                        ? "throttle of '" + pipeline + "' lets no call start while its store is away, asked again in "
                                + Checks.time(wait)
                        : "throttle of '" + pipeline + "' lets " + rate() + store + ", the next one in "
                                + Checks.time(wait),
                null);
    }

    private String rate() {
        int processes = settings.replicas();
        return settings.limit() + " calls " + (processes == 1 ? "" : "of " + processes + " processes ") + "start in "
                + Checks.text(settings.per());
    }

    private void tellState(Passage passage) {
        if (permits.state().equals(told.get())) {
            return;
        }
        Told pipeline = Told.of(passage);
        note(passage, pipeline);
        pipeline.tellChanges();
    }

    /** Under the lock: what is told first happened first. */
    private void note(Passage passage, Told pipeline) {
        telling.lock();
        try {
            State now = permits.state();
            State last = told.get();
            if (now.equals(last) || passage.replaced()) {
                return;
            }
            told.set(now);
            if (!now.name().equals(last.name())) {
                pipeline.noteChange(last.name(), now.name(), now.cause());
            }
        } finally {
            telling.unlock();
        }
    }

    @Override
    public String toldState() {
        telling.lock();
        try {
            return told.get().name();
        } finally {
            telling.unlock();
        }
    }

    @Override
    public String stateAtRest() {
        return SharedPermits.SHARED;
    }

    @Override
    public int settle(Passage passage) {
        if (!passage.started()) {
            giveBack(passage);
        }
        return KEEP;
    }

    @Override
    public void abandon(Passage passage) {
        if (passage.object() instanceof Ticket waiting) {
            passage.object(null);
            passage.slot(Gcra.NONE);
            permits.leave(waiting);
        } else {
            giveBack(passage);
        }
    }

    private void giveBack(Passage passage) {
        long place = passage.slot();
        if (place == Gcra.NONE) {
            return;
        }
        passage.slot(Gcra.NONE);
        permits.giveBack(place, (Gcra) passage.object());
        givenBack.increment();
    }

    /** Asks for the first batch, so that the first call need not wait for it. */
    @Override
    public void bind(String pipeline, TimeSource pipelineTime) {
        time = pipelineTime;
        permits.askAhead(pipelineTime.nanos());
    }

    /**
     * Takes over the totals and, while the store is away and as it comes back, what is known of it and the share. The permits that the
     * previous throttle held ready are lost.
     */
    @Override
    public void takeOver(Policy previous) {
        if (previous instanceof SharedThrottlePolicy throttle) {
            rejected = throttle.rejected;
            waited = throttle.waited;
            givenBack = throttle.givenBack;
            withoutStore = throttle.withoutStore;
            permits.takeOver(throttle.permits, throttle.nanos());
            told.set(throttle.told.get());
        }
    }

    @Override
    public void meters(Meters meters) {
        meters.gauge("throttle.available", "Permits that this process holds ready", permits::held);
        meters.counter("throttle.rejected", "Calls that were turned away", this::rejected);
        meters.counter("throttle.waited", "Calls that were held back", this::waited);
        meters.counter("throttle.given.back", "Permits that were not used", this::givenBack);
        meters.gauge(
                "throttle.replicas", "Processes that share the limit, as far as this one knows", settings::replicas);
        meters.gauge("throttle.store.away", "1 while the store is away", () -> permits.away() ? 1 : 0);
        meters.counter("throttle.store.asked", "Questions to the store", permits::questions);
        meters.counter("throttle.store.failed", "Questions that got no answer in time", permits::failures);
        meters.counter("throttle.without.store", "Calls that started while the store was away", this::withoutStore);
    }

    /** The settings that this throttle was made with. */
    public SharedThrottleSettings settings() {
        return settings;
    }

    @Override
    public Map<String, Object> settingsMap() {
        return settings.asMap();
    }

    /** How many permits this process holds ready. */
    public int available() {
        return (int) permits.held();
    }

    /** Whether the store is away, as far as is known: it is asked only for calls. */
    public boolean storeIsAway() {
        return permits.away();
    }

    /** How many calls wait now for the store's answer or for their turn. */
    int waiting() {
        return permits.waiting();
    }

    long untilShareIsFree() {
        return permits.untilShareIsFree(nanos());
    }

    private long nanos() {
        TimeSource bound = time;
        return (bound == null ? TimeSource.system() : bound).nanos();
    }

    /** How many calls were rejected so far. */
    public long rejected() {
        return rejected.sum();
    }

    /** How many calls were delayed so far. */
    public long waited() {
        return waited.sum();
    }

    /** How many unused permits were given back so far. */
    public long givenBack() {
        return givenBack.sum();
    }

    /** How many calls have started by the share of this process so far, or because the throttle was open. */
    public long withoutStore() {
        return withoutStore.sum();
    }
}
