/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Stands in a pipeline in the place of another policy, asks that policy everything, and checks the life of the layer in every
 * call: entered, then settled once and ended once; or abandoned once; or rejected or answered, and then nothing more.
 *
 * <p>It hears the life of each entry, and whatever else the other policy hears, and passes on what the other policy hears. It has
 * the other policy's name, and the pipeline takes it for the other policy: its state, its budget and what {@code Pipeline.policy}
 * finds are those of the other one. Safe for any number of threads. Problems are kept until {@link #assertSound()}.
 */
public final class SpyPolicy extends Policy implements AroundPolicy {
    private static final int ALL = ENTER | SUCCESS | FAILURE | ENDED | STILL_ADMITS;

    private final Policy policy;
    private final Set<Life> open = ConcurrentHashMap.newKeySet();
    private final Queue<String> wrongs = new ConcurrentLinkedQueue<>();
    private volatile boolean breaksPauses;

    private final AtomicLong entries = new AtomicLong();
    private final AtomicLong settlements = new AtomicLong();
    private final AtomicLong ends = new AtomicLong();
    private final AtomicLong abandonments = new AtomicLong();

    private SpyPolicy(Policy policy) {
        // Also ALL: only some layers of a pipeline may hear HEDGE or OVERDUE, so the spy hears these if the policy
        // does.
        super(policy.name(), ALL | policy.hears());
        this.policy = policy;
    }

    /** A spy in the place of this policy. */
    public static SpyPolicy around(Policy policy) {
        return new SpyPolicy(policy);
    }

    /** A spy that lets everything through, to look at a place of a pipeline. */
    public static SpyPolicy named(String name) {
        return new SpyPolicy(new Policy(name, 0) {});
    }

    /** Whether each pause of the policy ends at once, as if the call had no time left after it. */
    void breaksPauses(boolean value) {
        breaksPauses = value;
    }

    /** The policy that the spy stands for. */
    @Override
    public Policy policy() {
        return policy;
    }

    @Override
    public boolean onlyLooks() {
        return true;
    }

    /** How often the layer was asked to let a call in; asking again after an await is not counted. */
    public long entries() {
        return entries.get();
    }

    /** How often the layer was settled, a settle after each retry included. */
    public long settlements() {
        return settlements.get();
    }

    /** How often the work of an entry was over. */
    public long ends() {
        return ends.get();
    }

    /** How often a wait of the layer was given up. */
    public long abandonments() {
        return abandonments.get();
    }

    /** How many entries are not over. */
    public int open() {
        return open.size();
    }

    /** Asserts that nothing has gone wrong so far. Calls may still be under way. */
    public void assertSound() {
        assertThat(wrongs).as("what went wrong in the life of '%s'", name()).isEmpty();
    }

    /** Asserts that nothing has gone wrong, and that every entry is over. */
    public void assertOver() {
        assertSound();
        assertThat(open).as("entries of '%s' that are not over", name()).isEmpty();
    }

    @Override
    public int enter(Passage passage) {
        Life life = passage.object() instanceof Life known ? known : begin(Life.State.AWAITING, null);
        passage.object(life);
        check(life, "entered", life.move(Life.State.ENTERING, Life.State.AWAITING));
        SpyPassage seen = new SpyPassage(passage, life, this::forked);
        int decision = hears(ENTER) ? policy.enter(seen) : PROCEED;
        over(life, seen);
        if (decision == PROCEED) {
            returned(life, "enter", seen);
            life.set(Life.State.ENTERED);
            return decision;
        }
        switch (seen.said()) {
            case PAUSE -> {
                life.set(Life.State.PAUSED);
                if (breaksPauses) {
                    throw new ThrownOnPurpose("the pause of " + name() + " is broken off");
                }
            }
            case AWAIT -> life.set(Life.State.AWAITING);
            default -> {
                life.set(Life.State.TURNED);
                open.remove(life);
            }
        }
        return decision;
    }

    @Override
    public int settle(Passage passage) {
        settlements.incrementAndGet();
        Life life = life(passage, "settled");
        check(
                life,
                "settled",
                life.move(
                        Life.State.SETTLED,
                        Life.State.ENTERED,
                        Life.State.PAUSED,
                        Life.State.RETRYING,
                        Life.State.SETTLING));
        if (!hears(passage.outcome() == Outcome.SUCCESS ? SUCCESS : FAILURE)) {
            return KEEP;
        }
        SpyPassage seen = new SpyPassage(passage, life, this::forked);
        int decision = policy.settle(seen);
        over(life, seen);
        if (decision == KEEP) {
            returned(life, "settle", seen);
        } else {
            switch (seen.said()) {
                case RETRY -> life.set(Life.State.RETRYING);
                case AWAIT, STAGE -> life.set(Life.State.SETTLING);
                default -> {}
            }
        }
        return decision;
    }

    @Override
    public void abandon(Passage passage) {
        abandonments.incrementAndGet();
        Life life = life(passage, "abandoned");
        check(
                life,
                "abandoned",
                life.move(
                        Life.State.ABANDONED,
                        Life.State.ENTERING,
                        Life.State.PAUSED,
                        Life.State.AWAITING,
                        Life.State.RETRYING,
                        Life.State.SETTLING));
        open.remove(life);
        told(life, "abandon", passage, policy::abandon);
    }

    @Override
    public void ended(Passage passage) {
        ends.incrementAndGet();
        Life life = life(passage, "ended");
        check(life, "ended", life.end(passage.writtenOff()));
        open.remove(life);
        if (hears(ENDED)) {
            told(life, "ended", passage, policy::ended);
        }
    }

    @Override
    public int stillAdmits(Passage passage) {
        if (!hears(STILL_ADMITS)) {
            return PROCEED;
        }
        Life life = life(passage, "asked again");
        SpyPassage seen = new SpyPassage(passage, life, this::forked);
        int decision = policy.stillAdmits(seen);
        over(life, seen);
        if (decision == PROCEED) {
            returned(life, "stillAdmits", seen);
        }
        return decision;
    }

    @Override
    public void attemptStarts(Passage passage) {
        told(life(passage, "told of an attempt"), "attemptStarts", passage, policy::attemptStarts);
    }

    @Override
    public void attemptEnds(Passage passage) {
        told(life(passage, "told of an attempt's end"), "attemptEnds", passage, policy::attemptEnds);
    }

    @Override
    public long lease() {
        return policy.lease();
    }

    @Override
    public void overdue(long slot, long now) {
        policy.overdue(slot, now);
    }

    @Override
    public boolean overdueRunsUserCode() {
        return policy.overdueRunsUserCode();
    }

    @Override
    public boolean bindsOthers() {
        return policy.bindsOthers();
    }

    @Override
    public Object decidesWith() {
        return policy.decidesWith();
    }

    @Override
    public long hedge(int hedges, long now) {
        return policy.hedge(hedges, now);
    }

    @Override
    public void hedgeBegun() {
        policy.hedgeBegun();
    }

    @Override
    public void hedgeNotMade(long now, boolean begun) {
        policy.hedgeNotMade(now, begun);
    }

    @Override
    public long remembers() {
        return policy.remembers();
    }

    @Override
    public Map<String, Object> settingsMap() {
        return policy.settingsMap();
    }

    @Override
    public void beside(String pipeline, List<Policy> policies) {
        policy.beside(pipeline, policies);
    }

    @Override
    public void takeOver(Policy previous) {
        policy.takeOver(previous);
    }

    @Override
    public void shadows(Policy active) {
        policy.shadows(active);
    }

    @Override
    public Timing timing() {
        return policy.timing();
    }

    @Override
    public boolean mayAnswer() {
        return policy.mayAnswer();
    }

    @Override
    public long longest() {
        return policy.longest();
    }

    @Override
    public int dedicatedThreads() {
        return policy.dedicatedThreads();
    }

    @Override
    public void bind(String pipeline, TimeSource time) {
        policy.bind(pipeline, time);
    }

    @Override
    public void meters(Meters meters) {
        policy.meters(meters);
    }

    @Override
    public List<String> warnings() {
        return policy.warnings();
    }

    private boolean hears(int what) {
        return (policy.hears() & what) != 0;
    }

    private Life forked(Object object) {
        return begin(Life.State.ENTERED, object);
    }

    private Life begin(Life.State state, @Nullable Object object) {
        Life life = new Life(entries.incrementAndGet(), state, object);
        open.add(life);
        return life;
    }

    private Life life(Passage passage, String what) {
        if (passage.object() instanceof Life life) {
            return life;
        }
        wrongs.add(what + " without an entry");
        return new Life(-1, Life.State.ENTERED, null);
    }

    private void told(Life life, String method, Passage passage, Consumer<Passage> asked) {
        SpyPassage seen = new SpyPassage(passage, life, this::forked);
        try {
            asked.accept(seen);
        } catch (Throwable thrown) {
            wrongs.add(method + " threw " + thrown + ", " + life);
            throw thrown;
        }
        over(life, seen);
    }

    private void over(Life life, SpyPassage seen) {
        Throwable unreadable = seen.over();
        if (unreadable != null) {
            wrongs.add(
                    "the message of a rejection cannot be read once the passage is over: " + unreadable + ", " + life);
        }
    }

    private void returned(Life life, String method, SpyPassage seen) {
        if (seen.said() != SpyPassage.Said.NOTHING) {
            wrongs.add(method + " made a decision of its passage and did not return it, " + life);
        }
    }

    private void check(Life life, String what, boolean legal) {
        if (!legal) {
            wrongs.add(what + " out of turn, now " + life);
        }
    }
}
