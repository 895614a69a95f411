/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.DoubleSupplier;

/**
 * The engine of a limit that heeds losses, as the congestion control of TCP does. A process knows only itself, and a dependency
 * has to bear the sum of all: each process backs off by itself, and so all of them do.
 *
 * <p>An attempt is <em>lost</em> if it ends in a timeout or a pushback. Failures are bugs, and not load, unless nothing else comes
 * back. It is <em>late</em> if it is served, but takes twice as long as attempts do on average, and more than a quarter of the time
 * that it has at most. However times vary, at most half of all attempts take twice the mean time (Markov's inequality), and in an
 * overload all of them are in one queue, so if nearly all are late something has changed. After each period, which lasts about as
 * long as an attempt:
 *
 * <ul>
 *   <li>More than a fifth was lost, or nearly all was lost or late, above what is usual: the limit is cut by half of that share; by
 *       the whole of it if most was lost.
 *   <li>Nothing but losses or failures for as long as an attempt takes: the limit falls to one. If this goes on, it is zero for a pause, and
 *       each pause is longer than the one before.
 *   <li>Otherwise the limit grows if calls want more: from one to four, then it doubles until the first trouble, and after a
 *       trouble up to half of what it was; then it grows by one, or by a twentieth.
 * </ul>
 *
 * <p>The permit of a lost attempt is not given to another one before the period has been judged. Attempts that began before a
 * cut do not show what the cut has changed, and are not counted. Where a quarter of the limit has made nothing better, the
 * trouble has another reason than the load: the limit is put back, and that share of losses, or that time of an attempt,
 * becomes the usual one.
 *
 * <p>While nothing is lost and no call waits, a served attempt costs a look at two fields.
 */
public final class LossLimit implements AdaptiveLimit {
    /** A share of losses that is no trouble. */
    private static final double FEW = 0.2;

    /** With a larger share of losses, the dependency is overloaded or down, whatever the usual share is. */
    private static final double MOST = 0.5;

    /** A larger share is late only if attempts take longer than they did: of fast and slow calls, the slow ones may be many. */
    private static final double NEARLY_ALL = 0.8;

    /** A share among fewer attempts is chance. */
    private static final int LEAST = 10;

    /** Where three of four attempts fail, so many in a row are rare. */
    private static final int FAILURES_IN_A_ROW = 20;

    /** Of so many attempts that all time out, or are all served, it is not. */
    private static final int FEW_ATTEMPTS = 3;

    /** Nothing grows in a shorter period: what more calls do to the dependency must be seen first. */
    private static final long SHORTEST_NANOS = 200_000_000;

    private static final long FIRST_PAUSE_NANOS = 200_000_000;
    private static final long LONGEST_PAUSE_NANOS = 2_000_000_000;

    /** An attempt is late that takes more of its time than this, and so many times as long as usual. */
    private static final double LATE_SHARE = 0.25;

    private static final int LATE_TIMES = 2;

    /** What is better at all falls to less than this. */
    private static final double NO_BETTER = 0.75;

    private static final double USUAL_WEIGHT = 1.0 / 16;
    private static final double DEEPEST_CUT = 0.25;
    private static final double GROWTH = 0.05;
    private static final double LEARNING_NANOS = 60e9;

    /** What follows a limit of one, as TCP's initial window: four are no crowd, and are heard of sooner. */
    private static final int RESTART = 4;

    /** While nothing happens, about one attempt of so many tells how long attempts usually take. */
    private static final int SAMPLED = 16;

    /** Times the longest attempt. Slow ones come back last, and the mean of the first ones would leave them out. */
    private static final int LEARNING_ATTEMPTS = 2;

    private static final long LONGEST_LEARNING_NANOS = 10_000_000_000L;

    private final int floor;
    private final int first;

    /** The most that an attempt may take; {@link Long#MAX_VALUE} if nothing limits it. */
    private volatile long attemptLimit = Long.MAX_VALUE;

    private volatile int limit;
    private volatile int decided;
    /** Nothing was lost and nothing wanted, so there is nothing to count. */
    private volatile boolean calm = true;

    private volatile boolean wanted;
    private volatile long lateNanos = Long.MAX_VALUE;
    private volatile long openAt;

    /** Guards what follows. An attempt that does not get it is left out; the next loss makes up for one that was. */
    private final ReentrantLock lock = new ReentrantLock();

