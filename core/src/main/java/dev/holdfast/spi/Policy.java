/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One layer of a pipeline. It is asked on the way in and on the way out of every call, and wraps nothing.
 *
 * <p>A policy only decides. It never sleeps, parks, schedules, reads a clock, starts a thread, runs user code or touches a
 * future, and does not know whether the call is blocking or asynchronous. Many threads call its methods at once, so they must
 * not block. A policy keeps its memory of one call in the {@link Passage}, never in itself: one policy may stand in several
 * layers and pipelines.
 *
 * <p>The life of a layer in a call: it is entered when {@link #enter} says proceed, or when its pause ends. Then {@link #settle}
 * comes once, and once more after each retry or await that it asks for; and {@link #ended} comes once, when the work is over: at
 * settle or later. If the call is given up during the wait of such a retry or await, {@link #abandon} comes before {@code ended}.
 * If the call is given up during the layer's own wait, or {@code enter} throws, it is {@link #abandon
 * abandoned} instead. If {@code enter} answers or rejects, neither happens. An exception of a policy becomes the call's
 * error, and the walk goes on. So release first, and compute then.
 */
public abstract class Policy {
    /** In {@link #hears}: {@link #enter}. */
    public static final int ENTER = 1;
    /** In {@link #hears}: {@link #settle} after a success. */
    public static final int SUCCESS = 2;
    /** In {@link #hears}: {@link #settle} after every other outcome. */
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
    public static final int PROCEED = 0;
    /** From {@link #settle}: leave the outcome as it is. */
    public static final int KEEP = 0;

    private final String name;
    private final int hears;

    /**
     * Declares the policy.
     *
     * @param name its kind, as in a configuration file: {@code circuit-breaker}
     * @param hears the methods to call, a sum of the constants above; the others cost nothing. {@link #abandon} needs no constant
     */
    protected Policy(String name, int hears) {
        if (Objects.requireNonNull(name, "the name of a policy is null").isEmpty()) {
            throw new IllegalArgumentException("the name of a policy is empty");
        }
        this.name = name;
        this.hears = hears;
    }

    /** The kind of the policy, as in a configuration file. */
    public final String name() {
        return name;
    }

    /** The methods to call, a sum of the constants above. */
    public final int hears() {
        return hears;
    }

    /**
     * On the way in: {@link #PROCEED}, or a decision of the passage. Asked again after an await. An
     * {@link InterruptedException} out of it gives up the call, as an interrupt of a wait does.
     */
    public int enter(Passage passage) {
        return PROCEED;
    }

    /** On the way out: {@link #KEEP}, or a decision of the passage. Called once for each entry, and once more after each retry. */
    public int settle(Passage passage) {
        return KEEP;
    }

    /**
     * The call was given up while this layer waited, or {@link #enter} threw. Release what the layer asked for. If there is no
     * thread to go on with ({@code EXECUTOR_FULL}, {@code CLOSED}), the layer may still {@link Passage#answer answer} with what it
     * has at hand.
     */
    public void abandon(Passage passage) {}

    /**
     * The work of this entry is over: at settle, or later if the outcome was decided before. Called once for each entry. For
     * work that holds the thread of its call beyond {@link #lease}, it comes on another thread, and before settle.
     */
    public void ended(Passage passage) {}

    /** A suspension further in has ended and the attempt is about to start: {@link #PROCEED}, or reject after all. */
    public int stillAdmits(Passage passage) {
        return PROCEED;
    }

    /**
     * An attempt inside this layer is about to start. {@link Passage#remaining} is the attempt's time, with limits further
     * in. The call is still on the way in. Makes no decision.
     */
    public void attemptStarts(Passage passage) {}

    /**
     * That attempt is over, or was not made after all, and the call goes on. An attempt that blocks its thread and ignores
     * its limit is over when it returns.
     */
    public void attemptEnds(Passage passage) {}

    /**
     * An attempt inside this layer has run longer than {@link Passage.Beside#overdueAfter} said, and still runs. Called at
     * most once for each entry, a few hundredths of a second late at most, on another thread than the call's: the timer's, which all limits of the JVM
     * need, so it must not block. If the call
     * settles this layer at the same moment, {@link Passage.Beside#overdue} is true there.
     *
     * @param slot the layer's {@link Passage#slot() slot} when the attempt started
     * @param now the time, in the nanoseconds of the pipeline's source
     */
    public void overdue(long slot, long now) {}

    /**
     * Whether {@link #overdue} would run user code now. A timer's thread must not run it, so {@code overdue} is then called
     * on another one of the pipeline.
     */
    public boolean overdueRunsUserCode() {
        return false;
    }

    /** An attempt that {@link #hedge} allowed has begun. On any thread. */
    public void hedgeBegun() {}

    /**
     * An attempt that {@link #hedge} allowed was not made: the call had ended, no thread was free for it, or a layer further
     * in rejected it. On any thread.
     *
     * @param now the time, in the nanoseconds of the pipeline's source
     * @param begun whether {@link #hedgeBegun} was told before: another pipeline inside its action rejected it, or it was given up in
     *     that moment
     */
    public void hedgeNotMade(long now, boolean begun) {}

    /**
     * Whether another attempt may start beside a slow one, which has run as long as {@link Passage.Beside#hedgeAfter} said
     * and still runs. Called on the timer's thread, and must not block.
     *
     * @param hedges how many attempts have been started beside it
     * @param now the time, in the nanoseconds of the pipeline's source
     * @return {@link #NO_HEDGE}: do not start one; else start one, and ask again after this many nanoseconds; {@link
     *     Long#MAX_VALUE}: do not ask again
     */
    public long hedge(int hedges, long now) {
        return NO_HEDGE;
    }

    /**
     * Nanoseconds after which {@link #ended} is called for work that does not end although its outcome was decided; {@link
     * Long#MAX_VALUE}: never.
     */
    public long lease() {
        return Long.MAX_VALUE;
    }

    /**
     * Nanoseconds after which everything inside this layer is given up at the latest; {@link Long#MAX_VALUE}: the policy sets
     * no limit. Other layers read it in {@link #beside}.
     */
    public long longest() {
        return Long.MAX_VALUE;
    }

    /**
     * Nanoseconds after the last call for which it still matters what has happened: a bucket is not full again, a breaker is open.
     * A keyed pipeline that nobody uses is kept for at least so long, because the next one of its key begins anew. Asked again and
     * again while nobody uses it, so a policy may say 0 once it is as a new one would be. Default 0.
     */
    public long remembers() {
        return 0;
    }

    /**
     * The number of dedicated threads for the attempts inside this layer; 0: they run on the caller's thread. On dedicated
     * threads, work that ignores its interrupt does not hold the caller. The pipeline makes and ends the threads.
     */
    public int dedicatedThreads() {
        return 0;
    }

    /**
     * Whether this layer may answer when the layers inside it have failed. A call that has inherited its limit from an outer
     * call then ends a little before this limit, so that the answer is still in time for the outer call.
     */
    public boolean mayAnswer() {
        return false;
    }

    /**
     * The attempts whose time this policy must know ({@link Passage#actionNanos}, {@link Passage#valueNanos}, {@link
     * Passage#cutShort}); default {@link Timing#EVERY}. If no policy, observer or limit asks, a pipeline saves the two looks at the
     * clock.
     */
    public Timing timing() {
        return Timing.EVERY;
    }

    /**
     * Receives the name and the time of each pipeline that it is built into, before any call. For engines that need a clock of
     * their own.
     */
    public void bind(String pipeline, TimeSource time) {}

    /**
     * Receives the name and the policies of each pipeline that it is built into, the first outermost, before any call; again when
     * they are replaced; and those before once more, if another policy refuses that.
     */
    public void beside(String pipeline, List<Policy> policies) {}

    /**
     * Takes over from the policy of the same kind whose place this one takes in a pipeline that is in use: its permits, its
     * tokens, its values, what it has measured. Called before the first call of this policy, while calls of the other may still
     * run, and once for each pipeline that has both. Default: it takes over nothing.
     *
     * @param previous of the same {@link #name}, and not necessarily of the same class
     */
    public void takeOver(Policy previous) {}

    /**
     * Whether others are bound by what this policy counts: it decides with an object that other code uses, too. Such a policy
     * cannot be in shadow. Default false.
     */
    public boolean bindsOthers() {
        return false;
    }

    /**
     * What it decides with: this policy itself, or the object of other code, if it is only a way to it. A pipeline that has the
     * same twice has the same policy twice. Compared by identity.
     */
    public Object decidesWith() {
        return this;
    }

    /**
     * Hears that it is in shadow now, in the place of a policy of the same kind that was active there until now. It takes nothing
     * over: calls that have begun count in the other one. Called before its first call. Default: nothing; a policy whose values
     * code can remove lets such a removal reach both.
     *
     * @param active of the same {@link #name}, and not necessarily of the same class
     */
    public void shadows(Policy active) {}

    /**
     * The settings as a configuration file has them, by name: numbers, truth values, {@code Duration}s and words. Default: none,
     * for a policy whose settings no file has.
     */
    public Map<String, Object> settingsMap() {
        return Map.of();
    }

    /** Declares the gauges and totals of the policy. */
    public void meters(Meters meters) {}

    /**
     * Facts that an operator should know about how the policy was made, one sentence each. Each begins with the name of its rule
     * and a colon, {@code chaos-enabled: …}, so that it can be silenced.
     */
    public List<String> warnings() {
        return List.of();
    }

    @Override
    public String toString() {
        return name;
    }
}
