/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Different clients in the same episode with the same arrivals. The last one is Holdfast's. */
final class Comparison {
    private static final int STEP = 5;

    private final Map<String, Trial> trials = new LinkedHashMap<>();

    Comparison add(String client, Trial trial) {
        trials.put(client, trial);
        return this;
    }

    Findings findings() {
        List<String> lines = new ArrayList<>();
        lines.add("share of the calls that got a live answer, in %; attempts a second");
        StringBuilder head = new StringBuilder(" seconds");
        trials.keySet().forEach(client -> head.append(String.format(Locale.ROOT, "  %18s", client)));
        lines.add(head.toString());
        for (int from = 0; from + STEP <= episode().end(); from += STEP) {
            lines.add(row(from, from + STEP));
        }
        lines.add("");
        trials.forEach((client, trial) -> lines.add(client + ": " + trial));
        return new Findings(lines, picture());
    }

    private String row(int from, int to) {
        StringBuilder row = new StringBuilder(String.format(Locale.ROOT, "%3d - %2d", from, to));
        for (Trial trial : trials.values()) {
            Ledger ledger = trial.ledger();
            row.append(String.format(
                    Locale.ROOT,
                    "  %9.1f %6d/s",
                    100 * ledger.goodput(from, to),
                    ledger.attempts(from, to) / (to - from)));
        }
        boolean triggered = from < Math.max(episode().relief(), episode().trigger() + 1)
                && to > episode().trigger();
        return row + (triggered ? "  <- trigger" : "");
    }

    private Episode episode() {
        return trials.values().iterator().next().episode();
    }

    private Picture picture() {
        Picture picture = new Picture();
        lines(
                picture.chart("calls that got a live answer", "seconds", "%"),
                second -> ledger -> 100 * ledger.goodput(second, second + 1));
        lines(
                picture.chart("attempts that were made", "seconds", "a second"),
                second -> ledger -> ledger.attempts(second, second + 1));
        return picture;
    }

    private void lines(Picture picture, IntFunction<ToDoubleFunction<Ledger>> value) {
        int[] seconds = IntStream.range(0, episode().end()).toArray();
        Map<String, double[]> series = new LinkedHashMap<>();
        trials.forEach((client, trial) -> series.put(
                client,
                IntStream.of(seconds)
                        .mapToDouble(second -> value.apply(second).applyAsDouble(trial.ledger()))
                        .toArray()));
        double top =
                series.values().stream().flatMapToDouble(Arrays::stream).max().orElse(1);
        picture.shade(
                episode().trigger(), Math.max(episode().relief(), episode().trigger() + 0.5), top);
        int index = 0;
        for (Map.Entry<String, double[]> one : series.entrySet()) {
            double[] x =
                    IntStream.of(seconds).mapToDouble(second -> second + 0.5).toArray();
            picture.line(one.getKey(), index++, series.size(), x, one.getValue());
        }
    }
}
