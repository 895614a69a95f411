/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The settings of one instance of one kind. Each is taken once, so that at the end it is known which are left. */
final class Settings {
    private static final int LONGEST = 5_000;

    private final Map<String, Given> left;
    private final List<String> idle;

    /** The comments are on settings that have no effect. */
    Settings(Map<String, Given> given, List<String> idle) {
        this.left = new LinkedHashMap<>(given);
        this.idle = idle;
    }

    Settings copy() {
        return new Settings(left, idle);
    }

    /** Comments on the settings that have no effect: others hold, or resilience4j does not look for them there. */
    List<String> idle() {
        return idle;
    }

    boolean has(String name) {
        return left.containsKey(Text.canonical(name));
    }

    /** The text, without taking it. */
    String text(String name) {
        Given given = left.get(Text.canonical(name));
        return given == null ? "" : given.text();
    }

    /** Of these names the first that is there; but what the instance has counts more than what it inherits. */
    Optional<Given> given(String... names) {
        List<String> wanted = Stream.of(names).map(Text::canonical).toList();
        // The instance's own settings come first, then those of each config, then those of parts with a condition.
        Optional<Given> nearest = left.values().stream()
                .filter(given -> wanted.contains(given.canonical()))
                .findFirst();
        return wanted.stream()
                .flatMap(name -> Optional.ofNullable(left.get(name)).stream())
                .filter(given -> nearest.stream()
                        .anyMatch(near -> near.config().equals(given.config())
                                && near.part().isConditional() == given.part().isConditional()))
                .findFirst();
    }

    /** As {@link #given}, and takes it. */
    Optional<Given> take(String... names) {
        Optional<Given> given = given(names);
        given.ifPresent(found -> left.remove(found.canonical()));
        return given;
    }

    /** Takes all that are left. */
    List<Given> rest() {
        List<Given> rest = List.copyOf(left.values());
        left.clear();
        return rest;
    }

    /**
     * Whether resilience4j would count or repeat such an exception, a {@code RuntimeException}.
     *
     * @param wanted the setting that lists what is counted
     * @param ignored the setting that lists what is not
     */
    boolean counts(String exception, String wanted, String ignored) {
        return !lists(ignored, exception) && (!has(wanted) || lists(wanted, exception));
    }

    /** The items of a list, without taking it; none if there are very many. */
    List<String> listed(String name) {
        String text = text(name);
        return text.length() > LONGEST
                ? List.of()
                : Stream.of(text.split(",", -1))
                        .map(String::strip)
                        .filter(item -> !item.isEmpty())
                        .toList();
    }

    private boolean lists(String setting, String exception) {
        for (String listed : text(setting).split(",", -1)) {
            String name = listed.strip();
            if (List.of("java.lang.Throwable", "java.lang.Exception", "java.lang.RuntimeException")
                            .contains(name)
                    || name.endsWith("." + exception)) {
                return true;
            }
        }
        return false;
    }
}
