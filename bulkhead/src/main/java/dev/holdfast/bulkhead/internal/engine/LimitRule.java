/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import com.netflix.concurrency.limits.Limit;
import java.util.function.IntFunction;

/**
 * Says from how calls went how many may run at once: as an algorithm does that compares it with a base, and it finds out what
 * that base is. Heard of by one thread at a time.
 *
 * <p>What calls cost more than before may be because too many of them run, or for a reason that has nothing to do with it. The
 * two look the same, and a limit that takes the second for the first shrinks, sees that nothing got better, and shrinks
 * again. So when the algorithm has taken a part of the limit away, it is tried whether that helps: the limit is held until it
 * is known what calls cost, then cut to half of what is in flight until it is known again. If they cost about as much as
 * before, that is the new base, and the limit goes back to where it was.
 *
 * <p>While the limit is not reached, the base follows slowly what calls cost. While it is, it is measured anew now and then at
 * a somewhat lower limit, at which the queue that the algorithm holds itself is gone.
 */
final class LimitRule {
    private static final double LEARNING_NANOS = 60e9;

    private static final double RECENT_NANOS = 5e9;

    /** So that the mean of the last seconds is one of many calls also where few come. */
    private static final double RECENT_SHARE = 1.0 / 30;

    /** The base is at most so many times what calls cost in the last seconds: more than chance makes of that. */
    private static final double MARGIN = 1.1;

    /** More drops than this say nothing of what calls cost on a good day. */
    private static final double FEW = 0.1;

    /** With more drops than this the dependency is overwhelmed or gone, and less is right in any case. */
    private static final double MOST = 0.5;

    /** Below this part of where it was when all was fine, a limit is tried. */
    private static final double TRIED_BELOW = 0.8;

    private static final double CUT = 0.5;
    private static final double DRAIN = 0.85;
    private static final double ACCURACY = 0.07;
    private static final double DRAIN_ACCURACY = 0.03;
    private static final long LONGEST_NANOS = 5_000_000_000L;

    /** Measured anew after so long at first, then after twice as long, up to the last. */
    private static final long FIRST_DRAIN_NANOS = 2_000_000_000L;

    private static final long LAST_DRAIN_NANOS = 60_000_000_000L;

    private enum Stage {
        NEW,
        FREE,
        HELD,
        CUT,
        DRAINED
    }

    private final Law law;
    private final IntFunction<Limit> algorithms;
    private final int floor;
    private Limit algorithm;
    private double base;
    /** What calls cost in the last seconds; not known at first. */
    private double recent = Double.NaN;

    private Stage stage;
    /** The limit while it is not {@link Stage#FREE}. */
    private int still;
    /** The limit when the trial began. */
    private int held;
    /** The limit at which all was fine, or a little below after a long time. */
    private double fine;

    private long stageStart;
    private double settling;
    private final Samples now = new Samples();
    private final Samples before = new Samples();

    private long reachedNanos;
    private long drainAfter = FIRST_DRAIN_NANOS;

    /**
     * Starts at a limit.
     *
     * @param algorithms made for a limit, and told of the base
     */
    LimitRule(Law law, IntFunction<Limit> algorithms, int initial, int floor) {
        this.law = law;
        this.algorithms = algorithms;
        algorithm = algorithms.apply(initial);
        this.floor = floor;
        base = law.firstBase();
        held = algorithm.getLimit();
        still = held;
        fine = held;
        stage = Double.isNaN(base) ? Stage.NEW : Stage.FREE;
    }

    /** The limit now. */
    int limit() {
        return stage == Stage.FREE ? algorithm.getLimit() : still;
    }

    /** Whether calls that end now say something of how things were before the limit changed, and are to be left out. */
    boolean isSettling(long nanos) {
        return stage != Stage.NEW && stage != Stage.FREE && nanos - stageStart < settling;
    }

    /** As what a call counts. */
    double cost(long nanos, boolean drop) {
        return law.cost(nanos, drop, base);
    }

    /** Hears of a window's calls, and whether at least half of the limit was in use. */
    void heed(Samples window, boolean inUse) {
        switch (stage) {
            // Of the first calls those that take long have not ended yet: what the others took is no base.
            case NEW -> begin(window, Stage.HELD, held);
            case FREE -> adapt(window, inUse);
            default -> measure(window);
        }
    }

