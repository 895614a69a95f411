/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.ConfigException.Problem;
import dev.holdfast.internal.Shown;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Collects the problems of one configuration, up to a bound. */
final class Problems {
    private static final int LONGEST = 1_000;

    private final Map<Object, Problem> found = new LinkedHashMap<>();
    private int repeated;

    void add(Place place, String what) {
        add(place, what, Optional.empty(), Optional.empty());
    }

    void add(Place place, String what, String expected) {
        add(place, what, Optional.of(expected), Optional.empty());
    }

    void add(Place place, String what, String expected, Optional<String> nearest) {
        add(place, what, Optional.of(expected), nearest);
    }

    /**
     * Ends the reading: throws the problems that were found. Later ones are not looked for.
     *
     * @return nothing, so that {@code throw} can stand before it
     * @throws ConfigException with all that was found
     */
    ConfigException stop(Place place, String what) {
        add(place, what);
        throw exception(List.of());
    }

    /** The same, if it is known what may stand there. */
    ConfigException stop(Place place, String what, String expected) {
        add(place, what, expected);
        throw exception(List.of());
    }

    private void add(Place place, String what, Optional<String> expected, Optional<String> nearest) {
        Location at = place.at();
        // What an alias, a default or another pipeline repeats is told once, at its place.
        Object key = List.of(at, what);
        if (found.containsKey(key)) {
            repeated++;
            if (repeated > Bounds.REPEATED) {
                throw exception(List.of());
            }
            return;
        }
        if (found.size() == Bounds.PROBLEMS) {
            String more = "more is wrong, and only the first " + Bounds.PROBLEMS + " problems that were found are told";
            Place file = Place.document(Location.whole(at.file()));
            throw exception(List.of(problem(file, more, Optional.empty(), Optional.empty())));
        }
        found.put(key, problem(place, what, expected, nearest));
    }

    private static Problem problem(Place place, String what, Optional<String> expected, Optional<String> nearest) {
        return new Problem(
                place.at().file(),
                place.at().line(),
                place.at().column(),
                place.path(),
                shown(what),
                expected.map(Problems::shown),
                nearest.map(Problems::shown));
    }

    private static String shown(String text) {
        return Shown.line(text, LONGEST);
    }

    void throwIfAny() {
        if (!found.isEmpty()) {
            throw exception(List.of());
        }
    }

    private ConfigException exception(List<Problem> last) {
        List<Problem> all = new ArrayList<>(found.values());
        List<String> files = all.stream().map(Problem::file).distinct().toList();
        all.sort(Comparator.<Problem>comparingInt(problem -> files.indexOf(problem.file()))
                .thenComparingInt(Problem::line)
                .thenComparingInt(Problem::column));
        all.addAll(last);
        return new ConfigException(all);
    }
}
