/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** What Holdfast promises of the incident, checked against what was counted. */
final class Claims {
    /** A promise, and whether this run kept it. */
    record Claim(String text, boolean kept) {}

    private static final Duration BACK_WITHIN = Duration.ofSeconds(3);

    private final Timeline timeline;
    private final Books bare;
    private final Books holdfast;

    Claims(Timeline timeline, Books bare, Books holdfast) {
        this.timeline = timeline;
        this.bare = bare;
        this.holdfast = holdfast;
    }

    List<Claim> check() {
        return List.of(rightInEveryPhase(), liveOverall(), backInTime(), fewerCallsWhileIll());
    }

    private Claim rightInEveryPhase() {
        List<String> lost = new ArrayList<>();
        for (Phase phase : timeline.phases()) {
            int less = in(phase, bare).right() - in(phase, holdfast).right();
            if (less > 0) {
                lost.add(phase.name() + " (" + less + " fewer)");
            }
        }
        return claim("in every phase at least as many right answers", lost);
    }

    private Claim liveOverall() {
        int bareLive = bare.answers().sentBetween(0, timeline.endNanos()).live();
        int holdfastLive =
                holdfast.answers().sentBetween(0, timeline.endNanos()).live();
        return new Claim(
                "over the whole run at least as many live answers: " + holdfastLive + " against " + bareLive,
                holdfastLive >= bareLive);
    }

    private Claim backInTime() {
        List<String> late = new ArrayList<>();
        for (Phase fault : timeline.faults()) {
            Phase next = timeline.after(fault);
            if (canBeJudged(next) && !backInTime(next)) {
                late.add("after " + fault.name());
            }
        }
        return claim("back at 95 % live answers within 3 s of the end of each fault", late);
    }

    private boolean backInTime(Phase health) {
        Optional<Long> back = Recovery.nanos(holdfast.answers(), health);
        return back.isPresent() && back.get() <= BACK_WITHIN.toNanos();
    }

    /** Health must last for the three seconds, and for most of one more to be seen in. */
    private static boolean canBeJudged(Phase phase) {
        return !phase.ill() && phase.nanos() >= BACK_WITHIN.toNanos();
    }

    private Claim fewerCallsWhileIll() {
        int bareCalls = callsWhileIll(timeline, bare);
        int holdfastCalls = callsWhileIll(timeline, holdfast);
        return new Claim(
                "fewer calls to the service while it is ill: " + holdfastCalls + " against " + bareCalls,
                holdfastCalls < bareCalls);
    }

    static int callsWhileIll(Timeline timeline, Books side) {
        return timeline.faults().stream()
                .mapToInt(fault -> side.calls().between(fault.startNanos(), fault.endNanos()))
                .sum();
    }

    private static Tally in(Phase phase, Books side) {
        return side.answers().sentBetween(phase.startNanos(), phase.endNanos());
    }

    private static Claim claim(String text, List<String> broken) {
        return broken.isEmpty()
                ? new Claim(text, true)
                : new Claim(text + "; not: " + String.join(", ", broken), false);
    }

    /** The longest time to be back after a fault; empty if a fault was not recovered from before the next one. */
    static Optional<Double> slowestRecoverySeconds(Timeline timeline, Books side) {
        double slowest = 0;
        for (Phase fault : timeline.faults()) {
            Phase next = timeline.after(fault);
            if (canBeJudged(next)) {
                Optional<Long> back = Recovery.nanos(side.answers(), next);
                if (back.isEmpty()) {
                    return Optional.empty();
                }
                slowest = Math.max(slowest, back.get() / (double) TimeUnit.SECONDS.toNanos(1));
            }
        }
        return Optional.of(slowest);
    }
}
