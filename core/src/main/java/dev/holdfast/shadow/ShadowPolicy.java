/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.shadow;

import dev.holdfast.Outcome;
import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Interrupts;
import dev.holdfast.internal.RenamedMeters;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * A policy in shadow: it decides and counts, and changes nothing. Example: a bulkhead of 10 in shadow says how many calls a
 * bulkhead of 10 would have turned away, and how many of these succeeded.
 *
 * <p>It sees every call that reaches its place. A call that it would have turned away goes on as if it were not there, and counts
 * as turned away: it holds no permit, and its result changes nothing in the policy. Its name is that of the policy with {@code
 * -shadow} behind, in meters, observers and snapshots. If the policy throws, this is logged once, and the call goes on. After an
 * {@link InterruptedException} of it the interrupt flag is set, for the action to see.
 *
 * <p>The policy must not be used elsewhere. Safe for any number of threads.
 */
public final class ShadowPolicy extends Policy implements AroundPolicy {

    /** What a policy would have done with a try: a call, or inside a retry one of its attempts. */
    public enum Decision {
        /** It would have turned the call away, or ended it with an error. */
        REJECTED,
        /** It would have made the call wait: in a queue, for its turn, or for the answer of another call. */
        DELAYED,
        /** It would have ended the call or the attempt at its limit. */
        CUT_OFF,
        /** It would have answered in place of the dependency. */
        ANSWERED,
        /** It would have made another attempt after a failed one. */
        RETRIED,
        /** It would have started another attempt beside a slow one. */
        HEDGED,
        /** It would have injected a fault. */
        INJECTED
    }

    private static final SafeLog LOG = SafeLog.of(ShadowPolicy.class.getName());
    /** Behind the name of the policy. */
    public static final String SUFFIX = "-shadow";

    private final Policy policy;
    private final AtomicBoolean broken = new AtomicBoolean();
    private final AtomicLong drawn = new AtomicLong();
    private final boolean hedges;

    private Tally tally;

    /** How often each decision was made, and how many of these calls succeeded all the same. */
    private static final class Tally {
        private static final Map<Policy, Tally> OF_POLICIES = new WeakHashMap<>();

        final Map<Decision, LongAdder> decisions = adders();
        final Map<Decision, LongAdder> succeeded = adders();

        /** Of a policy that comes into shadow again, the same as before. */
        static Tally of(Policy policy) {
            synchronized (OF_POLICIES) {
                return OF_POLICIES.computeIfAbsent(policy, unused -> new Tally());
            }
        }

        /** From now on one policy has that of another one, which begins anew if it comes into shadow again. */
        static Tally takeOver(Policy policy, Policy previous) {
            synchronized (OF_POLICIES) {
                Tally tally = of(previous);
                OF_POLICIES.remove(previous);
                OF_POLICIES.put(policy, tally);
                return tally;
            }
        }

        private static Map<Decision, LongAdder> adders() {
            Map<Decision, LongAdder> adders = new EnumMap<>(Decision.class);
            for (Decision decision : Decision.values()) {
                adders.put(decision, new LongAdder());
            }
            return Collections.unmodifiableMap(adders);
        }
    }

    private static long sum(Map<Decision, LongAdder> counts, Decision decision) {
        return Objects.requireNonNull(counts.get(decision)).sum();
    }

    private static void add(Map<Decision, LongAdder> counts, Decision decision) {
        Objects.requireNonNull(counts.get(decision)).increment();
    }

    private ShadowPolicy(Policy policy) {
        super(policy.name() + SUFFIX, hearsFor(policy));
        this.policy = policy;
        tally = Tally.of(policy);
        hedges = (policy.hears() & HEDGE) != 0;
    }

    /** The layer keeps something of each call, and hears how each ends. It starts no hedges, and hears when one is due. */
    private static int hearsFor(Policy policy) {
        int hears = policy.hears() | ENTER | SUCCESS | FAILURE;
        return (hears & HEDGE) == 0 ? hears : (hears & ~HEDGE) | OVERDUE;
    }

    /**
     * This policy in shadow. One that was in shadow before counts on.
     *
     * @throws IllegalArgumentException if it is in shadow already, or {@linkplain Policy#bindsOthers binds others}, such as a
     *     policy around an existing resilience4j object
     */
    public static ShadowPolicy of(Policy policy) {
        if (AroundPolicy.behind(Objects.requireNonNull(policy, "policy")) instanceof ShadowPolicy) {
            throw new IllegalArgumentException(policy.name() + " is in shadow already");
        }
        if (policy.bindsOthers()) {
            throw new IllegalArgumentException(policy.name()
                    + " cannot be in shadow: other code uses its object, too, and would be bound by what it counts there;"
                    + " put one of its own into shadow, with settings made of the config of that object");
        }
        return new ShadowPolicy(policy);
    }

