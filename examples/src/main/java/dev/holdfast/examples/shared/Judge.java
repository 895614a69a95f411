/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.shared;

import dev.holdfast.valkey.SharedThrottleSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Compares when the calls of all processes started with what the page about many machines says. Ends with 1 if there was any time
 * t with more than burst + limit × t + replicas × batch calls, or if there were more than burst + limit × t since the processes
 * began. If the store was well, also with less than 95 % of what was to be had since the first call. On a busy machine a permit may be
 * on its way for up to the time after which a store is away, and nothing is said of how many calls there must be.
 */
public final class Judge {
    private static final int LIMIT = 200;
    private static final int BURST = 20;
    private static final int REPLICAS = 2;
    private static final double LEAST_SHARE = 0.95;
    private static final double MICROS = 1e6;

    private Judge() {}

    /** 200 calls a second for two processes. */
    static SharedThrottleSettings settings(String key) {
        return SharedThrottleSettings.of(
                s -> s.key(key).limit(LIMIT).burst(BURST).replicas(REPLICAS));
    }

    /**
     * Arguments: {@code well} if the store was there all the time, {@code ill} if not, {@code busy} on a busy machine; then the files
     * of the processes.
     */
    public static void main(String[] args) throws IOException {
        boolean well = args[0].equals("well");
        Duration underWay = args[0].equals("busy") ? settings("judge").storeTimeout() : Duration.ZERO;
        List<Long> starts = new ArrayList<>();
        long begin = Long.MAX_VALUE;
        for (int i = 1; i < args.length; i++) {
            List<Long> times = Files.readAllLines(Path.of(args[i])).stream()
                    .map(Long::valueOf)
                    .toList();
            begin = Math.min(begin, times.get(0));
            starts.addAll(times.subList(1, times.size()));
        }
        Verdict verdict = judge(begin, starts, settings("judge"), underWay);
        System.out.println("  " + verdict);
        System.exit(verdict.holds() && (!well || verdict.share() >= LEAST_SHARE) ? 0 : 1);
    }

    /**
     * What was counted.
     *
     * @param started the calls
     * @param allowed burst + limit × t, since the processes began
     * @param offered the same, since the first call
     * @param above the most calls in any time that the rate alone does not explain
     * @param mostAbove burst + replicas × batch, and what comes in the time that a permit is on its way
     */
    record Verdict(int started, double allowed, double offered, int above, int mostAbove) {
        boolean holds() {
            return above <= mostAbove && started <= allowed;
        }

        double share() {
            return started / offered;
        }

        @Override
        public String toString() {
            return String.format(
                    "%,d calls started, and %,.0f are allowed; %.1f %% of what was to be had since the first; in no time more than %d above the rate, and %d are allowed",
                    started, allowed, 100 * share(), above, mostAbove);
        }
    }

    static Verdict judge(long begin, List<Long> micros, SharedThrottleSettings settings, Duration underWay) {
        List<Long> starts = new ArrayList<>(micros);
        Collections.sort(starts);
        long last = starts.get(starts.size() - 1);
        double level = 0;
        double highest = 0;
        for (int i = 0; i < starts.size(); i++) {
            double leaked = i == 0 ? 0 : settings.limit() * (starts.get(i) - starts.get(i - 1)) / MICROS;
            level = Math.max(0, level - leaked) + 1;
            highest = Math.max(highest, level);
        }
        return new Verdict(
                starts.size(),
                settings.burst() + settings.limit() * (last - begin) / MICROS,
                settings.burst() + settings.limit() * (last - starts.get(0)) / MICROS,
                (int) Math.floor(highest),
                settings.burst()
                        + settings.replicas() * settings.batch()
                        + (int) (settings.limit() * underWay.toMillis() / 1_000));
    }
}
