/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.ConfigException.Problem;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Collects the problems of one file, up to a bound. */
final class Problems {
    private static final int LONGEST = 1_000;

    private final String file;
    // A set: an anchor that is used twice under one path (a merge) would report its problems twice.
    private final Set<Problem> found = new LinkedHashSet<>();

    Problems(String file) {
        this.file = file;
    }

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
        if (found.size() == Bounds.PROBLEMS) {
            String more = "more is wrong, and only the first " + Bounds.PROBLEMS + " problems that were found are told";
            throw exception(
                    List.of(problem(Place.document(Location.WHOLE_FILE), more, Optional.empty(), Optional.empty())));
        }
        found.add(problem(place, what, expected, nearest));
    }

    private Problem problem(Place place, String what, Optional<String> expected, Optional<String> nearest) {
        return new Problem(
                file,
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
        List<Problem> all = new ArrayList<>(found);
        all.sort(Comparator.comparingInt(Problem::line).thenComparingInt(Problem::column));
        all.addAll(last);
        return new ConfigException(all);
    }
}
