/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.spi.Policy;
import dev.holdfast.throttling.AdaptiveThrottlePolicy;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.Stream;

/**
 * The experiments that have a trigger, at many numbers of processes and in variations: how long after the trigger goodput is back at
 * 95 % of what it was, the slowest of several seeds. With the defaults; the naive client beside it is the control.
 */
final class AtScale {
    static final List<Integer> PROCESSES = List.of(1, 3, 10, 30, 100, 300);

    /** A run with more calls is left out, unless asked for: it takes minutes. */
    private static final double MOST_LOAD = 8;

    /** With fewer calls a second, chance alone takes goodput below 95 %. */
    private static final double LEAST_CALLS = 25;

    /** An experiment, for a client in a variation. */
    interface Run {
        Trial of(Function<World, Client> client, long seed, Variation variation);
    }

    /** One of the experiments. */
    @SuppressWarnings("ImmutableEnumChecker") // references to static methods
    enum Kind {
        RETRY_COLLAPSE(RetryCollapse::run, RetryCollapse::naive, RetryCollapse.USUAL_RATE),
        LOST_NETWORK(LostNetwork::run, LostNetwork::naive, LostNetwork.RATE),
        LOST_CACHE(LostCache::run, LostCache::naive, LostCache.RATE),
        HANG(Hang::run, Hang::naive, Hang.RATE);

        final Run run;
        final Function<World, Client> naive;
        final double rate;

        Kind(Run run, Function<World, Client> naive, double rate) {
            this.run = run;
            this.naive = naive;
            this.rate = rate;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    private final PrintStream out;
    private final int seeds;
    private final boolean all;
    private final Function<Policy, Stream<Policy>> change;

    /**
     * Tries so many seeds.
     *
     * @param all also runs that take minutes
     * @param change what the rows have in place of a policy that do not say it themselves
     */
    AtScale(PrintStream out, int seeds, boolean all, Function<Policy, Stream<Policy>> change) {
        this.out = out;
        this.seeds = seeds;
        this.all = all;
        this.change = change;
    }

    /** The variations by their names, each for a number of processes. */
    static Map<String, IntFunction<Variation>> variations(Kind kind) {
        Map<String, IntFunction<Variation>> variations = new LinkedHashMap<>();
        variations.put("as it is", processes -> Variation.NONE);
        variations.put("0.1 x service time", processes -> Variation.NONE.times(0.1));
        variations.put("10 x service time", processes -> Variation.NONE.times(10));
        for (String each : List.of("0.3", "3", "30", "300")) {
            double calls = Double.parseDouble(each);
            variations.put(each + " calls/s each", processes -> Variation.NONE.load(processes * calls / kind.rate));
        }
        for (String timeout : List.of("0.5", "1", "3")) {
            variations.put(
                    "timeout " + timeout + " s", processes -> Variation.NONE.timeout(Double.parseDouble(timeout)));
        }
        if (kind != Kind.HANG) { // its workers are one pool
            variations.put("5 servers", processes -> Variation.NONE.servers(5));
        }
        if (kind != Kind.RETRY_COLLAPSE) { // it works on all requests at once, and none waits for its turn
            variations.put("drops the late", processes -> Variation.NONE.dropping());
        }
        return variations;
    }

    void print(List<Kind> kinds) {
        for (Kind kind : kinds) {
            out.println(kind + ", " + seeds + " seeds: seconds until it is back");
            StringBuilder head = new StringBuilder(String.format(Locale.ROOT, "%-20s %12s", "", "naive"));
            PROCESSES.forEach(processes -> head.append(String.format(Locale.ROOT, " %12d", processes)));
            out.println(head);
            variations(kind).forEach((name, variation) -> out.println(row(kind, name, variation, change)));
            out.println(row(kind, "no stale cache", processes -> Variation.NONE, AtScale::withoutStaleCache));
            out.println(row(kind, "limit: fixed", processes -> Variation.NONE, AtScale::withFixedLimit));
            out.println(row(kind, "adaptive throttle", processes -> Variation.NONE, AtScale::withAdaptiveThrottle));
            out.println(rowOf(kind, "resilience4j", processes -> Variation.NONE, Resilience4jFleet::new));
            out.println();
        }
    }

    private static Stream<Policy> withFixedLimit(Policy policy) {
        return Stream.of(
                policy instanceof BulkheadPolicy ? BulkheadPolicy.of(b -> b.limit(LimitAlgorithm.FIXED)) : policy);
    }

    /** In place of a limit that adapts. */
    private static Stream<Policy> withAdaptiveThrottle(Policy policy) {
        return policy instanceof BulkheadPolicy
                ? Stream.concat(Stream.of(AdaptiveThrottlePolicy.ofDefaults()), withFixedLimit(policy))
                : Stream.of(policy);
    }

    private static Stream<Policy> withoutStaleCache(Policy policy) {
        return Stream.of(policy).filter(one -> !one.name().equals("stale-cache"));
    }

    private String row(
            Kind kind, String name, IntFunction<Variation> variation, Function<Policy, Stream<Policy>> change) {
        return rowOf(kind, name, variation, (world, processes) -> Fleet.standard(world, processes, change));
    }

    private String rowOf(
            Kind kind, String name, IntFunction<Variation> variation, BiFunction<World, Integer, Client> fleet) {
        StringBuilder row = new StringBuilder(String.format(Locale.ROOT, "%-20s", name));
        row.append(String.format(Locale.ROOT, " %12s", cell(kind, variation.apply(Fleet.PROCESSES), kind.naive)));
        for (int processes : PROCESSES) {
            row.append(String.format(
                    Locale.ROOT,
                    " %12s",
                    cell(kind, variation.apply(processes), world -> fleet.apply(world, processes))));
        }
        return row.toString();
    }

    private String cell(Kind kind, Variation variation, Function<World, Client> client) {
        if (variation.load() * kind.rate < LEAST_CALLS || (variation.load() > MOST_LOAD && !all)) {
            return ".";
        }
        List<Trial> trials = new ArrayList<>();
        for (long seed = 1; seed <= seeds; seed++) {
            trials.add(kind.run.of(client, seed, variation));
        }
        return told(trials);
    }

    /** The slowest recovery; of those that are not back, the goodput in the end. And the goodput before, if that was not all. */
    static String told(List<Trial> trials) {
        double before = trials.stream().mapToDouble(Trial::before).average().orElseThrow();
        boolean back = trials.stream().allMatch(trial -> trial.recovery().isPresent());
        String told = back
                ? trials.stream()
                                .mapToInt(trial -> trial.recovery().getAsInt())
                                .max()
                                .orElseThrow()
                        + " s"
                : String.format(
                        Locale.ROOT,
                        "%.0f %%",
                        100
                                * trials.stream()
                                        .mapToDouble(Trial::after)
                                        .average()
                                        .orElseThrow());
        return before < Trial.BACK ? String.format(Locale.ROOT, "%s of %.0f %%", told, 100 * before) : told;
    }
}
