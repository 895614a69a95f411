/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;

/** What was measured as Markdown: a row for each case, columns for each number of threads, memory at the smallest. */
final class Table {
    /** By case, then by threads; both in the order in which they are to be printed. */
    private final Map<String, Map<Integer, RunResult>> rows = new LinkedHashMap<>();

    private final TreeSet<Integer> threads = new TreeSet<>();

    Table(Collection<RunResult> results) {
        for (RunResult result : results) {
            int with = result.getParams().getThreads();
            threads.add(with);
            rows.computeIfAbsent(row(result.getParams()), name -> new LinkedHashMap<>())
                    .put(with, result);
        }
    }

    /** The table, with what it was measured on above it. */
    String markdown(String command) {
        StringBuilder text = new StringBuilder(origin(command));
        text.append("| ns a call, median |");
        threads.forEach(with -> text.append(with == 1 ? " 1 thread |" : " " + with + " threads |")
                .append(" ± |"));
        text.append(" B a call |\n|---|")
                .append("--:|--:|".repeat(threads.size()))
                .append("--:|\n");
        rows.forEach((name, row) -> text.append(line(name, row)));
        return text.append('\n').append(ownCost()).toString();
    }

    private static String origin(String command) {
        return "`" + command.strip() + "`: " + machine()
                + ". Lower is better; ± is JMH's 99.9 % error of the mean.\n\n";
    }

    /** What this is measured on. */
    static String machine() {
        return System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version") + ", "
                + System.getProperty("os.name") + " " + System.getProperty("os.arch") + ", "
                + Runtime.getRuntime().availableProcessors() + " cores";
    }

    private String line(String name, Map<Integer, RunResult> row) {
        String cells = threads.stream()
                .map(row::get)
                .map(result -> result == null ? " – | – |" : cell(result.getPrimaryResult()))
                .collect(Collectors.joining());
        RunResult fewest = row.values().iterator().next();
        return "| " + name + " |" + cells + " " + bytes(fewest) + " |\n";
    }

    private static String cell(Result<?> result) {
        double error = result.getScoreError();
        String spread = Double.isNaN(error) ? "–" : String.format(Locale.ROOT, "%.1f", error);
        return String.format(Locale.ROOT, " %.1f | %s |", Figure.median(result), spread);
    }

    private static String bytes(RunResult result) {
        double bytes = Figure.bytes(result);
        return Double.isNaN(bytes) ? "–" : String.format(Locale.ROOT, "%.0f", bytes);
    }

    private static String row(BenchmarkParams params) {
        String benchmark = params.getBenchmark();
        String shortened = benchmark.substring(benchmark.lastIndexOf('.', benchmark.lastIndexOf('.') - 1) + 1);
        String parameters = params.getParamsKeys().stream()
                .map(key -> key + " " + params.getParam(key).toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(", "));
        return parameters.isEmpty() ? shortened : shortened + ": " + parameters;
    }

    /** The lines that the targets speak of: four do-nothing policies without the two clock reads. */
    private String ownCost() {
        StringBuilder text = new StringBuilder();
        RunResult clock = at("Floor.twoClockReads");
        for (Profile profile : Profile.values()) {
            String name = profile.name().toLowerCase(Locale.ROOT);
            RunResult four = at("NoOpPipelines.call: limited false, policies 4, profile " + name);
            RunResult limited = at("NoOpPipelines.call: limited true, policies 4, profile " + name);
            if (clock != null && four != null && limited != null) {
                text.append(String.format(
                        Locale.ROOT,
                        "Own cost of four do-nothing policies, two clock reads apart, %s profile: %.1f ns and %s B;"
                                + " with timeout and deadline %.1f ns more.%n",
                        name,
                        difference(four, clock),
                        bytes(four),
                        difference(limited, four)));
            }
        }
        return text.toString();
    }

    private static double difference(RunResult one, RunResult other) {
        return Figure.median(one.getPrimaryResult()) - Figure.median(other.getPrimaryResult());
    }

    /** A row at one thread. */
    private @Nullable RunResult at(String row) {
        return rows.getOrDefault(row, Map.of()).get(1);
    }
}
