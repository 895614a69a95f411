/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The run as a table for other programs: a line for each second and side, counted by when requests were sent. */
final class CsvFile {
    private CsvFile() {}

    static void write(Path file, Contest contest) throws IOException {
        Timeline timeline = contest.timeline();
        List<String> lines = new ArrayList<>();
        lines.add("second,phase,side,sent,live,stale,errors,p99_ms,calls");
        long second = TimeUnit.SECONDS.toNanos(1);
        for (long from = 0; from < timeline.endNanos(); from += second) {
            for (Side side : List.of(contest.bare(), contest.holdfast())) {
                lines.add(line(side, timeline, from, from + second));
            }
        }
        Files.write(file, lines);
    }

    private static String line(Side side, Timeline timeline, long from, long to) {
        Tally tally = side.answers().sentBetween(from, to);
        return String.join(
                ",",
                Long.toString(TimeUnit.NANOSECONDS.toSeconds(from)),
                timeline.at((from + to) / 2).name(),
                side.name(),
                Integer.toString(tally.requests()),
                Integer.toString(tally.live()),
                Integer.toString(tally.stale()),
                Integer.toString(tally.errors()),
                Long.toString(tally.p99Millis()),
                Integer.toString(side.calls().between(from, to)));
    }
}
