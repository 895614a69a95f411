/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.util.List;

/**
 * One layer of a pipeline: asked on the way in and on the way out of every call, and wraps nothing.
 *
 * <p>A policy decides and does not do: it never sleeps, parks, schedules, reads a clock, starts a thread, runs user code
 * or touches a future, and does not know whether the call is blocking or asynchronous. Its methods are called by many
 * threads at once and must not block. What it remembers of one call it keeps in the {@link Passage}, never in itself; one
 * policy may sit in several layers and pipelines.
 *
 * <p>The life of a layer in a call: {@link #enter} says proceed (or its pause elapses), and the layer is entered: it is
 * settled exactly once. Given up while its own wait went on, or {@code enter} threw: it is {@link #abandon abandoned}
 * instead. {@code enter} answered or rejected: neither. An exception thrown by a policy becomes the call's error, and the
 * walk goes on; so release first, and compute then.
 */
public abstract class Policy {
    /** In {@link #hears}: {@link #enter}. */
    public static final int ENTER = 1;
    /** In {@link #hears}: {@link #settle} after a success. */
    public static final int SUCCESS = 2;
    /** In {@link #hears}: {@link #settle} after anything else. */
    public static final int FAILURE = 4;
    /** In {@link #hears}: {@link #ended}. */
    public static final int ENDED = 8;
    /** In {@link #hears}: {@link #stillAdmits}. */
    public static final int STILL_ADMITS = 16;

    /** In {@link #hears}: {@link #overdue}. */
    public static final int OVERDUE = 32;

    /** In {@link #hears}: {@link #hedge}. One layer of a pipeline at most. */
    public static final int HEDGE = 64;

    /** In {@link #hears}: {@link #attemptStarts} and {@link #attemptEnds}. */
    public static final int ATTEMPTS = 128;

    /** In {@link #hears}: the fallback of a call or its operation, {@link Passage#fallback}. */
    public static final int OWN_FALLBACK = 256;

    /** Which attempts are measured. */
    public enum Timing {
        /** All: for a policy that asks for {@link Passage#actionNanos}. */
        EVERY,
        /**
         * Those under a limit, and a sample of the others, about one in sixteen: for a policy that asks for {@link
         * Passage#cutShort} alone.
         */
        SOME,
        /** None: for a policy that asks for neither. */
        NONE
    }

    /** From {@link #hedge}: start no other attempt. */
    public static final long NO_HEDGE = -1;

    /** From {@link #enter} and {@link #stillAdmits}: go on. */
    protected static final int PROCEED = 0;
    /** From {@link #settle}: leave the outcome as it is. */
    protected static final int KEEP = 0;

    private final String name;
    private final int hears;

    /**
     * Declares the policy.
     *
     * @param name its kind, as in a configuration file: {@code circuit-breaker}
     * @param hears which methods are to be called, a sum of the constants above; the others cost nothing
     */
    protected Policy(String name, int hears) {
        this.name = name;
        this.hears = hears;
    }

    /** The kind of the policy, as in a configuration file. */
    public final String name() {
        return name;
    }

    /** Which methods are to be called. */
    public final int hears() {
        return hears;
    }

    /** On the way in: {@link #PROCEED}, or a decision of the passage. Asked again after an await. */
    public int enter(Passage passage) {
        return PROCEED;
    }

    /** On the way out: {@link #KEEP}, or a decision of the passage. Exactly once an entry, and once more after each retry. */
    public int settle(Passage passage) {
        return KEEP;
    }

    /** The call was given up while this layer waited, or {@link #enter} threw: take back what was asked for. */
    public void abandon(Passage passage) {}

    /** The work of this entry is over: at settle, or later if the outcome was decided before the work ended. Once an entry. */
    public void ended(Passage passage) {}

    /** A suspension further in has ended and the attempt is about to start: {@link #PROCEED}, or reject after all. */
    public int stillAdmits(Passage passage) {
        return PROCEED;
    }

    /**
     * An attempt inside this layer is about to start: {@link Passage#remaining} is the time that it has, limits further in
     * included. On the way in still; makes no decision.
     */
    public void attemptStarts(Passage passage) {}

    /**
     * That attempt is over, or was not made after all: the call goes on. An attempt that blocks its thread and ignores its
     * limit is over when it returns.
     */
    public void attemptEnds(Passage passage) {}

    /**
     * An attempt inside this layer has run for longer than {@link Passage.Beside#overdueAfter} said, and still runs. At most once
     * an entry, a few hundredths of a second late at most; on another thread than the call's, which may be settling this
     * layer at the same moment: then {@link Passage.Beside#overdue} says so there.
     *
     * @param slot what the layer's {@link Passage#slot() slot} held when the attempt started
     * @param now the time, in the nanoseconds of the pipeline's source
     */
    public void overdue(long slot, long now) {}

    /**
     * Whether {@link #overdue} would run code of the user's at this moment, which is not for a timer's thread: then it is
     * called on the pipeline's executor.
     */
    public boolean overdueRunsUserCode() {
        return false;
    }

    /**
     * An attempt that {@link #hedge} allowed was not made: the call had ended meanwhile, no thread was free for it, or a layer
     * further in turned it away. On any thread.
     *
     * @param now the time, in the nanoseconds of the pipeline's source
     */
    public void hedgeNotMade(long now) {}

    /**
     * An attempt inside this layer has run for as long as {@link Passage.Beside#hedgeAfter} said, and still runs: may another one be
     * started beside it? On another thread than the call's.
     *
     * @param hedges how many have been started beside it
     * @param now the time, in the nanoseconds of the pipeline's source
     * @return {@link #NO_HEDGE}; or if one is to be started, after how many nanoseconds more the question is to be asked
     *     again, {@link Long#MAX_VALUE}: not any more
     */
    public long hedge(int hedges, long now) {
        return NO_HEDGE;
    }

    /** After how many nanoseconds {@link #ended} is called for work that goes on and on; {@link Long#MAX_VALUE}: never. */
    public long lease() {
        return Long.MAX_VALUE;
    }

    /**
     * After how many nanoseconds at the latest everything inside this layer is given up; {@link Long#MAX_VALUE}: the policy
     * sets no limit. For other layers, which ask when they are told what they stand {@linkplain #beside beside}.
     */
    public long longest() {
        return Long.MAX_VALUE;
    }

    /**
     * On how many threads of their own the attempts inside this layer run, so that work which ignores its interrupt holds
     * nobody; 0: on the thread of the caller. The pipeline makes and ends them.
     */
    public int dedicatedThreads() {
        return 0;
    }

    /**
     * Whether this layer may answer where what is inside it has failed. Then a call that has inherited its limit from a call
     * further out ends a little sooner than that, so that the answer is still in time for it.
     */
    public boolean mayAnswer() {
        return false;
    }

    /**
     * Of which attempts this policy must know how long they took ({@link Passage#actionNanos}, {@link Passage#cutShort}); default
     * {@link Timing#EVERY}. Where no policy, observer or limit asks, a pipeline saves the two looks at the clock.
     */
    public Timing timing() {
        return Timing.EVERY;
    }

    /** Told the time of each pipeline that it is built into, before any call. For engines that need a clock of their own. */
    public void bind(TimeSource time) {}

    /** Told what it stands beside in each pipeline that it is built into, the first outermost, before any call. */
    public void beside(List<Policy> policies) {}

    /** Declares what the policy can be asked for at any time. */
    public void meters(Meters meters) {}

    /** Something that an operator should know about how the policy was made, one sentence each. */
    public List<String> warnings() {
        return List.of();
    }

    @Override
    public String toString() {
        return name;
    }
}
