/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import dev.holdfast.internal.Checks;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A section of a pipeline, as it is made of settings: options with a comment each, and comments alone. */
final class Section {
    static final Duration SHORTEST = Duration.ofMillis(1);
    static final Duration LONGEST = Duration.ofDays(1);

    private static final Pattern VARIABLE = Pattern.compile("\\$\\{([^:}]+)[:}]");

    private final Settings settings;
    private final List<Line> lines = new ArrayList<>();

    /**
     * An option and why it is so.
     *
     * @param option empty for a comment alone
     */
    record Line(String option, String value, String comment) {}

    Section(Settings settings) {
        this.settings = settings;
        settings.take("base-config").ifPresent(base -> comment(base.kept() + ": " + base.shown()));
    }

    List<Line> lines() {
        return lines;
    }

    void comment(String comment) {
        lines.add(new Line("", "", comment));
    }

    /** An option that the files do not have; nothing if they have it. */
    void add(String option, String value, String why) {
        if (!has(option)) {
            lines.add(new Line(option, value, "added: " + why));
        }
    }

    void changed(String option, String value, Given given, String why) {
        lines.add(new Line(option, value, "changed: " + given.shown() + "; " + why + given.replaced()));
    }

    /** The variables of the environment that these options have, as words; empty if there are none. */
    String variables(String... options) {
        return Stream.of(options)
                .flatMap(option -> VARIABLE.matcher(value(option)).results())
                .map(found -> found.group(1))
                .distinct()
                .collect(Collectors.joining(" and "));
    }

    /** Says beside an option what must hold for it and another one, if one of them is a variable. */
    void compared(String option, String other, String holds) {
        String variables = variables(option, other);
        if (!variables.isEmpty() && !value(option).equals(value(other))) {
            boolean unknown = isUnknown(option) || isUnknown(other);
            String more = unknown
                    ? "; " + holds + " " + other
                    : "; right for the default of " + variables + ": with another value, " + holds + " " + other;
            lines.replaceAll(line ->
                    line.option().equals(option) ? new Line(option, line.value(), line.comment() + more) : line);
        }
    }

    boolean has(String option) {
        return !value(option).isEmpty();
    }

    /** Whether an option is a variable without a default. */
    boolean isUnknown(String option) {
        return value(option).startsWith("${") && !value(option).contains(":");
    }

    /** The value that an option has got; empty if it has none. */
    String value(String option) {
        return lines.stream()
                .filter(line -> line.option().equals(option))
                .map(Line::value)
                .findFirst()
                .orElse("");
    }

    /** The name is that of resilience4j 2. */
    private <T> void kept(String option, T value, String text, Given given, String name) {
        boolean variable = isNumberOrTime(value)
                && (given.variable().isPresent() || given.unknown().isPresent());
        boolean same = Text.canonical(option).equals(given.canonical())
                && text.equals(given.text())
                && (variable || given.text().equals(given.written()))
                && given.others().isEmpty()
                && !given.part().isConditional();
        boolean old = !Text.canonical(name).equals(given.canonical());
        String comment = given.kept()
                + (same ? given.origin() : ": " + given.shown())
                + (given.part().isConditional() ? "; no part without a condition has it" : "")
                + (old ? "; resilience4j 2 does not know this name, and ignores it" : "")
                + given.unknown().map(unset -> "; " + unset + " must be set").orElse("")
                + (variable && value instanceof Duration ? "; a time in the variable needs a unit" : "")
                + (variable ? "" : given.replaced());
        lines.add(new Line(option, variable ? given.placed(text) : text, comment));
    }

    /** What becomes of a flag that is no option of its own here. */
    void commentFlag(Given flag, boolean effect) {
        comment(
                flag.flag().isEmpty()
                        ? "left out: " + flag.shown() + "; the value is not understood"
                        : (effect ? flag.kept() : "left out") + ": " + flag.shown() + flag.replaced());
    }

