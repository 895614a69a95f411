/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.Locale;
import java.util.OptionalInt;

/** How one kind of client came through an episode. */
record Trial(Episode episode, Ledger ledger) {
    /** What counts as being back, of what there was before. */
    static final double BACK = 0.95;

    /** Chance makes single seconds differ too much. */
    private static final int WINDOW = 5;

    /** The first seconds fill the system. */
    private static final int FILL = 5;

    private static final int LAST = 20;

    /** The goodput before the trigger. */
    double before() {
        return ledger.goodput(FILL, episode.trigger());
    }

    /** The goodput of the last 20 seconds. */
    double after() {
        return ledger.goodput(episode.end() - LAST, episode.end());
    }

    /** How long after the trigger goodput is back and stays so, in seconds; empty: it is not. */
    OptionalInt recovery() {
        int from = episode.end() - WINDOW;
        while (from >= episode.relief() && ledger.goodput(from, from + WINDOW) >= BACK * before()) {
            from--;
        }
        int recovered = from + 1;
        return recovered > episode.end() - WINDOW
                ? OptionalInt.empty()
                : OptionalInt.of(Math.max(0, recovered - episode.relief()));
    }

    double amplification() {
        return ledger.amplification();
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "goodput %.1f %% before, %.1f %% in the end, %s; %.2f attempts a call",
                100 * before(),
                100 * after(),
                recovery().isPresent() ? "back " + recovery().getAsInt() + " s after the trigger" : "never back",
                amplification());
    }
}
