/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What the sides of a {@link Lineup} came to, phase by phase, and what Holdfast promises of it. The books of Holdfast are the last. */
final class Standings {
    /** What a hang has left behind is seen for as long as a request hangs. */
    static final long AFTERMATH = TimeUnit.SECONDS.toNanos(4);

    private static final double LEAST_AFTER_A_HANG = 0.8;
    private static final double OF_THE_BEST = 0.85;

    private final Timeline timeline;
    private final Map<String, Books> sides;
    private final Books holdfast;

    Standings(Timeline timeline, Map<String, ? extends Books> sides) {
        this.timeline = timeline;
        this.sides = new LinkedHashMap<>(sides);
        this.holdfast = List.copyOf(this.sides.values()).get(sides.size() - 1);
    }

    /** A table for each side; at most 80 columns wide. */
    List<String> tables() {
        List<String> lines = new ArrayList<>();
        sides.forEach((name, books) -> {
            lines.add(row(name, "sent", "live", "stale", "errors", "p99", "calls"));
            for (Phase phase : timeline.phases()) {
                lines.add(row("  " + phase.name(), books, phase.startNanos(), phase.endNanos()));
            }
            lines.add(row("  whole run", books, 0, timeline.endNanos()));
            if (hasHangs()) {
                lines.add(String.format(
                        Locale.ROOT, "  live in the first 4 s after a hang: %.0f %%", 100 * shareAfterHangs(books)));
            }
            lines.add("");
        });
        return lines;
    }

    private static String row(String name, Books books, long from, long to) {
        Tally tally = books.answers().sentBetween(from, to);
        return row(
                name,
                Report.number(tally.requests()),
                Report.number(tally.live()),
                Report.number(tally.stale()),
                Report.number(tally.errors()),
                Style.millis(tally.p99Millis()),
                Report.number(books.calls().between(from, to)));
    }

    private static String row(Object... cells) {
        return String.format(Locale.ROOT, "%-28s %6s %6s %6s %7s %7s %6s", cells);
    }

    List<Claims.Claim> claims() {
        List<Claims.Claim> claims = new ArrayList<>();
        claims.add(rightInEveryPhase());
        claims.add(fewerCallsThanBare());
        if (hasHangs()) {
            claims.add(liveAfterHangs());
        } else {
            claims.add(liveOverall());
        }
        return claims;
    }

    /** A late answer is an error, too: its customer has left. */
    private Claims.Claim rightInEveryPhase() {
        List<String> broken = new ArrayList<>();
        for (Phase phase : timeline.phases()) {
            int own = in(phase, holdfast).right();
            sides.forEach((name, books) -> {
                int less = in(phase, books).right() - own;
                if (less > 0) {
                    broken.add(phase.name() + " (" + less + " fewer than " + name + ")");
                }
            });
        }
        String text = "in every phase at least as many right answers as each other side";
        return new Claims.Claim(
                broken.isEmpty() ? text : text + "; not: " + String.join(", ", broken), broken.isEmpty());
    }

    private Claims.Claim fewerCallsThanBare() {
        int bare = Claims.callsWhileIll(timeline, sides.values().iterator().next());
        int own = Claims.callsWhileIll(timeline, holdfast);
        return new Claims.Claim(
                "fewer calls to the service while it is ill than the bare client: " + own + " against " + bare,
                own < bare);
    }

    /** A bare client has as many or more, and no others: all that it asks for it asks for live. */
    private Claims.Claim liveOverall() {
        Map<String, Integer> live = new LinkedHashMap<>();
        sides.forEach((name, books) -> live.put(
                name, books.answers().sentBetween(0, timeline.endNanos()).live()));
        int own = holdfast.answers().sentBetween(0, timeline.endNanos()).live();
        return new Claims.Claim(
                "over the whole run at least as many live answers as resilience4j: " + live,
                live.entrySet().stream()
                        .allMatch(other -> other.getKey().equals(Lineup.BARE) || own >= other.getValue()));
    }

    /** On a machine that is too slow for a share, the best of the others has as hard a time. */
    private Claims.Claim liveAfterHangs() {
        double own = shareAfterHangs(holdfast);
        double best = sides.values().stream()
                .filter(books -> books != holdfast)
                .mapToDouble(this::shareAfterHangs)
                .max()
                .orElse(1);
        return new Claims.Claim(
                String.format(
                        Locale.ROOT,
                        "in the first 4 s after the hangs at least 80 %% live answers, or 85 %% of those of the best other side:"
                                + " %.0f %% (best other: %.0f %%)",
                        100 * own,
                        100 * best),
                own >= LEAST_AFTER_A_HANG || own >= OF_THE_BEST * best);
    }

    private boolean hasHangs() {
        return timeline.faults().stream().anyMatch(fault -> fault.condition() == Condition.HANGING);
    }

    /** The share of live answers of what was sent in the first four seconds after each hang, all hangs together. */
    double shareAfterHangs(Books books) {
        int live = 0;
        int sent = 0;
        for (Phase fault : timeline.faults()) {
            if (fault.condition() == Condition.HANGING) {
                long end = Math.min(timeline.after(fault).endNanos(), fault.endNanos() + AFTERMATH);
                Tally tally = books.answers().sentBetween(fault.endNanos(), end);
                live += tally.live();
                sent += tally.requests();
            }
        }
        return (double) live / Math.max(1, sent);
    }

    private static Tally in(Phase phase, Books side) {
        return side.answers().sentBetween(phase.startNanos(), phase.endNanos());
    }
}
