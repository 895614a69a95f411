/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BinaryOperator;
import java.util.stream.Collectors;

/** Holdfast beside each peer that did the same work in the same run; of a peer's variants only the fastest counts. */
final class Ratios {
    private static final String HEADING = """
            | case | threads | Holdfast, ns | B | peer | its ns | B | ratio |
            |---|--:|--:|--:|---|--:|--:|--:|
            """;

    private final List<Ratio> ratios = new ArrayList<>();

    /** In the order of scenarios, then of threads, then of libraries. */
    Ratios(Collection<Figure> figures) {
        Map<Scenario, Map<Integer, List<Figure>>> rows = figures.stream()
                .collect(Collectors.groupingBy(
                        Figure::scenario,
                        TreeMap::new,
                        Collectors.groupingBy(Figure::threads, TreeMap::new, Collectors.toList())));
        rows.values().forEach(row -> row.values().forEach(this::compare));
    }

    private void compare(List<Figure> row) {
        Map<Library, Figure> fastest = new TreeMap<>();
        row.stream()
                .collect(Collectors.toMap(
                        figure -> figure.library().family(),
                        figure -> figure,
                        BinaryOperator.minBy(Comparator.comparingDouble(Figure::nanos))))
                .values()
                .forEach(figure -> fastest.put(figure.library(), figure));
        Figure ours = fastest.remove(Library.HOLDFAST);
        if (ours != null) {
            fastest.values().forEach(peer -> ratios.add(Ratio.of(ours, peer)));
        }
    }

    boolean isEmpty() {
        return ratios.isEmpty();
    }

    List<Ratio> all() {
        return List.copyOf(ratios);
    }

    /** All of them as a JSON array. */
    void writeTo(Path file) throws IOException {
        Files.writeString(
                file,
                JsonMapper.builder().build().writerWithDefaultPrettyPrinter().writeValueAsString(ratios) + '\n');
    }

    /** All of them as a Markdown table. */
    String markdown() {
        return HEADING + ratios.stream().map(Ratios::line).collect(Collectors.joining());
    }

    private static String line(Ratio ratio) {
        return String.format(
                Locale.ROOT,
                "| %s | %d | %.1f | %.0f | %s | %.1f | %.0f | %.2f |%n",
                ratio.scenario(),
                ratio.threads(),
                ratio.oursNanos(),
                ratio.oursBytes(),
                ratio.peer(),
                ratio.peerNanos(),
                ratio.peerBytes(),
                ratio.ratio());
    }
}