    /** The policy in shadow, or this policy itself if it is not in shadow. In place of a spy, the policy that it looks at. */
    public static Policy inside(Policy policy) {
        Policy known = AroundPolicy.behind(policy);
        return known instanceof ShadowPolicy shadow ? AroundPolicy.behind(shadow.policy) : known;
    }

    /** The policy in shadow. */
    @Override
    public Policy policy() {
        return policy;
    }

    /** How often it would have decided this way. */
    public long count(Decision decision) {
        return sum(tally.decisions, decision);
    }

    /** How many of the tries for which it would have decided this way succeeded all the same. Not known of {@code HEDGED}: 0. */
    public long succeeded(Decision decision) {
        return sum(tally.succeeded, decision);
    }

    /**
     * What it would have done, in words: {@code would have turned away 312 tries, of which 290 succeeded}. Inside a retry, each
     * attempt of a call is a try of its own.
     */
    public String report() {
        StringBuilder report = new StringBuilder();
        for (Decision decision : Decision.values()) {
            long count = count(decision);
            if (count > 0) {
                report.append(report.length() == 0 ? "would have " : "; ").append(words(decision, count));
            }
        }
        return report.length() == 0 ? "would have changed nothing" : report.toString();
    }

    private String words(Decision decision, long count) {
        String tries = Checks.number(count) + (count == 1 ? " try" : " tries");
        String succeeded = ", of which " + Checks.number(succeeded(decision)) + " succeeded";
        return switch (decision) {
            case REJECTED -> "turned away " + tries + succeeded;
            case DELAYED -> "delayed " + tries;
            case CUT_OFF -> "cut off " + tries + succeeded;
            case ANSWERED -> "answered " + tries + succeeded;
            case RETRIED -> "retried " + tries;
            case HEDGED -> "hedged " + tries;
            case INJECTED -> "put a fault into " + tries;
        };
    }

    double random() {
        long mixed = drawn.getAndAdd(0x9E3779B97F4A7C15L);
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return ((mixed ^ (mixed >>> 31)) >>> 11) * 0x1.0p-53;
    }

    void decided(Decision decision) {
        add(tally.decisions, decision);
    }

    // ---- the life of a layer

    /** What the policy hears of few calls. */
    private enum Event {
        STILL_ADMITS,
        WAITED,
        TOO_SLOW,
        ENDED,
        ABANDON,
        ATTEMPT_STARTS,
        ATTEMPT_ENDS
    }

    /** Tells the policy. If it throws, the call must not notice. */
    private void tell(Event event, ShadowCall call) {
        try {
            switch (event) {
                case STILL_ADMITS -> call.stillAdmits(policy);
                case WAITED -> call.lookAtWait(policy);
                case TOO_SLOW -> call.strike(policy);
                case ENDED -> policy.ended(call);
                case ABANDON -> policy.abandon(call);
                case ATTEMPT_STARTS -> policy.attemptStarts(call);
                case ATTEMPT_ENDS -> policy.attemptEnds(call);
            }
        } catch (Throwable thrown) {
            broke(thrown);
        }
    }

    /** As {@link #tell}, without its switch: each call passes here. */
    @SuppressWarnings("UnusedVariable")
    private void tellOfEntry(ShadowCall call) {
        try {
            int decision = policy.enter(call);
        } catch (Throwable thrown) {
            broke(thrown);
            call.turnedAway();
            tell(Event.ABANDON, call);
        }
    }

    /** As {@link #tellOfEntry}. */
    @SuppressWarnings("UnusedVariable")
    private void tellOfEnd(ShadowCall call) {
        try {
            int decision = policy.settle(call);
        } catch (Throwable thrown) {
            broke(thrown);
        }
    }

    private void broke(Throwable thrown) {
        Interrupts.keep(thrown);
        if (broken.compareAndSet(false, true)) {
            LOG.warn("a policy in shadow threw; told once: " + policy.name(), thrown);
        }
    }

    private void tellIfInside(Event event, Passage passage) {
        ShadowCall call = ShadowCall.of(passage);
        if (call != null && call.isInside()) {
            tell(event, call);
        }
    }

    @Override
    public int enter(Passage passage) {
        ShadowCall call = ShadowCall.begin(this, passage);
        passage.object(call);
        if ((policy.hears() & ENTER) != 0) {
            tellOfEntry(call);
            if (call.givesUpItsPlace()) {
                tell(Event.ABANDON, call);
            }
            call.entered();
        }
        return PROCEED;
    }

    @Override
    public int stillAdmits(Passage passage) {
        tellIfInside(Event.STILL_ADMITS, passage);
        return PROCEED;
    }

