/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The text of a file with pipelines. Counts its comments by their first word. */
final class Printed {
    private static final int WIDTH = 110;
    private static final int A_LONG_ONE = 80;
    private static final Pattern STOP = Pattern.compile("[;.] ");
    private static final List<String> WORDS = List.of(
            "kept",
            "changed",
            "added",
            "not written",
            "left out",
            "without meaning",
            "in code",
            "unknown",
            "note",
            "trap");

    private final StringBuilder text = new StringBuilder();
    private final List<String> counted = new ArrayList<>();
    private final Set<String> said = new HashSet<>();

    void line(int level, String line) {
        text.append("  ".repeat(level)).append(line).append('\n');
    }

    /** The comment stands beside the line if there is room, else above it. */
    void line(int level, String line, String full) {
        String comment = shortIfSaid(full);
        if (2 * level + line.length() + comment.length() + 3 <= WIDTH) {
            count(comment);
            line(level, line + " # " + comment);
        } else {
            wrapped(level, comment);
            line(level, line);
        }
    }

    void comment(int level, String comment) {
        wrapped(level, shortIfSaid(comment));
    }

    /** A long comment is written out once. */
    private String shortIfSaid(String comment) {
        if (comment.length() < A_LONG_ONE || said.add(comment)) {
            return comment;
        }
        Matcher end = STOP.matcher(comment);
        return end.find() ? comment.substring(0, end.start()) + "; as above" : comment;
    }

    private void wrapped(int level, String comment) {
        count(comment);
        StringBuilder line = new StringBuilder("#");
        for (String word : comment.split(" ", -1)) {
            if (2 * level + line.length() + word.length() >= WIDTH && line.length() > 3) {
                line(level, line.toString());
                line = new StringBuilder("#  ");
            }
            line.append(' ').append(word);
        }
        line(level, line.toString());
    }

    void section(int level, String name, Section section) {
        line(level, name + ":");
        String open = "";
        for (Section.Line line : section.lines()) {
            int dot = line.option().indexOf('.');
            String group = dot < 0 ? "" : line.option().substring(0, dot);
            if (line.option().isEmpty()) {
                comment(level + 1, line.comment());
                continue;
            }
            if (!group.isEmpty() && !group.equals(open)) {
                line(level + 1, group + ":");
            }
            open = group;
            String option = line.option().substring(dot + 1);
            line(level + (group.isEmpty() ? 1 : 2), option + ": " + line.value(), line.comment());
        }
    }

    void append(Printed other) {
        text.append(other.text);
        counted.addAll(other.counted);
    }

    private void count(String comment) {
        WORDS.stream().filter(comment::startsWith).forEach(counted::add);
    }

    /** How many comments begin with which word. */
    String summary() {
        return WORDS.stream()
                .filter(counted::contains)
                .map(word -> Collections.frequency(counted, word) + " " + word)
                .map(part -> part.matches("1 .*|.*(?<!note|trap)") ? part : part + "s")
                .collect(Collectors.joining(", "));
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
