/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/** Reads a file into nodes, or says why it cannot be read. */
final class YamlFile {
    private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}&&[^\\t\\r\\n]]");

    private YamlFile() {}

    /** The document's root; empty if there is none, which has been reported then. */
    static Optional<Node> read(Path path, Problems problems) {
        try {
            return parse(Files.readString(path), problems);
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

    private static Optional<Node> parse(String text, Problems problems) {
        // The parser tells such a character without its place.
        Matcher control = CONTROL.matcher(text);
        if (control.find()) {
            String before = text.substring(0, control.start());
            int line = (int) before.chars().filter(c -> c == '\n').count() + 1;
            String what = String.format("not YAML: control character U+%04X", (int) text.charAt(control.start()));
            problems.add(place(line, before.length() - before.lastIndexOf('\n')), what);
            return Optional.empty();
        }
        try (NodeReader reader = new NodeReader(text, problems)) {
            return reader.document();
        } catch (JsonProcessingException e) {
            report(e, problems);
            return Optional.empty();
        } catch (IOException e) {
            throw new IllegalStateException("reading from memory failed", e);
        }
    }

    private static void report(JsonProcessingException e, Problems problems) {
        if (e.getCause() instanceof MarkedYAMLException marked && marked.getProblemMark() != null) {
            problems.add(place(marked.getProblemMark()), "not YAML: " + context(marked) + problem(marked));
            return;
        }
        JsonLocation at = e.getLocation();
        String message = String.valueOf(e.getOriginalMessage());
        String what = message.startsWith("Expected a field name") ? "a key must be a plain text" : message;
        problems.add(at == null ? place(0, 0) : place(at.getLineNr(), at.getColumnNr()), "not YAML: " + line(what));
    }

    /** The parser's own words, except where they help only those who know its grammar. */
    private static String problem(MarkedYAMLException e) {
        String problem = line(e.getProblem());
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
        return line(e.getContext()) + " that begins at line " + (begin.getLine() + 1) + ", ";
    }

    private static String line(String text) {
        return text.strip().replaceAll("\\s+", " ");
    }

    private static Place place(Mark mark) {
        return place(mark.getLine() + 1, mark.getColumn() + 1);
    }

    private static Place place(int line, int column) {
        return new Place(new Location(line, column), "");
    }
}
