/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.shared;

import dev.holdfast.valkey.SharedThrottleSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Compares when the calls of all processes started with the limit. Ends with 1 if there were more than limit × time + burst. If
 * the store was well, also with less than 95 % of that. A process that gets no processor for a while takes the store for away,
 * alone: what it starts by its share then is allowed, if the store was well.
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

    /** Arguments: {@code well} if the store was there all the time, else {@code ill}; then the files of the processes. */
    public static void main(String[] args) throws IOException {
        boolean well = args[0].equals("well");
        List<Long> starts = new ArrayList<>();
        long without = 0;
        for (int i = 1; i < args.length; i++) {
            List<String> lines = Files.readAllLines(Path.of(args[i]));
            without += Long.parseLong(lines.get(0));
            lines.stream().skip(1).map(Long::valueOf).forEach(starts::add);
        }
        Verdict verdict = judge(starts, settings("judge"));
        System.out.println("  " + verdict);
        boolean holds = verdict.started <= verdict.allowed + (well ? without : 0);
        System.exit(holds && (!well || verdict.share() >= LEAST_SHARE) ? 0 : 1);
    }

    /**
     * What was counted.
     *
     * @param started the calls
     * @param allowed limit × time + burst
     * @param above the most calls in any time that the rate alone does not explain. A process that stood still starts together
     *     what has fallen due meanwhile
     */
    record Verdict(int started, double allowed, int above) {
        double share() {
            return started / allowed;
        }

        @Override
        public String toString() {
            return String.format(
                    "%,d calls started; %d × t + %d is %,.0f, and they are %.1f %% of it; in no time more than %d above the rate",
                    started, LIMIT, BURST, allowed, 100 * share(), above);
        }
    }

    static Verdict judge(List<Long> micros, SharedThrottleSettings settings) {
        List<Long> starts = new ArrayList<>(micros);
        Collections.sort(starts);
        double seconds = (starts.get(starts.size() - 1) - starts.get(0)) / MICROS;
        double allowed = settings.limit() * seconds + settings.burst();
        double level = 0;
        double highest = 0;
        for (int i = 0; i < starts.size(); i++) {
            double leaked = i == 0 ? 0 : settings.limit() * (starts.get(i) - starts.get(i - 1)) / MICROS;
            level = Math.max(0, level - leaked) + 1;
            highest = Math.max(highest, level);
        }
        return new Verdict(starts.size(), allowed, (int) Math.floor(highest));
    }
}
