/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** What is printed at the end: a table by phase, one sentence, and the claims. */
final class Report {
    private final Timeline timeline;
    private final Side bare;
    private final Side holdfast;
    private final Style style;

    Report(Contest contest, Style style) {
        this.timeline = contest.timeline();
        this.bare = contest.bare();
        this.holdfast = contest.holdfast();
        this.style = style;
    }

    /** The table; at most 100 columns wide. */
    List<String> table() {
        List<String> lines = new ArrayList<>();
        lines.add(
                style.dim(" ".repeat(24) + "┌─────────── bare ───────────┐  ┌────────────── holdfast ──────────────┐"));
        lines.add(style.bold(row("phase", "secs", "sent", "live", "right %", "p99", "calls", "live", "stale", "right %")
                + cells("p99", "calls")));
        for (Phase phase : timeline.phases()) {
            lines.add(row(phase.name(), phase.startNanos(), phase.endNanos(), phase.ill()));
        }
        lines.add(style.bold(row("whole run", 0, timeline.endNanos(), false)));
        return lines;
    }

    private String row(String name, long from, long to, boolean ill) {
        Tally plain = bare.answers().sentBetween(from, to);
        Tally held = holdfast.answers().sentBetween(from, to);
        String text = row(
                        name,
                        String.format(Locale.ROOT, "%.1f", (to - from) / 1e9),
                        number(plain.requests()),
                        number(plain.live()),
                        percent(plain),
                        Style.millis(plain.p99Millis()),
                        number(bare.calls().between(from, to)),
                        number(held.live()),
                        number(held.stale()),
                        percent(held))
                + cells(Style.millis(held.p99Millis()), number(holdfast.calls().between(from, to)));
        return ill ? style.ill(text) : text;
    }

    private static String row(String name, String... cells) {
        return String.format(
                Locale.ROOT,
                "%-13s %4s %5s  %6s %7s %7s %6s  %6s %6s %7s",
                name,
                cells[0],
                cells[1],
                cells[2],
                cells[3],
                cells[4],
                cells[5],
                cells[6],
                cells[7],
                cells[8]);
    }

    private static String cells(String p99, String calls) {
        return String.format(Locale.ROOT, " %7s %6s", p99, calls);
    }

    /** The one sentence, in lines of at most 96 columns. */
    List<String> conclusion() {
        return Style.wrap(sentence(), 96);
    }

    private String sentence() {
        Tally plain = bare.answers().sentBetween(0, timeline.endNanos());
        Tally held = holdfast.answers().sentBetween(0, timeline.endNanos());
        return String.format(
                Locale.ROOT,
                "Of %s requests in %d s, the shop with Holdfast answered %s rightly (%s: %s live, %s stale), the bare one"
                        + " %s (%s); Holdfast was back at 95 %% live answers %s (bare: %s);"
                        + " and the service had to bear %s calls while it was ill, not %s.",
                number(held.requests()),
                TimeUnit.NANOSECONDS.toSeconds(timeline.endNanos()),
                number(held.right()),
                percent(held),
                number(held.live()),
                number(held.stale()),
                number(plain.right()),
                percent(plain),
                recovery(holdfast),
                recovery(bare),
                number(Claims.callsWhileIll(timeline, holdfast)),
                number(Claims.callsWhileIll(timeline, bare)));
    }

    /** One line a claim; what else a broken one has to say is below it. */
    List<String> claims(List<Claims.Claim> claims) {
        return claims(claims, style);
    }

    static List<String> claims(List<Claims.Claim> claims, Style style) {
        List<String> lines = new ArrayList<>();
        for (Claims.Claim claim : claims) {
            String verdict = claim.kept() ? style.good("  kept  ") : style.bad(" BROKEN ");
            for (String line : Style.wrap(claim.text(), 88)) {
                lines.add(verdict + line);
                verdict = "        ";
            }
        }
        return lines;
    }

    private String recovery(Side side) {
        Optional<Double> seconds = Claims.slowestRecoverySeconds(timeline, side);
        return seconds.map(s -> String.format(Locale.ROOT, "within %.1f s of the end of each fault", s))
                .orElse("not after every fault");
    }

    static String number(int value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    static String percent(Tally tally) {
        // Rounded down: 100.0 % means all of them.
        int permille = (int) (1000L * tally.right() / Math.max(1, tally.requests()));
        return String.format(Locale.ROOT, "%.1f %%", permille / 10.0);
    }
}