    private static boolean isNumberOrTime(Object value) {
        return value instanceof BigDecimal || value instanceof Duration;
    }

    /** Takes these settings, which have no effect. */
    void leaveOut(String why, String... names) {
        for (String name : names) {
            settings.take(name).ifPresent(given -> comment("left out: " + given.shown() + "; " + why));
        }
    }

    /** What is left of the settings. */
    Section end() {
        settings.idle().forEach(this::comment);
        settings.rest().forEach(given -> comment(Without.of(given)));
        return this;
    }

    /**
     * Of the names the one that {@link Settings#given} finds counts; those after the first are names of resilience4j 1.
     *
     * @return empty if none is there, or the option is now a variable whose value nobody knows
     */
    Optional<Long> whole(String option, long least, long most, String... names) {
        Function<Given, Optional<BigDecimal>> read = given ->
                given.number().filter(value -> value.stripTrailingZeros().scale() <= 0);
        return ranged(option, read, BigDecimal.valueOf(least), BigDecimal.valueOf(most), Text::number, names)
                .map(BigDecimal::longValueExact);
    }

    Optional<BigDecimal> decimal(String option, long least, long most, String... names) {
        return ranged(option, Given::number, BigDecimal.valueOf(least), BigDecimal.valueOf(most), Text::number, names);
    }

    Optional<Duration> duration(String option, Duration least, Duration most, String... names) {
        return ranged(option, Given::duration, least, most, Checks::text, names);
    }

    /** The first of several waits: as in resilience4j, the longest one, if it is written, limits it too. */
    Optional<Duration> firstWait(String option, Duration least, Optional<Given> longest, String... names) {
        Optional<Duration> limit = longest.flatMap(Given::duration).filter(time -> time.compareTo(LONGEST) < 0);
        boolean over = settings.given(names)
                .flatMap(Given::duration)
                .filter(time -> limit.isPresent() && time.compareTo(limit.get()) > 0)
                .isPresent();
        Duration most = limit.filter(time -> time.compareTo(least) > 0).orElse(limit.isPresent() ? least : LONGEST);
        Optional<Duration> wait = duration(option, least, most, names);
        if (over) {
            comment("note: in resilience4j " + longest.get().shown() + " limits the first wait, too");
        }
        return wait;
    }

    void flag(String option) {
        ranged(option, Given::flag, false, true, Object::toString);
    }

    /** One of some words. As in Spring, only letters and digits count: {@code TIME_BASED}, {@code TimeBased}. */
    void word(String option, String... known) {
        Function<Given, Optional<String>> read = given -> {
            String letters = given.text().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
            return Stream.of(known)
                    .filter(word -> word.replace("-", "").equals(letters))
                    .findFirst();
        };
        ranged(option, read, "", "~", Function.identity());
    }

    private <T extends Comparable<T>> Optional<T> ranged(
            String option,
            Function<Given, Optional<T>> read,
            T least,
            T most,
            Function<T, String> text,
            String... names) {
        String name = names.length == 0 ? option : names[0];
        Optional<Given> found = names.length == 0 ? settings.take(option) : settings.take(names);
        Optional<T> kept = found.flatMap(given -> {
            Optional<T> value = read.apply(given);
            if (value.isEmpty() && isNumberOrTime(least) && given.unknown().isPresent()) {
                kept(option, least, given.text(), given, name);
                return value;
            }
            if (value.isEmpty()) {
                comment("left out: " + given.shown() + "; the value is not understood");
                return value;
            }
            T near = value.get().compareTo(least) < 0 ? least : value.get().compareTo(most) > 0 ? most : value.get();
            if (near.equals(value.get())) {
                kept(option, near, text.apply(near), given, name);
            } else {
                changed(option, text.apply(near), given, near.equals(least) ? "the least here" : "the most here");
            }
            return Optional.of(near);
        });
        found.ifPresent(given -> leaveOut("here " + Text.shown(given.name()) + " holds", names));
        return kept;
    }
}
