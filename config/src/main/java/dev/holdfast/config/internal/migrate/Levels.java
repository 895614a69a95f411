/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Makes one of the settings of an instance and of the configs that it inherits from. The nearest one counts. But resilience4j
 * makes the function of a wait on each level that has the wait, of what this level says: a breaker of this level alone, a
 * retry also of the levels that this one inherits from, except for the random factor.
 */
final class Levels {
    private static final Map<Kind, Set<String>> WAITS = Map.of(
            Kind.CIRCUIT_BREAKER, Set.of("waitdurationinopenstate", "waitinterval", "waitdurationinopenstatemillis"),
            Kind.RETRY, Set.of("waitduration"));

    private static final String RANDOM_FACTOR = "randomizedwaitfactor";
    private static final Set<String> GROWTH = Set.of(
            "enableexponentialbackoff",
            "exponentialbackoffmultiplier",
            "exponentialmaxwaitduration",
            "exponentialmaxwaitdurationinopenstate",
            "enablerandomizedwait",
            RANDOM_FACTOR);

    private Levels() {}

    /**
     * Of the levels, the nearest first.
     *
     * @param own the settings that count first also if they have a condition
     * @param idle gets comments on settings that have no effect
     * @param said gets all settings but those of which a nearer level of the same part has its own
     */
    static Settings of(Kind kind, List<List<Given>> levels, List<Given> own, List<String> idle, Set<Given> said) {
        levels.stream().flatMap(List::stream).filter(Given::isNothing).forEach(blank -> {
            idle.add(blank.nothing());
            said.add(blank);
        });
        return ofValues(kind, levels.stream().map(Levels::values).toList(), values(own), idle, said);
    }

    private static List<Given> values(List<Given> level) {
        return level.stream().filter(given -> !given.isNothing()).toList();
    }

    private static Settings ofValues(
            Kind kind, List<List<Given>> levels, List<Given> own, List<String> idle, Set<Given> said) {
        List<Given> ranked = ranked(levels, own);
        Optional<Given> wait = ranked.stream()
                .filter(given -> WAITS.getOrDefault(kind, Set.of()).contains(given.canonical()))
                .findFirst();
        int place = (int) levels.stream()
                .takeWhile(level -> wait.filter(level::contains).isEmpty())
                .count();
        List<Given> beside = place < levels.size() ? levels.get(place) : List.of();
        List<Given> beyond = kind == Kind.RETRY
                ? levels.stream().skip(place + 1L).flatMap(List::stream).toList()
                : List.of();
        Map<String, Given> settings = new LinkedHashMap<>();
        for (Given given : ranked) {
            boolean heeded = wait.isEmpty()
                    || !GROWTH.contains(given.canonical())
                    || beside.contains(given)
                    || (beyond.contains(given) && !given.canonical().equals(RANDOM_FACTOR));
            Given holds = heeded ? settings.putIfAbsent(given.canonical(), given) : null;
            if (holds != null && !isReplaced(given, holds)) {
                continue;
            }
            said.add(given);
            if (holds != null) {
                idle.add("left out: " + given.shown() + "; here " + holds.shown() + " holds");
            } else if (!heeded) {
                idle.add("left out: " + given.shown()
                        + "; resilience4j heeds it only beside the wait itself, and the wait is "
                        + wait.get().shown());
            }
        }
        return new Settings(settings, idle);
    }

    /** What always holds comes first: nobody knows whether a condition does. */
    private static List<Given> ranked(List<List<Given>> levels, List<Given> own) {
        Stream<Given> all = Stream.of(false, true)
                .flatMap(conditional -> levels.stream()
                        .flatMap(List::stream)
                        .filter(given -> given.part().isConditional() == conditional));
        return Stream.concat(own.stream(), all).distinct().toList();
    }

    /** Whether a reader of one part alone would expect another value. Within a part, a level is there to be overridden. */
    private static boolean isReplaced(Given given, Given holds) {
        return !given.text().equals(holds.text())
                && (given.part().isConditional()
                        || !given.part().file().equals(holds.part().file()));
    }
}