    private final AtomicInteger missed = new AtomicInteger();
    private volatile int ceiling;
    /** The limit with its fraction. */
    private double exact;
    /** Up to here the limit doubles. */
    private double doubling;
    /** Attempts that were lost since the last judgement, and whose permits are held back. */
    private int heldBack;

    private boolean wasCut;
    private long cutAt;
    private long pauseNanos;
    /** The mean time of attempts that are served now, and of those in calm times and fine periods. */
    private long attemptNanos;

    private long usualNanos;
    private long usualAt;
    /** How many the usual time was learned from, while {@link #learning}; until then, no attempt is late. */
    private int learned;

    private long learningSince;
    private boolean learning = true;

    private double usualShare;

    // The losses since the last attempt that was served, and the other way round.
    private int inARow;
    private int droppedInARow;
    private int servedInARow;
    private long rowBegan;
    private long lostAt;

    // An attempt is lost long after others that began with it were served. So a share of losses is one of what ended
    // in about the time that a lost attempt takes; what ended longer ago counts for less.
    private double servedLately;
    private double lostLately;
    private long lostNanos;
    private long fadedAt;

    // This period.
    private boolean begun;
    private long beganAt;
    private long endedAt;
    private int served;
    private int late;
    private int timed;
    private long timedNanos;
    private int dropped;
    private int mostInFlight;

    // Before the first cut of several in a row; 0: there was none.
    private double limitBefore;
    private double doublingBefore;
    private double shareBefore;
    private long nanosBefore;
    /** Attempts since the limit is a quarter of that. */
    private int tried;

    /** A limit that begins at {@code first}. */
    public LossLimit(int floor, int first, int ceiling) {
        this.floor = floor;
        this.first = first;
        this.ceiling = ceiling;
        doubling = ceiling;
        exact = first;
        limit = first;
        decided = first;
    }

