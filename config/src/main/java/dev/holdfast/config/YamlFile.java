/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.reader.StreamReader;

/** Reads a file into nodes, or reports why it cannot be read. */
final class YamlFile {
    private static final int LONGEST_PROBLEM = 200;

    private YamlFile() {}

    /** The document's root; empty if there is none, which is then reported. */
    static Optional<Node> read(Path path, Problems problems) {
        try {
            return parse(text(path, problems), problems);
        } catch (NoSuchFileException e) {
            problems.add(place(0, 0), "there is no such file");
        } catch (CharacterCodingException e) {
            problems.add(place(0, 0), "is not text in UTF-8");
        } catch (AccessDeniedException e) {
            problems.add(place(0, 0), "cannot be read: access is denied");
        } catch (IOException e) {
            String why = Files.isDirectory(path) ? "is a directory" : String.valueOf(e.getMessage());
            problems.add(place(0, 0), "cannot be read: " + why);
        }
        return Optional.empty();
    }

    private static String text(Path path, Problems problems) throws IOException {
        // The size is not asked for, because it is 0 for a file without end.
        try (InputStream in = Files.newInputStream(path)) {
            byte[] bytes = in.readNBytes(Bounds.BYTES + 1);
            if (bytes.length > Bounds.BYTES) {
                throw problems.stop(place(0, 0), "is too large", "at most " + Bounds.BYTES / 1024 + " KiB");
            }
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        }
    }

    private static Optional<Node> parse(String text, Problems problems) {
        int control = firstControl(text);
        if (control < text.length()) {
            report(text, control, problems);
            return Optional.empty();
        }
        try {
            return new NodeReader(text, problems).document();
        } catch (MarkedYAMLException e) {
            report(e, problems);
        } catch (YAMLException e) {
            problems.add(place(0, 0), "not YAML: " + words(String.valueOf(e.getMessage())));
        }
        return Optional.empty();
    }

    /** The index of the first character that YAML does not allow. The parser reports it without its position. */
    private static int firstControl(String text) {
        int i = 0;
        while (i < text.length() && StreamReader.isPrintable(text.codePointAt(i))) {
            i += Character.charCount(text.codePointAt(i));
        }
        return i;
    }

    private static void report(String text, int control, Problems problems) {
        int line = 1;
        int begin = 0;
        for (int i = 0; i < control; i++) {
            if (endsLine(text, i)) {
                line++;
                begin = i + 1;
            }
        }
        int column = text.codePointCount(begin, control) + 1;
        String what = String.format("not YAML: control character U+%04X", text.codePointAt(control));
        problems.add(place(line, column), what);
    }

    /** Knows YAML's line breaks, as the parser does. */
    private static boolean endsLine(String text, int i) {
        return switch (text.charAt(i)) {
            case '\n', '\u0085', '\u2028', '\u2029' -> true;
            case '\r' -> text.charAt(i + 1) != '\n';
            default -> false;
        };
    }

    private static void report(MarkedYAMLException e, Problems problems) {
        Mark mark = e.getProblemMark();
        Place place = mark == null ? place(0, 0) : Place.document(location(mark));
        problems.add(place, "not YAML: " + context(e) + problem(e));
    }

    /** The parser's own words, except if they only help an expert of its grammar. */
    private static String problem(MarkedYAMLException e) {
        String problem = words(e.getProblem());
        if (problem.contains("(TAB)")) {
            return "a tab stands where only spaces may indent";
        }
        return problem.startsWith("expected '<document start>'")
                ? "this belongs to nothing above it; is the indentation right?"
                : problem;
    }

    private static String context(MarkedYAMLException e) {
        Mark begin = e.getContextMark();
        if (e.getContext() == null || begin == null) {
            return "";
        }
        return words(e.getContext()) + " that begins at line " + (begin.getLine() + 1) + ", ";
    }

    private static String words(String text) {
        return Shown.words(text, LONGEST_PROBLEM);
    }

    /** The parser's mark as a location. */
    static Location location(Mark mark) {
        return new Location(mark.getLine() + 1, mark.getColumn() + 1);
    }

    private static Place place(int line, int column) {
        return Place.document(new Location(line, column));
    }
}