    @Override
    public int settle(Passage passage) {
        ShadowCall call = ShadowCall.of(passage);
        if (call != null) {
            if (hedges && call.missedAHedge()) {
                overdue(0, passage.now());
            }
            if (call.hasWaited()) {
                tell(Event.WAITED, call);
            } else if (call.wasTooSlow()) {
                tell(Event.TOO_SLOW, call);
            }
            boolean success = passage.outcome() == Outcome.SUCCESS;
            if (call.isToBeSettled(success ? SUCCESS : FAILURE)) {
                tellOfEnd(call);
            }
            call.settled();
            Decision decision = call.decision();
            if (success && decision != null) {
                add(tally.succeeded, decision);
            }
        }
        return KEEP;
    }

    @Override
    public void ended(Passage passage) {
        tellIfInside(Event.ENDED, passage);
    }

    /** This layer never waits, so that this is only for an entry that ended with an error. */
    @Override
    public void abandon(Passage passage) {
        tellIfInside(Event.ABANDON, passage);
    }

    @Override
    public void attemptStarts(Passage passage) {
        tellIfInside(Event.ATTEMPT_STARTS, passage);
    }

    @Override
    public void attemptEnds(Passage passage) {
        tellIfInside(Event.ATTEMPT_ENDS, passage);
    }

    @Override
    public void overdue(long slot, long now) {
        try {
            if (hedges) {
                askForHedge(now);
            } else {
                policy.overdue(slot, now);
            }
        } catch (Throwable thrown) {
            broke(thrown);
        }
    }

    /** The delay of an attempt is over. If the budget of the policy pays for a hedge, the policy would have started one. */
    private void askForHedge(long now) {
        if (policy.hedge(0, now) != NO_HEDGE) {
            policy.hedgeBegun();
            decided(Decision.HEDGED);
        }
    }

    @Override
    public boolean overdueRunsUserCode() {
        return policy.overdueRunsUserCode();
    }

    // ---- what the pipeline asks

    @Override
    public long lease() {
        return policy.lease();
    }

    @Override
    public long remembers() {
        return policy.remembers();
    }

    @Override
    public Timing timing() {
        return policy.timing();
    }

    @Override
    public void bind(String pipeline, TimeSource time) {
        policy.bind(pipeline, time);
        // Not from the time's own numbers: what the active policies draw stays as it is without a shadow.
        drawn.compareAndSet(0, pipeline.hashCode() * 31L + policy.name().hashCode() + time.nanos());
    }

    @Override
    public void beside(String pipeline, List<Policy> policies) {
        policy.beside(pipeline, policies);
    }

    @Override
    public void takeOver(Policy previous) {
        if (previous instanceof ShadowPolicy shadow) {
            tally = Tally.takeOver(policy, shadow.policy);
            if (shadow.policy != policy) {
                policy.takeOver(shadow.policy);
            }
        } else if (previous != inside(policy)) {
            shadows(previous);
        }
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
    public void shadows(Policy active) {
        policy.shadows(active);
    }

    @Override
    public Map<String, Object> settingsMap() {
        return policy.settingsMap();
    }

    @Override
    public List<String> warnings() {
        // Chaos in shadow troubles nobody.
        return policy.warnings().stream()
                .filter(warning -> !warning.startsWith("chaos-enabled:"))
                .toList();
    }

    @Override
    public void meters(Meters meters) {
        for (Decision decision : possible()) {
            String word = decision.name().toLowerCase(Locale.ROOT);
            meters.counter(
                    "shadow.decisions",
                    "What a policy in shadow would have done",
                    "decision",
                    word,
                    () -> count(decision));
            if (decision != Decision.HEDGED) {
                meters.counter(
                        "shadow.succeeded",
                        "Tries for which a policy in shadow decided, and that succeeded",
                        "decision",
                        word,
                        () -> succeeded(decision));
            }
        }
        // Other names, so that no graph takes them for those of the policy that is active.
        policy.meters(new RenamedMeters(meters, "shadow.", ""));
    }

    /** What such a policy can decide; of an unknown one, everything. */
    private Set<Decision> possible() {
        return switch (policy.name()) {
            case "deadline", "timeout" -> EnumSet.of(Decision.CUT_OFF);
            case "fallback" -> EnumSet.of(Decision.ANSWERED);
            case "stale-cache" -> EnumSet.of(Decision.ANSWERED, Decision.DELAYED, Decision.REJECTED, Decision.CUT_OFF);
            case "retry" -> EnumSet.of(Decision.RETRIED);
            case "hedge" -> EnumSet.of(Decision.HEDGED);
            case "circuit-breaker", "adaptive-throttle" -> EnumSet.of(Decision.REJECTED);
            case "gate", "throttle", "bulkhead" -> EnumSet.of(Decision.REJECTED, Decision.DELAYED);
            case "chaos" -> EnumSet.of(Decision.INJECTED);
            default -> EnumSet.allOf(Decision.class);
        };
    }
}
