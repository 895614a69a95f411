/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Stripes;
import dev.holdfast.spi.Completion;
import dev.holdfast.throttling.internal.engine.Gcra;
import dev.holdfast.valkey.SharedThrottleSettings.WhenStoreIsAway;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * The permits that this process holds ready, and what it knows of the store. Reads no clock: calls bring the time with them.
 * Safe for any number of threads.
 *
 * <p>The store is asked for a batch before the last one is used up. At most one question is under way. A question without an
 * answer in time means that the store is away. It stays open, since a late answer shows that the store is back; its permits are
 * lost. After a question that failed, the store is asked again after growing times.
 *
 * <p>The limit also holds when the store goes and comes. The share of this process begins empty when the store goes, because
 * the store may just have given its burst away. A store that comes back is emptied first, because it has got new permits
 * meanwhile, for time in which the shares let calls start. After that this process keeps to its share for {@link #grace}: the
 * others may not have noticed yet that the store is back, and still use theirs.
 *
 * <p>A heavy call that waits collects its permits as the store gets them. From its wait on, calls that must wait stand in a line,
 * and each gets its permits before those behind it. So neither light nor heavy calls keep others waiting for ever.
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

    private enum Phase {
        SHARED,
        AWAY,
        /** The store is back, and others may not know it yet. */
        BACK
    }

    /** What observers are told. */
    record State(String name, String cause) {}

    /** What a call does now. */
    enum Kind {
        /** It starts. */
        START,
        /** It waits for {@link Turn#answer}, and asks again after {@link Turn#nanos} at the latest. */
        WAIT,
        /** It is rejected; {@link Turn#nanos} until there may be a permit. */
        REJECT
    }

    /** A call that found too few permits at hand. Used under the lock, except for its weight. */
    static final class Ticket {
        final int weight;
        /** Whether it is counted as waiting. */
        private boolean waits;

        private boolean inLine;
        /** The permits that it has collected in the line. */
        private long got;

        Ticket(int weight) {
            this.weight = weight;
        }

        private long need() {
            return weight - got;
        }
    }

    /**
     * What a call without a permit at hand does.
     *
     * @param place what to give back if the call does not start: {@link #PERMIT}, a place of the share, or {@link Gcra#NONE}
     */
    record Turn(Kind kind, long nanos, long place, @Nullable Gcra share, Completion answer) {}

    private final SharedThrottleSettings settings;
    private final PermitStore store;
    private final int batch;
    private final int low;
    private final long timeout;
    private final long pause;
    private final long perPermit;

    /** The permits at hand, at most a batch, on a cache line of their own. Added to under this object's lock. */
    private final AtomicLongArray held = Stripes.words(1);

    // Written under this object's lock.
    private volatile Phase phase = Phase.SHARED;
    private volatile State state = new State("shared", "");
    private volatile @Nullable Question question;
    private Completion answer = new Completion();
    /** Permits beside those at hand: for waiting calls, and while the phase is BACK all that the store has given. */
    private long spare;
    /** When the first of {@link #spare} were asked for. */
    private long spareSince;

    private int waiting;
    /** Of the waiting calls, in their order: the first heavy one, and those that asked after it. */
    private final Set<Ticket> line = new LinkedHashSet<>();
    /** The permits that the calls in the line still need. While there are any, none are at hand. */
    private long lineNeeds;
    /** When the store was last asked for more permits than it had; null if that is not known. */
    private @Nullable Long emptyAt;

    private boolean paused;
    private long resumeAt;
    private long probeDistance;
    private long failedAt;
    private long awaySince;
    /** The first look after the store came back. */
    private @Nullable Long backSince;

    private @Nullable Gcra share;
    /** Whether the store has ever been there, and may have given its burst away. */
    private boolean reached;

    private long questions;
    private long failures;

    SharedPermits(SharedThrottleSettings settings, PermitStore store) {
        this.settings = settings;
        this.store = store;
        batch = settings.batch();
        low = (batch + 1) / 2;
        timeout = settings.storeTimeout().toNanos();
        perPermit = Math.max(1, settings.per().toNanos() / settings.limit());
        // A quarter of the time in which the store fills up, so that it never overflows while calls want its permits.
        pause = Math.min(PAUSE_NANOS, perPermit * settings.burst() / 4);
    }

    /** Takes so many permits that are at hand. Returns how many are left; less than 0 if there were not so many. */
    long take(long permits) {
        while (true) {
            long seen = held.get(HELD);
            if (seen < permits || held.compareAndSet(HELD, seen, seen - permits)) {
                return seen - permits;
            }
        }
    }

    /** Whether, with so few left, it is time for the next batch. */
    boolean runsLow(long left) {
        return batch > 1 && left < low && question == null;
    }

    /** Asks for the next batch, if the store may have permits. */
    void askAhead(long now) {
        ask(now, 0);
    }

    /**
     * What a call does that found too few permits at hand.
     *
     * @param longest how long it may wait. If it has to, it is counted as waiting until {@link #stopsWaiting}
     */
    Turn turn(long now, long longest, Ticket ticket) {
        ask(now, ticket.waits ? 0 : ticket.weight);
        return decide(now, longest, ticket);
    }

    private void ask(long now, int newcomer) {
        Question next = due(now, newcomer);
        if (next != null) {
            next.ask();
        }
    }

    private synchronized @Nullable Question due(long now, int newcomer) {
        look(now);
        if (question != null || (paused && now - resumeAt < 0)) {
            return null;
        }
        boolean probe = phase == Phase.AWAY;
        long room = batch - held.get(HELD);
        // Calls that the share holds back leave the store's permits to the others.
        long wanted =
                phase == Phase.BACK ? room : wantedByWaiting() + newcomer + (batch == 1 ? Math.min(0, room) : room);
        long most = probe ? settings.burst() : Math.min(settings.burst(), wanted - spare);
        if (most <= 0) {
            return null;
        }
        questions++;
        question = new Question(now, probe, most);
        return question;
    }

    private long wantedByWaiting() {
        return waiting - line.size() + lineNeeds;
    }

    /** What has changed with the time that has passed. */
    private void look(long now) {
        if (now - spareSince >= timeout) {
            keepSpare(0); // The process may have stood still: what the waiting calls did not take is not of this time.
        }
        if (phase != Phase.BACK) {
            return;
        }
        Long since = backSince;
        if (since == null) {
            backSince = now;
        } else if (now - since >= grace()) {
            phase = Phase.SHARED;
            share = null;
            if (lineNeeds == 0) {
                fill();
            }
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

        Question(long since, boolean probe, long most) {
            this.since = since;
            this.probe = probe;
            this.most = most;
        }

        void ask() {
            try {
                store.take(most, this);
                lookLater();
            } catch (RuntimeException thrown) {
                failed(thrown);
            }
        }

        private void lookLater() {
            if (question == this) {
                store.later(timeout / LOOKS, this);
            }
        }

        boolean silent() {
            return looks == LOOKS;
        }

        @Override
        public void run() {
            looks++;
            if (silent()) {
                change(() -> goAway(this, "the store has not answered within " + Checks.text(settings.storeTimeout())));
            } else {
                lookLater();
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
            Completion told;
            synchronized (SharedPermits.this) {
                if (question != this) {
                    return;
                }
                change.run();
                told = answer;
                answer = new Completion();
            }
            told.complete();
        }
    }

    private void answered(Question answered, long permits, long nanosUntilNext) {
        question = null;
        reached = true;
        probeDistance = 0;
        // All times from when it was asked: it may have been answered at once, and the answer brings no time.
        paused = permits < answered.most && !answered.silent();
        resumeAt = answered.since + Math.max(nanosUntilNext, pause);
        if (answered.probe) {
            // Only shares have to be kept to any longer.
            phase = settings.whenStoreIsAway() == WhenStoreIsAway.LOCAL_SHARE ? Phase.BACK : Phase.SHARED;
            backSince = null;
            String after = Checks.inMillis(answered.since - awaySince);
            state = new State("shared", "the store answers again after " + after);
        } else if (phase != Phase.AWAY) {
            spareSince = spare == 0 ? answered.since : spareSince;
            spare += permits;
            emptyAt = permits < answered.most ? Long.valueOf(answered.since) : emptyAt;
            if (phase == Phase.SHARED && lineNeeds == 0) {
                fill();
            }
        }
    }

    private void failedBecause(Question failed, Throwable why) {
        question = null;
        probeDistance = Math.min(Math.max(FIRST_PROBE_NANOS, 2 * probeDistance), LAST_PROBE_NANOS);
        paused = true;
        resumeAt = failed.since + probeDistance;
        if (!failed.silent()) {
            goAway(failed, "the store failed: " + why);
        }
    }

    private void goAway(Question failed, String cause) {
        failures++;
        failedAt = failed.since;
        reached |= failed.silent();
        if (phase == Phase.AWAY) {
            return;
        }
        if (phase == Phase.SHARED) {
            awaySince = failed.since;
        }
        phase = Phase.AWAY;
        state = new State("away", cause);
        emptyAt = null;
        line.forEach(this::putBackWhatItGot);
    }

    private synchronized Turn decide(long now, long longest, Ticket ticket) {
        serveLine();
        if (ticket.inLine && ticket.need() == 0) {
            ticket.inLine = false;
            line.remove(ticket);
            return started();
        }
        if ((lineNeeds == 0 || phase != Phase.SHARED) && take(ticket.weight) >= 0) {
            return started();
        }
        Turn turn = switch (phase) {
            case SHARED -> shared(now, longest, ticket);
            case BACK -> back(now, longest, ticket);
            case AWAY -> mayBeBack(now) ? awaitAnswer(now, longest, 1) : without(now, longest, ticket);
        };
        if (turn.kind == Kind.WAIT && !ticket.waits) {
            ticket.waits = true;
            waiting++;
        }
        return turn;
    }

    private Turn started() {
        return new Turn(Kind.START, 0, PERMIT, null, answer);
    }

    /** Hands out what there is, in the order of the line. What is too old has been thrown away before. */
    private void serveLine() {
        if (lineNeeds == 0 || phase != Phase.SHARED) {
            return;
        }
        spare = serve(spare);
        if (lineNeeds > 0) {
            held.addAndGet(HELD, serve(held.getAndSet(HELD, 0)));
        }
        if (lineNeeds == 0) {
            fill();
        }
    }

    /** Hands out so many permits, and returns how many are left. */
    private long serve(long permits) {
        long left = permits;
        for (Ticket ticket : line) {
            if (left == 0) {
                break;
            }
            long moved = Math.min(left, ticket.need());
            ticket.got += moved;
            lineNeeds -= moved;
            left -= moved;
        }
        return left;
    }

    private void putBackWhatItGot(Ticket ticket) {
        held.addAndGet(HELD, ticket.got);
        lineNeeds += ticket.got;
        ticket.got = 0;
    }

    /**
     * Whether the store may have been back for so long that the others use all of the limit: no call has asked it when it was time
     * to.
     */
    private boolean mayBeBack(long now) {
        Question asked = question;
        return asked != null && !asked.silent() && now - failedAt > grace();
    }

    private Turn shared(long now, long longest, Ticket ticket) {
        long fromSpare = Math.min(spare, ticket.weight);
        if (lineNeeds == 0 && take(ticket.weight - fromSpare) >= 0) {
            spare -= fromSpare;
            return started();
        }
        long ahead = lineNeeds - spare - held.get(HELD);
        Turn turn = awaitAnswer(now, longest, ticket.inLine ? ticket.need() : ahead + ticket.weight);
        if (turn.kind == Kind.WAIT && !ticket.inLine && (ticket.weight > 1 || !line.isEmpty())) {
            ticket.inLine = true;
            line.add(ticket);
            lineNeeds += ticket.weight;
            serveLine();
        }
        return turn;
    }

    /** A call for which a batch or the share is too small waits until the share is no longer kept to. */
    private Turn back(long now, long longest, Ticket ticket) {
        Long since = backSince;
        if (since != null && (ticket.weight > batch - held.get(HELD) || ticket.weight > burstOfShare())) {
            return waitOrReject(Math.max(1, since + grace() - now), longest);
        }
        return spare < ticket.weight ? awaitAnswer(now, longest, 1) : withinShare(now, longest, ticket.weight);
    }

    /** A wait is not begun if the store, which had no permits before, cannot have so many in time. */
    private Turn awaitAnswer(long now, long longest, long needed) {
        Long empty = emptyAt;
        long least = empty == null ? 0 : empty + (needed - 1) * perPermit - now;
        if (least > longest) {
            return waitOrReject(least, longest);
        }
        if (question == null) {
            return waitOrReject(Math.max(1, resumeAt - now), longest);
        }
        return longest > 0 ? waitOrReject(longest, longest) : waitOrReject(perPermit, 0);
    }

    private Turn waitOrReject(long nanos, long longest) {
        return new Turn(nanos <= longest ? Kind.WAIT : Kind.REJECT, nanos, Gcra.NONE, null, answer);
    }

    private Turn without(long now, long longest, Ticket ticket) {
        return switch (settings.whenStoreIsAway()) {
            case LOCAL_SHARE ->
                ticket.weight > burstOfShare()
                        ? awaitAnswer(now, longest, 1)
                        : withinShare(now, longest, ticket.weight);
            case OPEN -> new Turn(Kind.START, 0, Gcra.NONE, null, answer);
            case CLOSED -> new Turn(Kind.REJECT, Math.max(1, resumeAt - now), Gcra.NONE, null, answer);
        };
    }

    /** Reserves no place of later: when its time comes, the store may be back, and have got a permit for the same time. */
    private Turn withinShare(long now, long longest, int weight) {
        Gcra own = share(now);
        long place = weight == 1 ? own.reserve(now, 0, Stripes.current()) : own.reserveHeavy(now, 0, weight);
        if (place == Gcra.NONE) {
            return waitOrReject(Math.max(1, own.untilFree(now, weight)), longest);
        }
        if (phase == Phase.BACK) {
            spare -= weight;
        }
        return new Turn(Kind.START, 0, place, own, answer);
    }

    private Gcra share(long now) {
        Gcra own = share;
        if (own == null) {
            long per = settings.per().toNanos() * settings.replicas();
            own = new Gcra(settings.limit(), per, burstOfShare());
            if (reached) {
                own.startWith(0, now);
            }
            share = own;
        }
        return own;
    }

    private int burstOfShare() {
        return Math.max(1, settings.burst() / settings.replicas());
    }

    /** A call waits no longer. If it goes without a permit, what was fetched for it is not kept, but what it has collected is. */
    synchronized void stopsWaiting(Ticket ticket) {
        waiting--;
        if (ticket.inLine) {
            ticket.inLine = false;
            line.remove(ticket);
            lineNeeds -= ticket.need();
            putBack(ticket.got, ticket.weight);
        }
        keepSpare(wantedByWaiting());
    }

    /** Takes the permits back of a call that did not use them. */
    synchronized void giveBack(int weight) {
        putBack(weight, weight);
    }

    /** First to the line. A heavy call gives all back: then a process holds that many beside its batch. */
    private void putBack(long permits, int weight) {
        long left = phase == Phase.SHARED ? serve(permits) : permits;
        long room = (weight == 1 ? batch : batch + (long) weight) - held.get(HELD);
        held.addAndGet(HELD, Math.min(left, Math.max(0, room)));
    }

    /** This process holds at most a batch, beside what so many waiting calls are about to take. */
    private void keepSpare(long forWaiting) {
        spare = Math.min(spare, phase == Phase.BACK ? batch : forWaiting);
    }

    /** Puts permits at hand. */
    private void fill() {
        long moved = Math.min(spare, Math.max(0, batch - held.get(HELD)));
        held.addAndGet(HELD, moved);
        spare -= moved;
    }

    /** For a throttle that takes this one's place. */
    synchronized void takeOver(SharedPermits previous) {
        reached = previous.wasReached();
    }

    private synchronized boolean wasReached() {
        return reached;
    }

    State state() {
        return state;
    }

    boolean away() {
        return phase == Phase.AWAY;
    }

    /** The permits at hand. */
    long held() {
        return held.get(HELD);
    }

    synchronized int waiting() {
        return waiting;
    }

    /** Nanoseconds until a call could start by the share of this process; 0 if the share is not in use. */
    synchronized long untilShareIsFree(long now) {
        Gcra own = share;
        return own == null ? 0 : own.untilFree(now);
    }

    /** How often the store was asked. */
    synchronized long questions() {
        return questions;
    }

    /** How often the store did not answer, or not in time. */
    synchronized long failures() {
        return failures;
    }
}
