/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Refused;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.throttling.internal.engine.Gate;
import dev.holdfast.throttling.internal.engine.Gate.Hold;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Holds all callers of a dependency when it asks one of them for time, such as with a 429 and {@code Retry-After}.
 *
 * <p>An answer whose {@linkplain dev.holdfast.Verdict#retryAfterNanos verdict} has a time closes the gate for so long, at most for
 * {@code maxHold}: a pushback, or a good answer that used up a quota. Meanwhile a call waits if no more
 * than {@code maxWait} is left, or is rejected at once with {@link Reason#THROTTLED} and the time after which to try again. A
 * call that waits further in, and has not started when the gate closes, is rejected, too. Each caller's time has a random bit
 * more, so that they do not come back together.
 *
 * <p>However late the answers come, the gate is closed for no longer than {@code maxHold} without a break: only an attempt that
 * began after the gate opened can close it for so long again.
 *
 * <p>Inside a circuit breaker, the gate is the one that obeys the pushback, and the breaker is not held open by it.
 *
 * <p>Safe for any number of threads; one instance for each dependency. An open gate costs two reads, and a write once it
 * has been closed.
 */
public final class GatePolicy extends Policy {
    private final GateSettings settings;
    private final Gate gate;
    private final long maxWaitNanos;
    private final long defaultHoldNanos;
    // A call that finds the gate open does not touch these.
    private LongAdder holds = new LongAdder();
    private LongAdder rejected = new LongAdder();
    private LongAdder waited = new LongAdder();
    private LongAdder malformed = new LongAdder();
    /** The time source of the pipeline that was built last with this gate; null before that. */
    private volatile @Nullable TimeSource time;

    private GatePolicy(GateSettings settings) {
        super("gate", settings.maxHold().isZero() ? 0 : ENTER | SUCCESS | FAILURE | STILL_ADMITS);
        this.settings = settings;
        gate = new Gate(settings.maxHold().toNanos());
        maxWaitNanos = settings.maxWait().toNanos();
        defaultHoldNanos = settings.defaultHold().toNanos();
    }

    /**
     * A gate with the defaults, changed by the function.
     *
     * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of range
     */
    public static GatePolicy of(Consumer<? super GateSettings.Builder> changes) {
        return of(GateSettings.of(changes));
    }

    /** A gate with these settings. */
    public static GatePolicy of(GateSettings settings) {
        return new GatePolicy(settings);
    }

    /** A gate that holds for at most 10 s, and lets no call wait. */
    public static GatePolicy ofDefaults() {
        return of(GateSettings.builder().build());
    }

    @Override
    public Timing timing() {
        return Timing.NONE;
    }

    @Override
    public long remembers() {
        return heldNanos() == 0 ? 0 : settings.maxHold().toNanos();
    }

    /** Asked again after a wait: the dependency may have asked for more time meanwhile. */
    @Override
    public int enter(Passage passage) {
        Hold last = gate.last();
        return last == null || passes(passage, last) ? PROCEED : enterHeld(passage, last);
    }

    private static boolean passes(Passage passage, Hold last) {
        boolean open = isOver(passage, last);
        if (open) {
            passage.object(last); // for what the attempt is told
        }
        return open;
    }

    /** Reads no clock if it is known already. */
    private static boolean isOver(Passage passage, Hold last) {
        return last.isOver() || last.isOver(passage.now());
    }

    private int enterHeld(Passage passage, Hold hold) {
        long now = passage.now();
        long left = hold.left(now);
        long room = passage.remaining() - left;
        // A wait that leaves no time for the attempt is useless.
        if (left > maxWaitNanos - waitedFor(passage, now) || room <= 0) {
            return turnAway(passage, hold, left);
        }
        if (passage.slot() == 0) {
            passage.slot(now | 1); // never 0, which means that the call has not waited
            waited.increment();
        }
        // Beyond the longest wait, too: else all that wait would come back in the one moment in which it ends.
        // Half of the time that the call has after the hold is for its attempt.
        return passage.await(hold, left + spread(passage, hold, room / 2));
    }

    private static long waitedFor(Passage passage, long now) {
        long since = passage.slot();
        return since == 0 ? 0 : Math.max(0, now - since);
    }

    private long spread(Passage passage, Hold hold, long most) {
        return (long) (passage.random() * Math.min(settings.jitter() * hold.nanos(), (double) most));
    }

    private int turnAway(Passage passage, Hold hold, long left) {
        Refused.count(passage, rejected);
        String pipeline = passage.pipeline();
        return passage.reject(
                Reason.THROTTLED,
                left + spread(passage, hold, Long.MAX_VALUE),
                () -> "gate of '" + pipeline + "' is held, because the dependency asked for time, for another "
                        + Checks.time(left),
                null);
    }

    @Override
    public int stillAdmits(Passage passage) {
        Hold last = gate.last();
        return last == null || passes(passage, last) ? PROCEED : turnAway(passage, last, last.left(passage.now()));
    }

    @Override
    public int settle(Passage passage) {
        long told = passage.retryAfter();
        Outcome outcome = passage.outcome();
        if (told == -1 && outcome == Outcome.SUCCESS) {
            return KEEP;
        }
        // What was rejected locally, here or in a pipeline inside the attempt, is not what the dependency asked for.
        boolean asksForTime = passage.started() && outcome != Outcome.REJECTED && heed(passage, told, outcome);
        Hold last = gate.last();
        if (outcome != Outcome.SUCCESS && last != null && (asksForTime || !isOver(passage, last))) {
            // A retry comes when the gate is open again; and a breaker outside sees that the pushback has an owner.
            // So it has if it comes too late to hold.
            passage.holdRetry(Math.max(1, last.left(passage.now()) + spread(passage, last, Long.MAX_VALUE)));
        }
        return KEEP;
    }

    /** Whether the dependency asks for time. */
    private boolean heed(Passage passage, long told, Outcome outcome) {
        if (told == Passage.UNREADABLE) {
            malformed.increment();
        }
        long asked = told < 0 && outcome == Outcome.PUSHBACK ? defaultHoldNanos : told;
        if (asked > 0 && gate.hold(passage.now(), asked, (Hold) passage.object())) {
            holds.increment();
        }
        return asked > 0;
    }

    @Override
    public void bind(String pipeline, TimeSource pipelineTime) {
        time = pipelineTime;
    }

    /** Takes over the totals and the present hold, for at most {@code maxHold} from now on. */
    @Override
    public void takeOver(Policy previous) {
        if (previous instanceof GatePolicy other) {
            holds = other.holds;
            rejected = other.rejected;
            waited = other.waited;
            malformed = other.malformed;
            gate.takeOver(other.gate, nanos());
        }
    }

    @Override
    public void meters(Meters meters) {
        meters.gauge("gate.held", "Seconds until the gate opens; 0 if it is open", () -> heldNanos() / 1e9);
        meters.counter("gate.holds", "How often the dependency closed the open gate", this::holds);
        meters.counter("gate.rejected", "Calls that were turned away", this::rejected);
        meters.counter("gate.waited", "Calls that were held back", this::waited);
        meters.counter("gate.malformed", "Answers with a time that cannot be read, and none that can", this::malformed);
    }

    /** The settings that this gate was made with. */
    public GateSettings settings() {
        return settings;
    }

    @Override
    public Map<String, Object> settingsMap() {
        return settings.asMap();
    }

    /** How long the gate stays closed; zero if it is open. Uses the clock of the pipeline that was built last with it. */
    public Duration held() {
        return Duration.ofNanos(heldNanos());
    }

    private long heldNanos() {
        long now = nanos();
        Hold hold = gate.hold(now);
        return hold == null ? 0 : hold.left(now);
    }

    private long nanos() {
        TimeSource bound = time;
        return (bound == null ? TimeSource.system() : bound).nanos();
    }

    /** How often the dependency closed the open gate so far. A longer time that it asks for meanwhile is the same hold. */
    public long holds() {
        return holds.sum();
    }

    /** How many calls were rejected so far. */
    public long rejected() {
        return rejected.sum();
    }

    /** How many calls waited so far. */
    public long waited() {
        return waited.sum();
    }

    /** How many answers so far had a time that cannot be read, and none that can. */
    public long malformed() {
        return malformed.sum();
    }

    /** How many calls wait now. */
    int waiting() {
        return gate.waiting();
    }
}