    private void adapt(Samples window, boolean inUse) {
        int limit = algorithm.getLimit();
        boolean reached = window.mostInFlight() >= limit;
        boolean shrinks = limit > floor;
        if (window.droppedShare() < FEW) {
            learn(window, !reached || !shrinks);
        }
        if (!inUse) {
            reachedNanos = 0;
            return;
        }
        law.heed(algorithm, window, base);
        int next = algorithm.getLimit();
        if (next >= limit) {
            fine = Math.max(next, fine - (fine - next) / 10);
        }
        reachedNanos = reached ? reachedNanos + window.lastedNanos() : 0;
        if (next > floor && !Double.isNaN(base)) {
            tryWhetherItIsUs(window, next);
        }
    }

    private void tryWhetherItIsUs(Samples window, int limit) {
        if (limit < TRIED_BELOW * fine && window.droppedShare() < MOST) {
            begin(window, Stage.HELD, limit);
        } else if (law.keepsQueue() && reachedNanos >= drainAfter) {
            begin(window, Stage.DRAINED, Math.max(floor, (int) (DRAIN * window.meanInFlight())));
        }
    }

    /** What calls cost less than the base is soon known to be no queue; what they cost more may be one that we made. */
    private void learn(Samples window, boolean upwards) {
        double cost = window.mean();
        if (Double.isNaN(base)) {
            base = cost;
        } else if (upwards) {
            base += (cost - base) * Math.min(1, window.lastedNanos() / LEARNING_NANOS);
        }
        if (Double.isNaN(recent)) {
            recent = cost;
        }
        recent += (cost - recent) * Math.min(RECENT_SHARE, window.lastedNanos() / RECENT_NANOS);
        base = Math.min(base, MARGIN * recent);
    }

    private void begin(Samples window, Stage next, int limit) {
        if (stage == Stage.FREE) {
            held = algorithm.getLimit();
        }
        stage = next;
        still = limit;
        stageStart = window.endNanos();
        // What was under way when the limit changed says something of the limit before.
        settling = Math.min(LONGEST_NANOS, 2 * window.meanNanos());
        now.clear();
    }

    private void measure(Samples window) {
        if (window.droppedShare() > MOST) {
            end(base, still);
            return;
        }
        now.addAll(window);
        boolean known = law.certain(now, stage == Stage.DRAINED ? DRAIN_ACCURACY : ACCURACY);
        if (known || window.endNanos() - stageStart - settling >= LONGEST_NANOS) {
            switch (stage) {
                case HELD -> heldLongEnough(window);
                case CUT -> judge();
                default -> end(now.mean(), held);
            }
        }
    }

    private void heldLongEnough(Samples window) {
        int cut = Math.max(floor, (int) (CUT * now.meanInFlight()));
        boolean first = Double.isNaN(base);
        if (first || cut > DRAIN * now.meanInFlight()) {
            end(now.mean(), held);
        } else if (law.isFine(now.mean(), base)) {
            end(base, held); // it has helped already
        } else {
            before.clear();
            before.addAll(now);
            begin(window, Stage.CUT, cut);
        }
    }

    /** If it is the load, calls cost as much less as there are fewer of them, or as little as on a good day. */
    private void judge() {
        double share = now.meanInFlight() / before.meanInFlight();
        if (share > DRAIN) {
            end(base, held); // there were no fewer: nothing is known
            return;
        }
        double expected = Math.max(base, share * before.mean());
        if (now.mean() < (before.mean() + expected) / 2) {
            double lower = Math.min(base, now.mean());
            end(lower, Math.max(still, (int) law.bearable(before, lower, held)));
        } else {
            end(now.mean(), (int) law.needed(Math.max(held, fine), base, now.mean()));
        }
    }

    private void end(double newBase, int limit) {
        drainAfter = Math.min(2 * drainAfter, LAST_DRAIN_NANOS);
        base = newBase;
        recent = newBase;
        stage = Stage.FREE;
        algorithm = algorithms.apply(limit);
        fine = algorithm.getLimit();
        reachedNanos = 0;
    }
}
