/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.matrix.Cell.Level;
import dev.holdfast.matrix.Cell.Way;
import dev.holdfast.matrix.Model.Prediction;
import dev.holdfast.testing.ThreadKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Every pair of policies, and pipelines inside pipelines, against every way a call can end: what the caller gets, when, and
 * what is counted is as {@link Model} reads the pages, and nothing is left behind.
 *
 * <p>A failure names the case; {@code -Dholdfast.matrix.cell="async(retry>timeout)/call(bulkhead) OWN_LIMIT"} runs it alone.
 */
@ThreadKind.Each
class MatrixTest {
    private static final long TOLERANCE = 3;
    private static final int SHOWN = 40;
    /** A file to which all that is wrong is added. */
    private static final String REPORT = System.getProperty("holdfast.matrix.report");

    /** Held, since a logger that nobody holds forgets its level. Most orders of the matrix are warned of. */
    private static final Logger WARNINGS = Logger.getLogger("dev.holdfast");

    private final List<String> wrong = new ArrayList<>();
    private final Map<Silent, int[]> answers = new EnumMap<>(Silent.class);
    private final Map<String, String> examples = new TreeMap<>();
    private int cells;
    private int unmodelled;

    @BeforeAll
    static void quiet() {
        WARNINGS.setLevel(java.util.logging.Level.OFF);
    }

    @AfterAll
    static void loud() {
        WARNINGS.setLevel(null);
    }

    @Test
    void aloneAndWithoutAny() {
        for (Way way : Way.values()) {
            play(level(way));
            for (Layer layer : Layer.values()) {
                play(level(way, layer));
            }
        }
        verify("alone");
    }

    @Test
    void everyPairInBothOrders() {
        for (Way way : Way.values()) {
            for (Layer outer : Layer.values()) {
                for (Layer inner : Layer.values()) {
                    if (outer != inner || (outer != Layer.DEDICATED && outer != Layer.HEDGE)) {
                        play(level(way, outer, inner));
                    }
                }
            }
        }
        verify("pairs");
    }

    @Test
    void theStandardPipelineAloneAndAroundAndInsideOthers() {
        for (Way way : Way.values()) {
            play(new Level(way, Layer.STANDARD));
            for (Way other : Way.values()) {
                for (Layer layer : Layer.values()) {
                    play(new Level(way, Layer.STANDARD), level(other, layer));
                    play(level(other, layer), new Level(way, Layer.STANDARD));
                }
            }
        }
        verify("standard");
    }

    @Test
    void everyPipelineInEveryOther() {
        for (Way outerWay : Way.values()) {
            for (Way innerWay : Way.values()) {
                for (Layer outer : Layer.values()) {
                    for (Layer inner : Layer.values()) {
                        play(level(outerWay, outer), level(innerWay, inner));
                    }
                }
            }
        }
        verify("nested");
    }

    @Test
    void threeDeep() {
        List<Layer> some = List.of(Layer.DEADLINE, Layer.RETRY, Layer.BULKHEAD, Layer.TIMEOUT);
        for (Layer outer : some) {
            for (Layer middle : some) {
                for (Layer inner : some) {
                    for (int ways = 0; ways < 8; ways++) {
                        play(level(way(ways & 1), outer), level(way(ways & 2), middle), level(way(ways & 4), inner));
                    }
                }
            }
        }
        verify("three deep");
    }

    @Test
    void oneByName() {
        String name = System.getProperty("holdfast.matrix.cell");
        if (name != null) {
            Cell cell = Cell.parse(name);
            System.out.println("may be seen: " + Model.predictions(cell));
            play(cell);
            verify(name);
        }
    }

    private void report() {
        if (REPORT != null) {
            try {
                Files.write(Path.of(REPORT), wrong, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static Way way(int bit) {
        return bit == 0 ? Way.CALL : Way.ASYNC;
    }

    private static Level level(Way way, Layer... layers) {
        return new Level(way, List.of(layers));
    }

    private void play(Level... levels) {
        for (Ending ending : Ending.values()) {
            Cell cell = Cell.of(ending, levels);
            if (cell.makesSense()) {
                play(cell);
            }
        }
    }

    private void play(Cell cell) {
        cells++;
        try (Play play = new Play(cell)) {
            Map<String, String> seen = play.run();
            List<String> problems = new ArrayList<>(play.leftBehind());
            compare(cell, seen, problems);
            if (!problems.isEmpty()) {
                wrong.add(cell + "  [" + ThreadKind.current() + (cell.spied() ? ", spied" : "") + "]: "
                        + String.join("; ", problems));
            }
        } catch (Throwable thrown) {
            wrong.add(cell + "  [" + ThreadKind.current() + "]: threw " + thrown);
        }
    }

    private void compare(Cell cell, Map<String, String> seen, List<String> problems) {
        List<Prediction> may;
        try {
            may = Model.predictions(cell);
        } catch (Model.Unmodelled known) {
            unmodelled++;
            return;
        }
        List<Prediction> fitting =
                may.stream().filter(one -> differences(one, seen).isEmpty()).toList();
        if (fitting.isEmpty()) {
            problems.add(String.join(", ", differences(may.get(0), seen)));
            return;
        }
        for (Silent question : Silent.values()) {
            Set<Boolean> given = fitting.stream()
                    .map(one -> one.answer(question))
                    .filter(Objects::nonNull)
                    .collect(Collectors.toSet());
            // Only where the answer made a difference.
            if (given.size() == 1 && fitting.size() < may.size()) {
                examples.putIfAbsent(question + " " + given, cell.toString());
                int way = cell.level(0).way() == Way.CALL ? 0 : 1;
                answers.computeIfAbsent(question, key -> new int[4])[way * 2 + (given.contains(true) ? 0 : 1)]++;
            }
        }
    }

    private static List<String> differences(Prediction prediction, Map<String, String> seen) {
        List<String> differences = new ArrayList<>();
        prediction.seen().forEach((what, expected) -> {
            String found = seen.getOrDefault(what, "nothing");
            if (!same(what, expected, found)) {
                differences.add(what + " is " + found + ", not " + expected);
            }
        });
        return differences;
    }

    private static boolean same(String what, String expected, String found) {
        if (what.equals("end") && expected.startsWith("busy")) {
            // Of attempts that run side by side the model does not know which began first.
            return found.startsWith("busy");
        }
        boolean timed = what.equals("at") && !found.equals("nothing");
        return timed ? Math.abs(Long.parseLong(expected) - Long.parseLong(found)) <= TOLERANCE : expected.equals(found);
    }

    private void verify(String part) {
        System.out.printf(
                "matrix, %s, %s threads: %,d cases, %d of them without a model%n",
                part, ThreadKind.current(), cells, unmodelled);
        answers.forEach((question, counts) -> {
            if (Boolean.getBoolean("holdfast.matrix.answers")) {
                System.out.printf(
                        "  %s: call %d yes %d no, async %d yes %d no%n",
                        question, counts[0], counts[1], counts[2], counts[3]);
            }
        });
        if (Boolean.getBoolean("holdfast.matrix.answers")) {
            examples.forEach((answer, example) -> System.out.println("  " + answer + " as in " + example));
        }
        report();
        assertThat(wrong.size() > SHOWN ? wrong.subList(0, SHOWN) : wrong)
                .as("%d of %d cases are wrong", wrong.size(), cells)
                .isEmpty();
    }
}
