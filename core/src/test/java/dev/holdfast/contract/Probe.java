/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A layer that does as a test says, writes down what it is asked, and checks its own life in every call. It keeps that life
 * in the layer's object; the slot is the test's.
 */
public final class Probe extends Policy {
    private enum State {
        ENTERING,
        WAITING,
        ENTERED,
        RETRYING,
        SETTLED,
        ABANDONED
    }

    private static final class Life {
        final int number;
        final @Nullable CallKey key;
        State state = State.ENTERING;
        boolean waitsToEnter;
        boolean waitsToSettle;
        boolean ended;

        Life(int number, @Nullable CallKey key) {
            this.number = number;
            this.key = key;
        }

        @Override
        public String toString() {
            return "entry " + number + " " + state + (ended ? ", ended" : "");
        }
    }

    private final List<String> log;
    private final Set<Life> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger entries = new AtomicInteger();
    private volatile Function<Passage, Decision> entering = passage -> Decision.GO_ON;
    private volatile Function<Passage, Decision> settling = passage -> Decision.GO_ON;
    private volatile Function<Passage, Decision> admitting = passage -> Decision.GO_ON;
    private volatile Consumer<Passage> abandoning = passage -> {};
    private volatile Consumer<Passage> ending = passage -> {};
    private volatile long lease = Long.MAX_VALUE;

    Probe(String name, int more, List<String> log) {
        super(name, ENTER | SUCCESS | FAILURE | ENDED | STILL_ADMITS | more);
        this.log = log;
    }

    /** Whether the call runs inside another one of this layer and its key. */
    static boolean recursive(Passage passage) {
        CallKey key = passage.key();
        return key != null && passage.runsInside(held -> held instanceof Life life && key.equals(life.key));
    }

    public Probe entering(Function<Passage, Decision> value) {
        entering = value;
        return this;
    }

    public Probe settling(Function<Passage, Decision> value) {
        settling = value;
        return this;
    }

    public Probe admitting(Function<Passage, Decision> value) {
        admitting = value;
        return this;
    }

    public Probe abandoning(Consumer<Passage> value) {
        abandoning = value;
        return this;
    }

    public Probe ending(Consumer<Passage> value) {
        ending = value;
        return this;
    }

    public Probe lease(Duration value) {
        lease = value.toNanos();
        return this;
    }

    /** Does nothing special any more. */
    public Probe tame() {
        return entering(passage -> Decision.GO_ON)
                .settling(passage -> Decision.GO_ON)
                .admitting(passage -> Decision.GO_ON)
                .abandoning(passage -> {})
                .ending(passage -> {});
    }

    /** How often a call came in; asking again after an await is not counted. */
    public int entries() {
        return entries.get();
    }

    Set<?> open() {
        return open;
    }

    private void note(String what) {
        log.add(name() + " " + what);
    }

    private void check(boolean legal, String what, Life life) {
        if (!legal) {
            log.add("WRONG: " + name() + " " + what + " in " + life);
        }
    }

    @Override
    public int enter(Passage passage) {
        Life life = passage.object() instanceof Life known ? known : begin(passage);
        check(life.state == State.ENTERING || life.waitsToEnter, "entered again", life);
        note(life.waitsToEnter ? (passage.expired() ? "enter expired" : "enter again") : "enter");
        life.state = State.ENTERING;
        life.waitsToEnter = false;
        Decision decision = entering.apply(passage);
        switch (decision.kind()) {
            case GO_ON -> life.state = State.ENTERED;
            case PAUSE -> life.state = State.WAITING;
            case AWAIT -> {
                life.state = State.WAITING;
                life.waitsToEnter = true;
            }
            default -> open.remove(life);
        }
        return decision.say().applyAsInt(passage);
    }

    private Life begin(Passage passage) {
        check(passage.slot() == 0, "found a number of another entry", null);
        Life life = new Life(entries.incrementAndGet(), passage.key());
        open.add(life);
        passage.object(life);
        return life;
    }

    @Override
    public int settle(Passage passage) {
        Life life = life(passage, "settled");
        boolean pauseElapsed = life.state == State.WAITING && !life.waitsToEnter;
        check(
                !life.ended
                        && (life.state == State.ENTERED
                                || life.state == State.RETRYING
                                || life.waitsToSettle
                                || pauseElapsed),
                "settled",
                life);
        note("settle " + passage.outcome() + (passage.started() ? "" : " not started"));
        life.state = State.SETTLED;
        life.waitsToSettle = false;
        Decision decision = settling.apply(passage);
        switch (decision.kind()) {
            case RETRY -> life.state = State.RETRYING;
            case AWAIT, STAGE -> life.waitsToSettle = true;
            default -> {}
        }
        return decision.say().applyAsInt(passage);
    }

    @Override
    public void abandon(Passage passage) {
        Life life = life(passage, "abandoned");
        check(
                life.state == State.ENTERING
                        || life.state == State.WAITING
                        || life.state == State.RETRYING
                        || life.waitsToSettle,
                "abandoned",
                life);
        note("abandon");
        // Given up after it was entered: its work is still to end.
        if (life.state == State.ENTERING || life.state == State.WAITING) {
            open.remove(life);
        }
        life.state = State.ABANDONED;
        abandoning.accept(passage);
    }

    @Override
    public void ended(Passage passage) {
        Life life = life(passage, "ended");
        check(
                !life.ended
                        && (life.state == State.SETTLED
                                || life.state == State.RETRYING
                                || life.state == State.ABANDONED),
                "ended",
                life);
        note(passage.writtenOff() ? "ended written off" : "ended");
        life.ended = true;
        open.remove(life);
        ending.accept(passage);
    }

    @Override
    public int stillAdmits(Passage passage) {
        note("still admits");
        check(life(passage, "asked whether it still admits") != null, "asked", null);
        return admitting.apply(passage).say().applyAsInt(passage);
    }

    @Override
    public long lease() {
        return lease;
    }

    private Life life(Passage passage, String what) {
        if (passage.object() instanceof Life life) {
            return life;
        }
        log.add("WRONG: " + name() + " " + what + " without an entry");
        return new Life(-1, null);
    }
}
