/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import com.netflix.concurrency.limits.Limit;
import java.util.function.IntFunction;

/**
 * Computes from the costs of calls how many may run at once. It has an algorithm that compares the costs with a base, and it
 * measures the base. Used by one thread at a time.
 *
 * <p>Calls cost more for two reasons: too many of them run, or something else has changed. Both look the same. A limit that
 * takes the second reason for the first shrinks, sees that nothing got better, and shrinks again. So when the algorithm has
 * taken a part of the limit away, the rule makes a trial. It holds the limit until the cost of calls is known. Then it cuts
 * the limit to half of the calls in flight until the cost is known again. If the cost is about the same, it becomes the new
 * base, and the limit returns to its old value.
 *
 * <p>While the limit is not reached, the base slowly follows the cost of calls. While the limit is reached, the base is
 * measured anew from time to time, at a somewhat lower limit. There the algorithm's own queue is gone.
 */
final class LimitRule {
    private static final double LEARNING_NANOS = 60e9;

    private static final double RECENT_NANOS = 5e9;

    /** So the mean of the last seconds covers many calls even if few arrive. */
    private static final double RECENT_SHARE = 1.0 / 30;

    /** The base is at most this many times the cost of calls in the last seconds. Chance adds less than this. */
    private static final double MARGIN = 1.1;

    /** With a larger share of drops, the costs say nothing about a good day. */
    private static final double FEW = 0.1;

    /** With a larger share of drops the dependency is overloaded or down, and a smaller limit is right in any case. */
    private static final double MOST = 0.5;

    /** If a limit falls below this part of the last fine limit, the trial starts. */
    private static final double TRIED_BELOW = 0.8;

    private static final double CUT = 0.5;
    private static final double DRAIN = 0.85;
    private static final double ACCURACY = 0.07;
    private static final double DRAIN_ACCURACY = 0.03;
    private static final long LONGEST_NANOS = 5_000_000_000L;

    /** The base is measured anew after this time at first. The time doubles each time, up to the last. */
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
    /** The cost of calls in the last seconds; unknown at first. */
    private double recent = Double.NaN;

    private Stage stage;
    /** The limit in all stages except {@link Stage#FREE}. */
    private int still;
    /** The limit when the trial began. */
    private int held;
    /** The limit at which all was fine; it falls slowly if the limit stays lower. */
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
     * @param algorithms makes an algorithm that starts at a limit and knows the base
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

    /** Whether calls that end now still show the limit before its last change, and are left out. */
    boolean isSettling(long nanos) {
        return stage != Stage.NEW && stage != Stage.FREE && nanos - stageStart < settling;
    }

    /** The cost of a call. */
    double cost(long nanos, boolean drop) {
        return law.cost(nanos, drop, base);
    }

    /** Gets the calls of a window, and whether at least half of the limit was in use. */
    void heed(Samples window, boolean inUse) {
        switch (stage) {
            // The slow ones of the first calls have not ended yet, so the others give no base.
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

    /** No queue explains a cost below the base, so it is soon believed. A queue that we made may explain a higher cost. */
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
        // Calls that were running when the limit changed show the limit before.
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
            end(base, held); // the smaller limit has helped already
        } else {
            before.clear();
            before.addAll(now);
            begin(window, Stage.CUT, cut);
        }
    }

    /** If the load is the reason, the cost falls in proportion to the number of calls, or to that of a good day. */
    private void judge() {
        double share = now.meanInFlight() / before.meanInFlight();
        if (share > DRAIN) {
            end(base, held); // the number of calls did not fall: nothing is known
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
