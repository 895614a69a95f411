/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.internal.Stripes;
import dev.holdfast.spi.Completion;
import dev.holdfast.throttling.internal.engine.Gcra;
import dev.holdfast.valkey.SharedThrottleSettings.WhenStoreIsAway;
import dev.holdfast.valkey.TurnQueue.Grant;
import dev.holdfast.valkey.TurnQueue.Ticket;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The permits that this process holds ready, the calls that wait for one, and what it knows of the store. Calls bring the time with
 * them; only answers and permits that come back read the clock. Safe for any number of threads.
 *
 * <p>While a call waits, no permit is at hand: one that comes is handed to the first call, which alone is told, and so no call
 * overtakes. The first one also watches the time: when the store is to be asked again, or the share has a place.
 *
 * <p>The store is asked for a batch before the last one is used up. At most one question is under way. A question without an
 * answer in time means that the store is away. It stays open, since a late answer shows that the store is back; its permits are
 * lost. It is asked again if no answer comes at all. After a question that failed, the store is asked again after growing times.
 *
 * <p>The limit also holds when the store goes and comes. The share of this process begins empty when the store goes, because
 * the store may just have given its burst away. A store that comes back is emptied first, because it has got new permits
 * meanwhile, for time in which the shares let calls start. After that this process keeps to its share for {@link #grace}: the
 * others may not have noticed yet that the store is back, and still use theirs.
 */
final class SharedPermits {
    /** The place of a permit of the store. Never the end of a place of {@link Gcra}. */
    static final long PERMIT = 1;

    private static final int HELD = Stripes.STRIDE;
    private static final long FIRST_PROBE_NANOS = 50_000_000;
    /** The longest time between two questions to a store that is away. */
    private static final long LAST_PROBE_NANOS = 1_000_000_000;
    /** How long a store that has no permits is left alone, at most, if it gets new ones earlier. */
    private static final long PAUSE_NANOS = 10_000_000;
    /**
     * So many times in the store's time, the thread that receives the answers looks whether one has come. A process that gets no
     * processor does not look, and so does not take the store for away: a pause of any length counts as one look.
     */
    private static final int LOOKS = 10;
    /** A question without an answer is asked again after so long: a store has failed by then, unless what should say so has thrown. */
    private static final long LOST_NANOS = 10_000_000_000L;

    private enum Phase {
        SHARED,
        AWAY,
        /** The store is back, and others may not know it yet. */
        BACK
    }

    static final String SHARED = "shared";

    /** What observers are told. */
    record State(String name, String cause) {}

    /**
     * What a call without a permit at hand does. If it has a grant, it starts with it, and gives it back if it is not used. If it has
     * a wake, it awaits that, and asks again after the time at the latest. Else it is rejected: there may be a permit after the time.
     */
    record Turn(
            long nanos,
            Ticket ticket,
            @Nullable Completion wake,
            @Nullable Grant grant) {}

    /** Of those that this process may hold ready. */
    private static final Grant AT_HAND = new Grant(PERMIT, null, null);

    private static final Grant TAKEN = new Grant(PERMIT, null, null);
    private static final Grant NOTHING = new Grant(Gcra.NONE, null, null);
    /** The call does not start. */
    private static final Grant REFUSAL = new Grant(Gcra.NONE, null, null);
    /** The call need not look before something comes. */
    private static final long UNTIL_CALLED = Long.MAX_VALUE;

    /** No monitor: a virtual thread of Java 21 that waits while it has one keeps its carrier. */
    private final ShortLock lock = new ShortLock();

    private final SharedThrottleSettings settings;
    private final PermitStore store;
    private final LongSupplier clock;
    // They follow the number of processes. Written under the lock; a call that reads old ones asks a little
    // early or late.
    private int batch;
    private int low;

    private final long timeout;
    private final long pause;
    private final long perPermit;

    /** The permits at hand, at most a batch, on a cache line of their own. Added to under the lock. */
    private final AtomicLongArray held = Stripes.words(1);

    // Written under the lock.
    private volatile Phase phase = Phase.SHARED;
    private volatile State state = new State(SHARED, "");
    private volatile @Nullable Question question;
    private final TurnQueue queue = new TurnQueue();
    /** How many calls have got a permit {@link #AT_HAND} and have not started yet. */
    private long handed;
    /** While the phase is BACK, what the store has given: at most a batch. */
    private long spare;
    /** Whether this throttle has asked the store: before that, the next field says nothing. */
    private boolean asked;
    /** The store does not have its next permit before that, as far as it has said; and one more after each {@link #perPermit}. */
    private long nextPermit;

    private boolean paused;
    private long resumeAt;
    private long probeDistance;
    private long failedAt;
    private long awaySince;
    /** The first look after the store came back. */
    private @Nullable Long backSince;

    private final LocalShare share;
    /** Whether the store has ever been there, and may have given its burst away. */
    private boolean reached;

    private volatile LongAdder questions = new LongAdder();
    private volatile LongAdder failures = new LongAdder();

    SharedPermits(SharedThrottleSettings settings, PermitStore store, LongSupplier clock) {
        this.settings = settings;
        this.store = store;
        this.clock = clock;
        share = new LocalShare(settings);
        batch = settings.batch();
        low = (batch + 1) / 2;
        timeout = settings.storeTimeout().toNanos();
        perPermit = Math.max(1, settings.per().toNanos() / settings.limit());
        // A quarter of the time in which the store fills up, so that it never overflows while calls want its permits.
        pause = Math.min(PAUSE_NANOS, perPermit * settings.burst() / 4);
    }

    /** Takes a permit that is at hand. Returns how many are left; -1 if there was none. */
    long take() {
        while (true) {
            long seen = held.get(HELD);
            if (seen == 0 || held.compareAndSet(HELD, seen, seen - 1)) {
                return seen - 1;
            }
        }
    }

    /** Whether, with so few left, it is time for the next batch. */
    boolean runsLow(long left) {
        return batch > 1 && left < low && question == null;
    }

    /** Ends the use of the lock, and tells the calls that something has come for them. */
    private void unlock() {
        List<Completion> called = List.of();
        try {
            called = queue.called();
        } finally {
            lock.unlock();
        }
        Completion.completeAll(called);
    }

    /** Asks for the next batch, if the store may have permits. */
    void askAhead(long now) {
        ask(now, null);
    }

    /**
     * What a call does that found no permit at hand.
     *
     * @param longest how long it may wait
     * @param waiting what it has got before; null if it is new
     */
    Turn turn(long now, long longest, int rank, @Nullable Ticket waiting) {
        Ticket ticket = waiting == null ? new Ticket(rank) : waiting;
        return decide(now, longest, ticket, ask(now, ticket));
    }

    /** Returns the least time until the call has its turn; 0 if that is not known. */
    private long ask(long now, @Nullable Ticket ticket) {
        long untilTurn = 0;
        Question next;
        lock.lock();
        try {
            look(now);
            int before = ticket == null || hasGrant(ticket, now) ? -1 : queue.joins(ticket);
            next = due(now);
            if (before >= 0) {
                untilTurn = untilTurn(now, before);
            }
        } finally {
            unlock();
        }
        if (next != null) {
            next.ask();
        }
        return untilTurn;
    }

    private boolean hasGrant(Ticket ticket, long now) {
        Grant grant = ticket.grant;
        if (grant == null || isOld(grant.since, now)) {
            ticket.grant = ticket.waits() || take() < 0 ? null : TAKEN;
        }
        return ticket.grant != null;
    }

    /** The process may have stood still: what waiting calls did not take is not of this time. */
    private boolean isOld(@Nullable Long since, long now) {
        return since != null && now - since >= timeout;
    }

    private @Nullable Question due(long now) {
        Question open = question;
        if (open != null) {
            if (open.silent()) {
                failedAt = now; // it is being asked, and does not answer
            }
            return null;
        }
        if (paused && now - resumeAt < 0) {
            return null;
        }
        boolean probe = phase == Phase.AWAY;
        // Calls that the share holds back leave the store's permits to the others.
        long wanted = phase == Phase.BACK ? room() - spare : queue.size() + (batch == 1 ? 0 : room());
        long most = probe ? settings.burst() : Math.min(settings.burst(), wanted);
        if (most <= 0) {
            return null;
        }
        long full = now - (settings.burst() - 1) * perPermit;
        if (!asked || probe || nextPermit - full < 0) {
            nextPermit = full;
        }
        asked = true;
        questions.increment();
        question = new Question(now, probe, most);
        return question;
    }

    /** What has changed with the time that has passed. */
    private void look(long now) {
        if (share.follows(now)) {
            batch = settings.batch();
            low = (batch + 1) / 2;
        }
        if (phase != Phase.BACK) {
            return;
        }
        Long since = backSince;
        if (since == null) {
            backSince = now;
        } else if (now - since >= grace()) {
            phase = Phase.SHARED;
            share.end();
            fill(spare, AT_HAND);
            spare = 0;
            queue.watchAnew();
        }
    }

    /** Until all others that have calls have noticed, too, that the store is back. */
    private long grace() {
        return LAST_PROBE_NANOS + 2 * timeout;
    }

    private final class Question implements PermitStore.Answer, Runnable {
        final long since;
        /** Whether it empties a store that was away. */
        final boolean probe;

        final long most;
        int looks;
        /** Whether a call has started without its answer. Guarded by the lock. */
        boolean oneHasStarted;

        Question(long since, boolean probe, long most) {
            this.since = since;
            this.probe = probe;
            this.most = most;
        }

        void ask() {
            try {
                // First: whatever the store throws, somebody looks after this question.
                lookLater();
                store.take(most, this);
            } catch (Throwable thrown) {
                failed(thrown);
            }
        }

        private void lookLater() {
            if (question == this) {
                store.later(silent() ? LOST_NANOS : timeout / LOOKS, this);
            }
        }

        boolean silent() {
            return looks >= LOOKS;
        }

        @Override
        public void run() {
            looks++;
            if (looks > LOOKS) {
                if (question == this) {
                    ask();
                }
                return;
            }
            try {
                if (silent()) {
                    change(() -> goAway(
                            this, "the " + store + " has not answered within " + Checks.text(settings.storeTimeout())));
                }
                lookLater();
            } catch (Throwable thrown) {
                failed(thrown);
            }
        }

        @Override
        public void taken(long permits, long nanosUntilNext) {
            change(() -> answered(this, permits, nanosUntilNext));
        }

        @Override
        public void failed(Throwable why) {
            change(() -> failedBecause(this, why));
        }

        private void change(Runnable change) {
            long again = -1;
            lock.lock();
            try {
                if (question == this) {
                    change.run();
                    queue.watchAnew();
                    long now = clock.getAsLong();
                    serve(now);
                    again = phase == Phase.SHARED && !queue.isEmpty() ? Math.max(0, resumeAt - now) : -1;
                }
            } finally {
                unlock();
            }
            if (again >= 0) {
                askAgain(again);
            }
        }
    }

    /** The first call asks, too. But its thread may get no processor in time, and then the store would overflow. */
    private void askAgain(long nanos) {
        try {
            store.later(nanos, () -> askAhead(clock.getAsLong()));
        } catch (RuntimeException | Error closed) {
            // Then the first call asks alone.
        }
    }

    private void answered(Question answered, long permits, long nanosUntilNext) {
        question = null;
        reached = true;
        probeDistance = 0;
        // All times from when it was asked: it may have been answered at once, and the answer brings no time.
        paused = permits < answered.most && !answered.silent();
        resumeAt = answered.since + Math.max(nanosUntilNext, pause);
        nextPermit += permits * perPermit;
        long next = answered.since + nanosUntilNext;
        if (permits < answered.most && nextPermit - next < 0) {
            nextPermit = next;
        }
        if (answered.probe) {
            // Only shares have to be kept to any longer.
            phase = settings.whenStoreIsAway() == WhenStoreIsAway.LOCAL_SHARE ? Phase.BACK : Phase.SHARED;
            backSince = null;
            String after = Checks.time(answered.since - awaySince);
            state = new State(SHARED, "the store answers again after " + after);
        } else if (phase == Phase.BACK) {
            spare = Math.min(batch, spare + permits);
        } else if (phase == Phase.SHARED) {
            Grant young = new Grant(PERMIT, null, answered.since);
            fill(permits, isOld(answered.since, clock.getAsLong()) ? AT_HAND : young);
        }
    }

    private void failedBecause(Question failed, Throwable why) {
        question = null;
        probeDistance = Math.min(Math.max(FIRST_PROBE_NANOS, 2 * probeDistance), LAST_PROBE_NANOS);
        paused = true;
        resumeAt = failed.since + probeDistance;
        if (!failed.silent()) {
            goAway(failed, "the " + store + " failed: " + why);
        }
    }

    private void goAway(Question failed, String cause) {
        failures.increment();
        failedAt = failed.since;
        reached |= failed.silent();
        if (phase == Phase.AWAY) {
            return;
        }
        awaySince = failed.since;
        phase = Phase.AWAY;
        state = new State("away", cause);
        if (settings.whenStoreIsAway() == WhenStoreIsAway.LOCAL_SHARE) {
            share.begin(reached, clock.getAsLong()); // and fills from now on, whenever the next call comes
        }
    }

    private Turn decide(long now, long longest, Ticket ticket, long untilTurn) {
        lock.lock();
        try {
            serve(now);
            Grant grant = ticket.grant;
            if (grant != null) {
                handed -= grant == AT_HAND ? 1 : 0;
                return grant == REFUSAL
                        ? new Turn(Math.max(1, resumeAt - now), ticket, null, null)
                        : new Turn(0, ticket, null, grant);
            }
            long untilLook = untilLook(now);
            boolean answers = untilLook == UNTIL_CALLED;
            boolean byShare = !awaitsStore(now);
            // One that waits already goes on to wait for the share: the store may be back earlier.
            long wait = answers || byShare ? untilTurn : Math.max(untilTurn, untilLook);
            if (longest <= 0 || wait > longest) {
                queue.remove(ticket);
                long least = byShare ? share(now).untilFree(now, 1) : answers ? perPermit : 0;
                return new Turn(Math.max(wait, least), ticket, null, null);
            }
            long nanos = queue.watches(ticket) ? Math.min(longest, untilLook) : longest;
            return new Turn(nanos, ticket, queue.await(ticket), null);
        } finally {
            unlock();
        }
    }

    /** Gives waiting calls what there is for them now, beside the permits of the store. */
    private void serve(long now) {
        while (!queue.isEmpty()) {
            Grant grant = awaitsStore(now) ? null : withoutStore(now);
            if (grant == null) {
                return;
            }
            grant(grant);
            Question open = question;
            if (open != null) {
                open.oneHasStarted = true;
            }
        }
    }

    /** Returns false if no call waits. */
    private boolean grant(Grant grant) {
        boolean granted = queue.grant(grant);
        handed += granted && grant == AT_HAND ? 1 : 0;
        return granted;
    }

    private @Nullable Grant withoutStore(long now) {
        if (goesByShare()) {
            Grant grant = share(now).take(now);
            spare -= grant != null && phase == Phase.BACK ? 1 : 0;
            return grant;
        }
        return settings.whenStoreIsAway() == WhenStoreIsAway.OPEN ? NOTHING : REFUSAL;
    }

    /** Whether calls that do not await the store go by the share. */
    private boolean goesByShare() {
        return phase == Phase.BACK || settings.whenStoreIsAway() == WhenStoreIsAway.LOCAL_SHARE;
    }

    /** Whether nothing starts before the store answers. */
    private boolean awaitsStore(long now) {
        return switch (phase) {
            case SHARED -> true;
            case BACK -> spare == 0;
            case AWAY -> mayBeBack(now);
        };
    }

    /**
     * Whether the store may have been back for so long that the others use all of the limit: no call has asked it when it was time
     * to. The call that asks does not wait for that, or in an outage a process with few calls would start none.
     */
    private boolean mayBeBack(long now) {
        Question asked = question;
        if (asked == null || asked.silent() || now - failedAt <= grace()) {
            return false;
        }
        return switch (settings.whenStoreIsAway()) {
            case OPEN -> false;
            case LOCAL_SHARE -> asked.oneHasStarted;
            case CLOSED -> true;
        };
    }

    /** The least time until a call has its turn that has so many before it. */
    private long untilTurn(long now, int before) {
        if (phase == Phase.BACK || !awaitsStore(now)) {
            return goesByShare() ? share(now).untilFree(now, before + 1) : 0;
        }
        return Math.max(0, nextPermit + before * perPermit - now);
    }

    /** After this time the first call can do something. */
    private long untilLook(long now) {
        if (awaitsStore(now)) {
            return question == null ? Math.max(1, resumeAt - now) : UNTIL_CALLED;
        }
        long until = share(now).untilFree(now, 1);
        Long since = backSince;
        if (phase == Phase.BACK) {
            until = since == null ? until : Math.min(until, since + grace() - now);
        } else if (question == null) {
            until = Math.min(until, resumeAt - now);
        }
        return Math.max(1, until);
    }

    private LocalShare share(long now) {
        share.begin(reached, now);
        return share;
    }

    /** A call that waits gives up. What it has got goes to the next one. */
    void leave(Ticket ticket) {
        lock.lock();
        try {
            if (ticket.waits()) {
                queue.remove(ticket);
                return;
            }
            handed -= ticket.grant == AT_HAND ? 1 : 0;
        } finally {
            unlock();
        }
        Grant grant = ticket.grant;
        if (grant != null) {
            giveBack(grant);
        }
    }

    /** Takes what a call has started with back: it was not used. */
    void giveBack(long place, @Nullable Gcra own) {
        giveBack(own == null ? AT_HAND : new Grant(place, own, null));
    }

    private void giveBack(Grant grant) {
        Gcra own = grant.share;
        if (own != null) {
            own.giveBack(grant.place); // first, because the rest may throw
        }
        lock.lock();
        try {
            if (grant.place == PERMIT) {
                fill(1, grant);
            } else if (own != null) {
                queue.watchAnew(); // there may be a place earlier
                serve(clock.getAsLong());
            }
        } finally {
            unlock();
        }
    }

    /** Permits have come: for the calls that wait, and up to a batch at hand. */
    private void fill(long permits, Grant each) {
        long left = each == AT_HAND ? Math.min(permits, room()) : permits;
        while (left > 0 && grant(each)) {
            left--;
        }
        held.addAndGet(HELD, Math.min(left, room()));
    }

    private long room() {
        return Math.max(0, batch - held.get(HELD) - handed);
    }

    /** What a throttle knows of the store when another one takes its place. */
    private record Past(
            boolean reached,
            Phase phase,
            State state,
            @Nullable Gcra share,
            long awaySince,
            @Nullable Long backSince,
            long failedAt,
            long probeDistance,
            long resumeAt,
            LongAdder questions,
            LongAdder failures) {}

    /**
     * Goes on for another throttle. If each one began anew, each reload in an outage would bring the burst of a share, and one as the
     * store comes back the whole limit beside the shares of the others.
     */
    void takeOver(SharedPermits previous, long now) {
        Past past = previous.handOver(this, now);
        lock.lock();
        try {
            reached |= past.reached;
            phase = past.phase;
            state = past.state;
            share.takeOver(phase == Phase.SHARED ? null : past.share);
            awaySince = past.awaySince;
            backSince = past.backSince;
            failedAt = past.failedAt;
            probeDistance = past.probeDistance;
            paused = phase == Phase.AWAY;
            resumeAt = past.resumeAt;
            questions = total(past.questions, questions);
            failures = total(past.failures, failures);
        } finally {
            lock.unlock();
        }
    }

    /** This throttle has asked already, when its pipeline was built. */
    private static LongAdder total(LongAdder past, LongAdder own) {
        if (past != own) {
            past.add(own.sum());
        }
        return past;
    }

    /** Both have one share from now on, with the limit of the next one. */
    private Past handOver(SharedPermits next, long now) {
        lock.lock();
        try {
            share.handOver(next.share, now);
            long again = paused ? resumeAt : now;
            return new Past(
                    reached,
                    phase,
                    state,
                    share.line(),
                    awaySince,
                    backSince,
                    failedAt,
                    probeDistance,
                    again,
                    questions,
                    failures);
        } finally {
            lock.unlock();
        }
    }

    State state() {
        return state;
    }

    boolean away() {
        return phase == Phase.AWAY;
    }

    /** Whether the store has been looked for, and has not answered yet. A stale number of looks changes a message only. */
    boolean late() {
        Question asked = question;
        return asked != null && asked.looks > 0;
    }

    /** The permits at hand. */
    long held() {
        return held.get(HELD);
    }

    int waiting() {
        lock.lock();
        try {
            return queue.size();
        } finally {
            lock.unlock();
        }
    }

    /** Nanoseconds until a call could start by the share of this process; 0 if the share is not in use. */
    long untilShareIsFree(long now) {
        lock.lock();
        try {
            return share.untilFree(now, 1);
        } finally {
            lock.unlock();
        }
    }

    /** How often the store was asked. */
    long questions() {
        return questions.sum();
    }

    /** How often the store did not answer, or not in time. */
    long failures() {
        return failures.sum();
    }
}