    /** Tells that an attempt takes this long at most. */
    public void attemptLimit(long nanos) {
        attemptLimit = nanos;
        lock.lock();
        try {
            setLate();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int limit() {
        return limit;
    }

    @Override
    public int decided() {
        return decided;
    }

    /** The maximum. */
    public int ceiling() {
        return ceiling;
    }

    @Override
    public void ceiling(int most) {
        lock.lock();
        try {
            if (doubling == ceiling || exact >= ceiling) {
                doubling = most; // nothing but the maximum has held it
                calm = false;
            }
            ceiling = most;
            exact = clamped(exact);
            show();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void wanted() {
        if (!wanted) {
            wanted = true;
            calm = false;
        }
    }

    @Override
    public boolean isIndifferentTo(long nanos) {
        return calm && nanos < lateNanos && !isSampled(nanos);
    }

    private boolean isSampled(long nanos) {
        return nanos != 0 && (learning || (nanos >>> 4) % SAMPLED == 0);
    }

    @Override
    public void served(long now, long nanos, int inFlight) {
        if (!lock.tryLock()) {
            return;
        }
        try {
            boolean isLate = nanos >= lateNanos;
            if (calm && !isLate) {
                if (isSampled(nanos)) {
                    lately(now, learning ? 1 : SAMPLED, 0);
                    learn(now, nanos, 1);
                }
                return;
            }
            if (isOld(now, nanos)) {
                return;
            }
            // Not the late one that ends a calm time: each such time has one, and the usual time would grow by it.
            if (!calm && nanos != 0) {
                timed++;
                timedNanos += nanos;
            }
            startCounting();
            attemptNanos += (nanos - attemptNanos) / 8;
            inARow = 0;
            droppedInARow = 0;
            pauseNanos = 0;
            if (isLate) {
                late++;
                servedInARow = 0;
            } else {
                served++;
                servedInARow++;
            }
            count(now, isLate ? fewOf(inFlight, nanos) : nanos, inFlight);
            judge(now, nanos);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void dropped(long now, long nanos, int inFlight, DoubleSupplier random) {
        lost(now, nanos, inFlight, true, random);
    }

    @Override
    public void failed(long now, long nanos, int inFlight, DoubleSupplier random) {
        lost(now, nanos, inFlight, false, random);
    }

    private void lost(long now, long nanos, int inFlight, boolean drop, DoubleSupplier random) {
        if (!lock.tryLock()) {
            if (drop) {
                missed.getAndIncrement();
            }
            return;
        }
        try {
            startCounting();
            int more = 1;
            if (drop) {
                more += missed.getAndSet(0);
                lostNanos += (nanos - lostNanos) / 4;
                heldBack += more;
                show();
            }
            if (isOld(now, nanos)) {
                return;
            }
            if (drop) {
                dropped += more;
                droppedInARow += more;
                servedInARow = 0;
                lostAt = now;
            }
            if (inARow == 0) {
                rowBegan = now;
            }
            inARow += more;
            count(now, fewOf(inFlight, nanos), inFlight);
            boolean enough = droppedInARow > 1 || inARow >= FAILURES_IN_A_ROW;
            if (enough && now - rowBegan >= Math.max(nanos, SHORTEST_NANOS / 2)) {
                nothingComesBack(now, nanos, random);
            } else {
                judge(now, nanos);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Slowly, once attempts of each kind were seen: what takes longer now may be our own doing. Both ways alike, or it would not be
     * the mean.
     */
    private void learn(long now, long nanos, int attempts) {
        double share = Math.min(1.0 / 8, (now - usualAt) / LEARNING_NANOS);
        if (learning) {
            learningSince = learned == 0 ? now : learningSince;
            learned += attempts;
            share = (double) attempts / learned;
            long enough = attemptLimit == Long.MAX_VALUE
                    ? 0
                    : Math.min(LEARNING_ATTEMPTS * attemptLimit, LONGEST_LEARNING_NANOS);
            learning = learned < SAMPLED || now - learningSince < enough;
        }
        usual(now, usualNanos + (long) ((nanos - usualNanos) * share));
    }

    private void usual(long now, long nanos) {
        usualNanos = nanos;
        usualAt = now;
        setLate();
    }

    private void setLate() {
        lateNanos = learning ? Long.MAX_VALUE : longNanos();
    }

    /** What takes less time has not been in a queue. */
    private long longNanos() {
        return attemptLimit == Long.MAX_VALUE
                ? Long.MAX_VALUE
                : Math.max(LATE_TIMES * usualNanos, (long) (LATE_SHARE * attemptLimit));
    }

    /** From now on attempts are counted. */
    private void startCounting() {
        if (calm) {
            calm = false;
            attemptNanos = usualNanos;
        }
    }

    private boolean isOld(long now, long nanos) {
        return wasCut && now - nanos - cutAt < 0;
    }

    /** Three attempts that end badly are most of those that a process with few calls has, and chance where there are many. */
    private static long fewOf(int inFlight, long nanos) {
        return inFlight <= FEW_ATTEMPTS ? nanos : 0;
    }

    /**
     * Counts an attempt. A period begins with its first one, and the time that this one took is part of it, as far as it is not
     * part of the period before: a process with few calls needs no second one to see how a whole attempt went.
     */
    private void count(long now, long nanos, int inFlight) {
        if (!begun) {
            begun = true;
            beganAt = now - Math.min(nanos, now - endedAt);
        }
        mostInFlight = Math.max(mostInFlight, inFlight);
    }

    private void nothingComesBack(long now, long nanos, DoubleSupplier random) {
        doubling = Math.max(doubling, Math.max(limitBefore, exact) / 2);
        boolean again = exact <= floor;
        cut(now, floor);
        if (again) {
            pause(now, nanos, random);
        }
        inARow = 0;
        droppedInARow = 0;
        limitBefore = 0;
    }

    /** Not with a floor above one, which says that so many calls may always run. Each process has a pause of its own length. */
    private void pause(long now, long nanos, DoubleSupplier random) {
        if (floor == 1) {
            // What was given up has left work in the dependency. What failed at once has not, and each probe is cheap.
            long more = nanos < longNanos() ? pauseNanos / 20 : pauseNanos;
            pauseNanos = pauseNanos == 0
                    ? Math.max(FIRST_PAUSE_NANOS, nanos)
                    : Math.min(pauseNanos + more, Math.max(LONGEST_PAUSE_NANOS, 2 * nanos));
            openAt = now + (long) (pauseNanos * (0.5 + random.getAsDouble()));
            limit = 0;
            decided = 0;
        }
    }

    private void judge(long now, long nanos) {
        int all = served + late + dropped;
        int bad = dropped + late;
        // With a limit of one, one attempt that began after the last loss tells all that can be told.
        boolean alone = exact < 2 && servedInARow > 0 && now - nanos - lostAt >= 0;
        boolean known = alone
                || bad == 0
                || all >= LEAST
                || (isUsual(dropped, FEW, all) && servedInARow >= FEW_ATTEMPTS)
                || (all >= FEW_ATTEMPTS && dropped == all);
        long shortest = bad == 0 ? SHORTEST_NANOS : bad == all ? nanos : 0;
        long attempt = alone ? nanos : Math.max(attemptNanos, usualNanos);
        if (all == 0 || !known || now - beganAt < Math.max(shortest, attempt)) {
            return;
        }
        lately(now, all - dropped, dropped);
        double lately = servedLately + lostLately;
        double lostShare = lostLately / lately;
        boolean nearlyAllAreBad = all >= LEAST && (served == 0 || !isUsual(bad, NEARLY_ALL, all));
        boolean fine = isUsual(lostLately, FEW, lately) && !nearlyAllAreBad;
        if (lostShare <= MOST) {
            usualShare += (lostShare - usualShare) * USUAL_WEIGHT;
        }
        if (!fine) {
            trouble(now, nearlyAllAreBad ? Math.max(lostShare, (double) bad / all) : lostShare, lostShare);
        } else {
            if (timed > 0) {
                learn(now, timedNanos / timed, timed);
            }
            limitBefore = bad == 0 || all >= LEAST ? 0 : limitBefore; // of fewer, it may be chance
            grow();
            calm = bad == 0 && !wanted && exact >= Math.min(first, ceiling);
            wanted = false;
            endPeriod(now);
        }
    }

    /** The root is what chance adds. */
    private boolean isUsual(double count, double share, double all) {
        double usual = (usualShare + share) * all;
        return count <= usual + Math.sqrt(usual);
    }

    private void trouble(long now, double share, double lostShare) {
        if (limitBefore == 0) {
            limitBefore = exact;
            doublingBefore = doubling;
            shareBefore = share;
            nanosBefore = attemptNanos;
            tried = 0;
        } else if (lostShare <= MOST && exact <= limitBefore / 4) {
            tried += served + late + dropped;
            if (tried < LEAST) {
                endPeriod(now);
                return;
            }
            if (share > NO_BETTER * shareBefore && attemptNanos > NO_BETTER * nanosBefore) {
                usualShare = lostShare;
                usual(now, Math.max(usualNanos, attemptNanos));
                cut(now, limitBefore);
                doubling = doublingBefore;
                limitBefore = 0;
                return;
            }
        }
        doubling = exact > floor ? 0 : doubling;
        double inUse = lostShare > MOST ? Math.min(exact - heldBack, Math.max(mostInFlight, 1)) : exact;
        cut(now, inUse * (lostShare > MOST ? Math.max(DEEPEST_CUT, 1 - share) : 1 - share / 2));
    }

    private void grow() {
        if (wanted || exact < first) {
            if (exact <= 1) {
                exact = clamped(RESTART);
            } else if (exact < doubling) {
                exact = clamped(Math.min(doubling, exact + served));
            } else if (mostInFlight < (int) exact && exact < 2 * mostInFlight + 2) {
                exact = clamped(exact + served);
            } else {
                exact = clamped(exact + Math.max(GROWTH * exact, served / exact));
            }
        }
    }

    private void lately(long now, int served, int lost) {
        double stays = lostNanos / (lostNanos + (now - fadedAt) + 1.0);
        fadedAt = now;
        servedLately = stays * servedLately + served;
        lostLately = stays * lostLately + lost;
    }

    private void cut(long now, double to) {
        servedLately = 0;
        lostLately = 0;
        wasCut = true;
        cutAt = now;
        exact = clamped(to);
        endPeriod(now);
    }

    private void endPeriod(long now) {
        begun = false;
        endedAt = now;
        served = 0;
        late = 0;
        timed = 0;
        timedNanos = 0;
        dropped = 0;
        mostInFlight = 0;
        heldBack = 0;
        show();
    }

    private double clamped(double wished) {
        return Math.max(floor, Math.min(ceiling, wished));
    }

    /** A pause ends by time alone. */
    private void show() {
        if (limit != 0) {
            decided = (int) exact;
            limit = (int) clamped(exact - heldBack);
        }
    }

    @Override
    public long pauseNanos(long now) {
        if (limit != 0) {
            return 0;
        }
        long left = openAt - now;
        if (left > 0) {
            return left;
        }
        lock.lock();
        try {
            if (limit == 0 && now - openAt >= 0) {
                limit = (int) exact;
                decided = limit;
            }
        } finally {
            lock.unlock();
        }
        return 0;
    }
}
