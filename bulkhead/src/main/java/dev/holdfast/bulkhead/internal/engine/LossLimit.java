/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import dev.holdfast.internal.ShortLock;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleSupplier;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * The engine of a limit that heeds losses, as the congestion control of TCP does. A process knows only itself, and a dependency
 * has to bear the sum of all: each process backs off by itself, and so all of them do.
 *
 * <p>An attempt is <em>lost</em> if it ends in a timeout or a pushback. Failures are bugs, and not load, unless nothing else comes
 * back. It is <em>late</em> if it is served, but takes twice as long as attempts do on average, and more than a quarter of the time
 * that it has at most. However times vary, at most half of all attempts take twice the mean time (Markov's inequality), and in an
 * overload all of them are in one queue, so if nearly all are late something has changed. After each period, which lasts about as
 * long as an attempt, and at least 200 ms unless there is trouble:
 *
 * <ul>
 *   <li>More than a fifth was lost, or nearly all was lost or late, above what is usual: the limit is cut by half of that share; by
 *       the whole of it if most was lost.
 *   <li>Nothing but losses and fewer failures, or many failures in a row, for the time of an answer, of the longest of them, or 100
 *       ms, whichever is longest: the limit falls to one. Where many are lost as a rule, a short row of losses is chance, and a
 *       longer one is asked for. If this goes on, it is zero for a pause, and each pause is longer than the
 *       one before.
 *   <li>Otherwise the limit grows if calls want more. From one it goes to three or four, then by one with each answer of the
 *       period: until the first trouble without end, after it up to half of what it was, and without end again from a minute after
 *       the last cut on. Beyond that it grows by one, or by a twentieth; in the ten seconds after a cut only if all of it is in
 *       use, and by at most one a second, or by a twentieth, but not so where lost attempts hang. After half a minute without an
 *       attempt it is at least what it was at first.
 * </ul>
 *
 * <p>A pushback that comes sooner than an answer is a loss that was <em>refused at once</em>, without a queue: it may say nothing of
 * the load, such as where one caller's quota is used up. Where most losses are of this kind, a period lasts at least a second, and so
 * does a row, in which they count like failures until the limit is one. They hold no permit back, and after a period in which most
 * was lost the limit doubles as after an outage.
 *
 * <p>A call that is lost again and again may be all there is between two bursts of calls. So a lost attempt that repeats one
 * counts only if another one that counts has ended since it began, and in no row.
 *
 * <p>The permit of a lost attempt is not given to another one before the period has been judged. Attempts that began before a cut
 * do not show what the cut has changed, and are not counted; nor are losses before an attempt that began after it can have been
 * served. As long as it is not clear whether a cut has helped, more than a third of late ones is enough for the next one. Where a
 * quarter of the limit has made nothing better, the trouble has another reason than the load: the limit is put back, and that share
 * of losses, or that time of an attempt, becomes the usual one. So does a share of hanging attempts that stays while the limit is
 * at most half of what it was.
 *
 * <p>While nothing is lost and no call waits, a served attempt costs a look at two fields.
 */
public final class LossLimit implements AdaptiveLimit {
    /** A larger share is late only if attempts take longer than they did: of fast and slow calls, the slow ones may be many. */
    private static final double NEARLY_ALL = 0.8;

    /** A share among fewer attempts is chance. */
    static final int LEAST = 10;

    /** Of so many attempts that all time out, or are all served, it is not. */
    private static final int FEW_ATTEMPTS = 3;

    /** Nothing grows in a shorter period: what more calls do to the dependency must be seen first. */
    private static final long SHORTEST_NANOS = 200_000_000;

    /** Quotas are those of a second in most cases, and a part of one shows nothing. What is refused at once does little harm. */
    static final long SHORTEST_OF_REFUSED_NANOS = 1_000_000_000;

    private static final long FIRST_PAUSE_NANOS = 200_000_000;
    private static final long LONGEST_PAUSE_NANOS = 2_000_000_000;

    /** So long without an attempt, and nobody knows how the dependency is: as for a process that has just begun. */
    private static final long IDLE_NANOS = 30_000_000_000L;

    /**
     * Where lost attempts hang, and do not queue, a limit of one grows after nothing but answers for so long: the first ones that
     * come back are those that do not hang. If a lost attempt takes far longer, this time shows nothing, and costs answers. Where
     * some hang as a rule, there would be no such time, so a shorter one is enough.
     */
    private static final long PROOF_NANOS = 500_000_000;

    /** Times as long as a served attempt, and a lost one was not in a queue with it. */
    private static final int HANGING_TIMES = 3;

    private static final double SECOND_NANOS = 1e9;
    private static final double DEEPEST_CUT = 0.25;
    private static final double GROWTH = 0.05;

    /**
     * So long after a cut the limit grows only if it is in use, and by at most one a second. Where the load stays above what the
     * dependency can do, many processes that all grow faster are too many again after two seconds. What hangs is in no queue.
     */
    private static final long CAREFUL_NANOS = 10_000_000_000L;

    /** So long after the last cut, the limit may double again. */
    private static final long FORGETTING_NANOS = 60_000_000_000L;

    /** What follows a limit of one, as TCP's initial window: four are no crowd, and are heard of sooner. */
    private static final int RESTART = 4;

    /** Where it is not to double from there: in a hundred small processes one more is a hundred. */
    private static final int LEAST_RESTART = 3;

    private final int floor;
    /** How many are a good number at first, and after a long time without an attempt. It may change. */
    private volatile IntSupplier firstNow;

    private int first;
    private volatile int limit;
    private volatile int decided;
    /** Nothing was lost and nothing wanted, so there is nothing to count. */
    private volatile boolean calm = true;

    private volatile boolean wanted;
    private volatile long openAt;

    /** Guards what follows. An attempt that does not get it is left out; the next loss makes up for one that was. */
    private final ShortLock lock = new ShortLock();

    private final AtomicInteger missed = new AtomicInteger();
    private volatile long missedAt;
    private final UsualTime usual = new UsualTime();
    private final LossShare losses = new LossShare();
    private final Period period = new Period();
    private final Trial trial = new Trial();
    private final SteadyLosses steady = new SteadyLosses();
    private final ServedRow servedRow = new ServedRow();
    private final LossRow lossRow = new LossRow();
    private volatile int ceiling;
    /** The limit with its fraction. */
    private double exact;
    /** Up to here the limit doubles. */
    private double doubling;
    /** It has not been there since the last outage. The next one is perhaps its own doing. */
    private boolean regrowing;
    /** Attempts that were lost since the last judgement, and whose permits are held back. */
    private int heldBack;

    private boolean wasCut;
    private long cutAt;
    private long pauseNanos;
    /** The mean time of attempts that are served now. */
    private long attemptNanos;

    /** Since the last attempt that was lost or late. */
    private int servedInARow;

    private long lostAt;
    /** The end of the last attempt that was counted. */
    private long heardAt;

    /** A limit that begins at {@code first}. */
    public LossLimit(int floor, int first, int ceiling) {
        this(floor, () -> first, ceiling);
    }

    /** A limit that begins at what {@code first} says, and stays there until it knows better. */
    public LossLimit(int floor, IntSupplier first, int ceiling) {
        this.floor = floor;
        firstNow = first;
        this.first = first.getAsInt();
        this.ceiling = ceiling;
        doubling = ceiling;
        exact = this.first;
        limit = this.first;
        decided = this.first;
    }

    /** Other settings say from now on how many are a good number at first. */
    public void first(IntSupplier other) {
        int now = other.getAsInt();
        lock.lock();
        try {
            firstNow = other;
            follow(now);
        } finally {
            lock.unlock();
        }
    }

    /** Tells how long an attempt takes at most; asked when nobody else tells it. */
    public void attemptLimit(LongSupplier nanos) {
        lock.lock();
        try {
            usual.attemptLimit(nanos.getAsLong());
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
        return calm && !usual.isLate(nanos) && !usual.isSampled(nanos);
    }

    @Override
    public void served(long now, long nanos, int inFlight) {
        int firstOfNow = firstNow.getAsInt();
        if (!lock.tryLock()) {
            return;
        }
        try {
            follow(firstOfNow);
            boolean isLate = usual.isLate(nanos);
            if (calm && !isLate) {
                if (usual.isSampled(nanos)) {
                    losses.add(now, usual.each(), 0);
                    usual.learn(now, nanos, 1);
                }
                return;
            }
            if (isOld(now, nanos)) {
                return;
            }
            // Not the late one that ends a calm time: each such time has one, and the usual time would grow by it.
            if (!calm && nanos != 0) {
                period.time(nanos);
            }
            startCounting();
            if (beganAt(now, nanos) - heardAt >= IDLE_NANOS) {
                beginAnew(now);
            }
            heardAt = now;
            if (nanos != 0) {
                attemptNanos += (nanos - attemptNanos) / 8;
            }
            lossRow.end();
            pauseNanos = 0;
            if (isLate) {
                period.countLate();
                servedInARow = 0;
            } else {
                period.countInTime();
                servedInARow++;
            }
            servedRow.add(beganAt(now, nanos), isLate);
            period.ended(now, isLate ? fewOf(inFlight, nanos) : nanos, inFlight);
            judge(now, nanos);
        } finally {
            lock.unlock();
        }
    }

    /**
     * If it is not lost, its time counts: the mean of those alone that were served in time would be too short, and half of all attempts
     * could take twice that.
     */
    @Override
    public boolean cutShort(long now, long nanos) {
        if (usual.isTwice(nanos)) {
            return true;
        }
        if (nanos != 0 && lock.tryLock()) {
            try {
                long least = Math.max(nanos, usual.nanos());
                if (!calm) {
                    if (!isOld(now, nanos)) {
                        period.time(least);
                    }
                } else if (usual.isSampled(nanos)) {
                    usual.learn(now, least, 1);
                }
            } finally {
                lock.unlock();
            }
        }
        return false;
    }

    @Override
    public void dropped(long now, long nanos, int inFlight, DoubleSupplier random) {
        lost(now, nanos, inFlight, Ending.LOST, false, random);
    }

    @Override
    public void failed(long now, long nanos, int inFlight, DoubleSupplier random) {
        lost(now, nanos, inFlight, Ending.FAILED, false, random);
    }

    @Override
    public boolean isRefusedAtOnce(long nanos) {
        return nanos < usual.nanos();
    }

    @Override
    public void refused(long now, long nanos, int inFlight, DoubleSupplier random) {
        lost(now, nanos, inFlight, Ending.REFUSED, false, random);
    }

    @Override
    public void lostAgain(long now, long nanos, int inFlight, boolean dropped, DoubleSupplier random) {
        Ending ending = !dropped ? Ending.FAILED : isRefusedAtOnce(nanos) ? Ending.REFUSED : Ending.LOST;
        lost(now, nanos, inFlight, ending, true, random);
    }

    private void lost(long now, long nanos, int inFlight, Ending ending, boolean again, DoubleSupplier random) {
        boolean isLost = ending != Ending.FAILED;
        int firstOfNow = firstNow.getAsInt();
        if (!lock.tryLock()) {
            if (isLost && !again) {
                missed.getAndIncrement();
                missedAt = now;
            }
            return;
        }
        try {
            follow(firstOfNow);
            if (again && heardAt - (now - nanos) <= 0) {
                // Nothing that counts has ended since it began: its call may be alone, and has been counted.
                return;
            }
            startCounting();
            heardAt = now;
            if (isEarly(now, nanos)) {
                return;
            }
            int more = 1;
            if (isLost) {
                int others = missed.getAndSet(0);
                if (now - missedAt <= Math.max(nanos, SHORTEST_NANOS)) {
                    more += others;
                }
                losses.took(nanos);
                if (ending == Ending.LOST) { // what was refused is not in the dependency any more
                    heldBack += more;
                    show();
                }
            }
            if (isOld(now, nanos)) {
                return;
            }
            if (isLost) {
                period.countLost(more, ending == Ending.REFUSED);
                servedInARow = 0;
                servedRow.end();
                lostAt = now;
            }
            period.ended(now, fewOf(inFlight, nanos), inFlight);
            // Once it is that low, two refusals say that nothing is better.
            Ending inRow = ending == Ending.REFUSED && exact <= floor ? Ending.LOST : ending;
            long answer = isPausing() ? 0 : attempt();
            int rare = exact <= floor ? 1 : losses.rareRow();
            if (!again && lossRow.add(now, nanos, more, inRow, answer, rare)) {
                nothingComesBack(now, nanos, random);
            } else {
                judge(now, nanos);
            }
        } finally {
            lock.unlock();
        }
    }

    /** A limit that nothing has changed since it began is the new first one. Any other knows more of the dependency. */
    private void follow(int now) {
        if (now != first) {
            boolean untouched = exact == clamped(first); // the maximum may be less than this
            first = now;
            if (untouched) {
                exact = clamped(first);
                show();
            }
        }
    }

    /** From now on attempts are counted. */
    private void startCounting() {
        if (calm) {
            calm = false;
            attemptNanos = usual.nanos();
        }
    }

    private boolean isOld(long now, long nanos) {
        return wasCut && beganAt(now, nanos) - cutAt < 0;
    }

    /** Whether it began after the cut, and none that did can have been served yet: those that are refused at once would be all. */
    private boolean isEarly(long now, long nanos) {
        return wasCut && now - cutAt < attempt() && !isOld(now, nanos) && !isPausing();
    }

    /** Whether nothing but losses has come back since a pause: then nothing must come back for the time of an answer once more. */
    private boolean isPausing() {
        return pauseNanos != 0;
    }

    /** Of an attempt that nobody has timed: about. */
    private long beganAt(long now, long nanos) {
        return now - (nanos == 0 ? attempt() : nanos);
    }

    /** How long an attempt takes that is served. */
    private long attempt() {
        return Math.max(attemptNanos, usual.nanos());
    }

    /** Three attempts that end badly are most of those that a process with few calls has, and chance where there are many. */
    private static long fewOf(int inFlight, long nanos) {
        return inFlight <= FEW_ATTEMPTS ? nanos : 0;
    }

    private void nothingComesBack(long now, long nanos, DoubleSupplier random) {
        lossRow.end();
        if (isSteady(now, period.served(), period.lost())) {
            return;
        }
        boolean again = exact <= floor;
        if (!again) {
            steady.begin(exact, doubling, losses.usual());
        }
        halveDoubling();
        cut(now, floor);
        if (again) {
            pause(now, nanos, random);
        }
        trial.end();
    }

    /** After an outage the limit doubles up to half of what it was. */
    private void halveDoubling() {
        double half = Math.max(trial.limit(), exact) / 2;
        if (exact <= floor) {
            doubling = Math.max(doubling, half);
        } else {
            doubling = regrowing ? half : Math.max(doubling, half);
            regrowing = true;
        }
    }

    /**
     * Whether a share of the attempts hangs whatever the limit is: then it is put back. In a queue, those that are served are late,
     * too.
     */
    private boolean isSteady(long now, int served, int lost) {
        if (!steady.isOn() || !steady.isReduced(exact) || !steady.isFound(served, lost) || !lostOnesHang()) {
            return false;
        }
        losses.becomesUsual(steady.share());
        putBack(now, steady.limit(), steady.doubling());
        return true;
    }

    private void putBack(long now, double toLimit, double toDoubling) {
        cut(now, toLimit);
        doubling = toDoubling;
        trial.end();
        steady.end();
    }

    /** Not with a floor above one, which says that so many calls may always run. Each process has a pause of its own length. */
    private void pause(long now, long nanos, DoubleSupplier random) {
        if (floor == 1) {
            // What was given up has left work in the dependency. What failed at once has not, and each probe is cheap.
            long more = usual.isLong(nanos) ? pauseNanos : pauseNanos / 20;
            pauseNanos = pauseNanos == 0
                    ? Math.max(FIRST_PAUSE_NANOS, nanos)
                    : Math.min(pauseNanos + more, Math.max(LONGEST_PAUSE_NANOS, 2 * nanos));
            openAt = now + (long) (pauseNanos * (0.5 + random.getAsDouble()));
            limit = 0;
            decided = 0;
        }
    }

    private void judge(long now, long nanos) {
        int all = period.all();
        int bad = period.bad();
        // With a limit of one, one attempt that began after the last loss tells all that can be told.
        boolean alone = exact < 2 && servedInARow > 0 && beganAt(now, nanos) - lostAt >= 0;
        boolean known = alone
                || bad == 0
                || all >= LEAST
                || (losses.isUsual(period.lost(), all) && servedInARow >= FEW_ATTEMPTS)
                || (all >= FEW_ATTEMPTS && period.lost() == all);
        long shortest =
                period.isRefused() ? SHORTEST_OF_REFUSED_NANOS : bad == 0 ? SHORTEST_NANOS : bad == all ? nanos : 0;
        long attempt = alone ? nanos : attempt();
        if (all == 0 || !known || period.age(now) < Math.max(shortest, attempt)) {
            return;
        }
        losses.add(now, period.served(), period.lost());
        if (isSteady(now, period.served(), period.lost())) {
            return;
        }
        boolean nearlyAllAreBad = all >= LEAST && (period.inTime() == 0 || !losses.isUsual(bad, NEARLY_ALL, all));
        boolean isUsualTime = UsualTime.isUsual(period.late(), period.served());
        boolean fine = losses.isUsual() && !nearlyAllAreBad;
        boolean onlyLate = fine && trial.isOn() && all >= LEAST && !isUsualTime;
        losses.learn();
        if (fine) {
            // Half of those that only are late, so that a trial ends whatever they are late for.
            trial.fine(onlyLate ? all / 2 : all);
        } else {
            trial.notFine();
        }
        if (onlyLate && trial.helps((double) bad / all, attemptNanos, exact, floor)) {
            endPeriod(now);
            return;
        }
        if (!fine || (onlyLate && trial.isOn())) {
            trouble(now, nearlyAllAreBad || onlyLate ? Math.max(losses.lost(), (double) bad / all) : losses.lost());
            return;
        }
        if (period.timed() > 0 && isUsualTime) {
            usual.learn(now, period.meanNanos(), period.timed());
        }
        if ((bad == 0 || all >= LEAST) && !steady.isReduced(exact)) { // of fewer, it may be chance
            steady.end();
        }
        grow(now);
        calm = bad == 0 && !wanted && exact >= Math.min(first, ceiling);
        regrowing &= !calm;
        wanted = false;
        endPeriod(now);
    }

    private void trouble(long now, double share) {
        if (!trial.isOn()) {
            trial.begin(exact, doubling, share, attemptNanos);
        } else if (!losses.isMost() && trial.isSmall(exact, floor)) {
            if (!trial.isEnough(period.all(), exact)) {
                endPeriod(now);
                return;
            }
            if (trial.isNoBetter(share, attemptNanos)) {
                losses.becomesUsual(losses.lost());
                usual.becomes(now, Math.max(usual.nanos(), attemptNanos));
                putBack(now, trial.limit(), trial.doubling());
                return;
            }
        }
        steady.begin(exact, doubling, losses.usual());
        if (period.isRefused() && losses.isMost()) {
            halveDoubling();
        } else {
            doubling = exact > floor ? 0 : doubling;
        }
        if (losses.isMost()) {
            double inUse = Math.min(exact - heldBack, Math.max(period.mostInFlight(), 1));
            cut(now, inUse * Math.max(DEEPEST_CUT, 1 - share));
        } else {
            cut(now, exact * (1 - share / 2));
        }
    }

    private void grow(long now) {
        regrowing &= exact < doubling;
        if (wasCut && now - cutAt >= FORGETTING_NANOS) {
            doubling = ceiling;
        }
        if (wanted || exact < first) {
            if (exact <= 1) {
                exact = isProven(now) ? clamped(Math.max(LEAST_RESTART, Math.min(RESTART, doubling))) : exact;
            } else if (exact < doubling) {
                exact = clamped(Math.min(doubling, exact + period.inTime()));
            } else if (wasCut && now - cutAt < CAREFUL_NANOS && !lostOnesHang()) {
                boolean isInUse = period.mostInFlight() >= (int) exact;
                exact = isInUse ? stepUp(Math.min(period.inTime() / exact, period.age(now) / SECOND_NANOS)) : exact;
            } else if (period.mostInFlight() < (int) exact && exact < 2 * period.mostInFlight() + 2) {
                // What is not in use does no harm, and twice as many calls may come next. One step may go beyond that.
                exact = clamped(exact + period.inTime());
            } else {
                exact = stepUp(period.inTime() / exact);
            }
        }
    }

    private double stepUp(double by) {
        return clamped(exact + Math.max(GROWTH * exact, by));
    }

    /** Where no call waits, a limit of four lets no more through than one does. */
    private boolean isProven(long now) {
        boolean hangs = lostOnesHang() && losses.lostNanos() <= 2 * PROOF_NANOS;
        // Not what has become usual since the first cut: in an outage that goes on, that is the outage.
        double usual = steady.isOn() ? steady.usual() : losses.usual();
        return !wanted || !hangs || servedRow.nanos(now) >= LossShare.partOfProof(usual) * PROOF_NANOS;
    }

    private boolean lostOnesHang() {
        return losses.lostNanos() > HANGING_TIMES * attemptNanos;
    }

    private void cut(long now, double to) {
        losses.forget();
        wasCut = true;
        cutAt = now;
        exact = clamped(to);
        endPeriod(now);
    }

    private void endPeriod(long now) {
        period.end(now);
        heldBack = 0;
        show();
    }

    private double clamped(double wished) {
        return Math.max(floor, Math.min(ceiling, wished));
    }

    private void beginAnew(long now) {
        regrowing = false;
        if (exact < first) {
            exact = clamped(first);
            doubling = Math.max(doubling, exact);
            trial.end();
            steady.end();
            endPeriod(now);
        }
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
        int firstOfNow = firstNow.getAsInt();
        lock.lock();
        try {
            if (limit == 0 && now - openAt >= 0) {
                limit = (int) exact;
                decided = limit;
                if (now - openAt >= IDLE_NANOS) {
                    follow(firstOfNow);
                    beginAnew(now);
                }
            }
        } finally {
            lock.unlock();
        }
        return 0;
    }
}
