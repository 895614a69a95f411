/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.internal.Shown;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.reader.StreamReader;

/** Reads a file into nodes, or reports why it cannot be read. */
final class YamlFile {
    private static final int LONGEST_PROBLEM = 200;

    /** A key of the document's own, of which Spring Boot's properties have the first, and a file has the second. */
    private static final Pattern OF_SPRING =
            Pattern.compile("^\"?holdfast(?:\\.[\\w.\\[\\]-]+)?\"? *:", Pattern.MULTILINE);

    private static final Pattern OF_A_FILE = Pattern.compile("^\"?pipelines\"? *:", Pattern.MULTILINE);

    private final String file;
    private final Problems problems;

    private YamlFile(String file, Problems problems) {
        this.file = file;
        this.problems = problems;
    }

    /** The document's root; empty if there is none, which is then reported. */
    static Optional<Node> read(String name, Bytes bytes, Placeholders placeholders, Problems problems) {
        return new YamlFile(name, problems).read(bytes, placeholders);
    }

    /** What is in the file, or the reason why it cannot be read. */
    @FunctionalInterface
    interface Bytes {
        byte[] get() throws IOException;
    }

    private Optional<Node> read(Bytes bytes, Placeholders placeholders) {
        String text;
        try {
            text = text(bytes.get());
        } catch (NoSuchFileException | FileNotFoundException e) {
            return unreadable("there is no such file");
        } catch (CharacterCodingException e) {
            return unreadable("is not text in UTF-8");
        } catch (AccessDeniedException e) {
            return unreadable("cannot be read: access is denied");
        } catch (IOException e) {
            return unreadable("cannot be read: " + words(String.valueOf(e.getMessage())));
        }
        // Not inside: what a user's placeholders throw says nothing of the file.
        return parse(text, placeholders);
    }

    private Optional<Node> unreadable(String why) {
        problems.add(whole(), why);
        return Optional.empty();
    }

    private String text(byte[] bytes) throws CharacterCodingException {
        if (bytes.length > Bounds.BYTES) {
            throw problems.stop(whole(), "is too large", "at most " + Bounds.BYTES / 1024 + " KiB");
        }
        return StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes))
                .toString();
    }

    private Optional<Node> parse(String text, Placeholders placeholders) {
        int control = firstControl(text);
        if (control < text.length()) {
            problems.add(
                    at(text, control), String.format("not YAML: control character U+%04X", text.codePointAt(control)));
            return Optional.empty();
        }
        // Before the parser: such a file may have several documents, and placeholders of its own.
        Matcher ofSpring = OF_SPRING.matcher(text);
        if (ofSpring.find() && !OF_A_FILE.matcher(text).find()) {
            problems.add(
                    at(text, ofSpring.start()),
                    "a file of Spring Boot's properties, which only Holdfast's starter reads",
                    "what stands below holdfast, in a file of its own; a test that starts the application checks"
                            + " this one, see https://holdfast.dev/docs/spring-boot.md#tests");
            return Optional.empty();
        }
        try {
            return new NodeReader(file, text, placeholders, problems).document();
        } catch (MarkedYAMLException e) {
            report(e);
        } catch (YAMLException e) {
            problems.add(whole(), "not YAML: " + words(String.valueOf(e.getMessage())));
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

    private Place at(String text, int index) {
        int line = 1;
        int begin = 0;
        for (int i = 0; i < index; i++) {
            if (endsLine(text, i)) {
                line++;
                begin = i + 1;
            }
        }
        return Place.document(new Location(file, line, text.codePointCount(begin, index) + 1));
    }

    /** Knows YAML's line breaks, as the parser does. */
    private static boolean endsLine(String text, int i) {
        return switch (text.charAt(i)) {
            case '\n', '\u0085', '\u2028', '\u2029' -> true;
            case '\r' -> text.charAt(i + 1) != '\n';
            default -> false;
        };
    }

    private void report(MarkedYAMLException e) {
        Mark mark = e.getProblemMark();
        Place place = mark == null ? whole() : Place.document(location(file, mark));
        problems.add(place, "not YAML: " + context(e) + problem(e));
    }

    /** The parser's own words, except if they only help an expert of its grammar. */
    private static String problem(MarkedYAMLException e) {
        String problem = words(e.getProblem());
        if (problem.contains("(TAB)")) {
            return "a tab stands where only a space may stand";
        }
        if (problem.endsWith("but got {")) {
            return problem + "; a placeholder between { and } needs quotes";
        }
        boolean belongsToNothing =
                problem.startsWith("expected '<document start>'") || problem.endsWith("'<block mapping start>'");
        return belongsToNothing ? "this belongs to nothing above it; is the indentation right?" : problem;
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
    static Location location(String file, Mark mark) {
        return new Location(file, mark.getLine() + 1, mark.getColumn() + 1);
    }

    private Place whole() {
        return Place.document(Location.whole(file));
    }
}
