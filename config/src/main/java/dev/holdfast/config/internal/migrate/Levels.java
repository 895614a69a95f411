/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Makes one of the settings of an instance and of the configs that it inherits from. The nearest one counts. But resilience4j
 * makes the function of a wait on each level that has the wait, of what this level says: a breaker of this level alone, a
 * retry also of the level that this one inherits from, except for the random factor.
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

    /** Of the levels, the nearest first. */
    static Settings of(Kind kind, List<Map<String, Given>> levels) {
        Optional<Given> wait = levels.stream()
                .flatMap(level -> level.values().stream())
                .filter(given -> WAITS.getOrDefault(kind, Set.of()).contains(given.canonical()))
                .findFirst();
        Map<String, Given> settings = new LinkedHashMap<>();
        List<String> idle = new ArrayList<>();
        int further = -1; // than the level that has the wait
        for (Map<String, Given> level : levels) {
            boolean beside = wait.isPresent() && level.containsValue(wait.get());
            further = beside ? 0 : further < 0 ? further : further + 1;
            boolean inherits = further == 1 && kind == Kind.RETRY;
            level.forEach((key, given) -> {
                boolean heeded = beside || (inherits && !key.equals(RANDOM_FACTOR));
                if (wait.isEmpty() || heeded || !GROWTH.contains(key)) {
                    settings.putIfAbsent(key, given);
                } else {
                    idle.add("left out: " + given.shown()
                            + "; resilience4j heeds it only beside the wait itself, and the wait is "
                            + wait.get().shown());
                }
            });
        }
        return new Settings(settings, idle);
    }
}
