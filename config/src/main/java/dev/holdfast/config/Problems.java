/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.ConfigException.Problem;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Collects what is wrong with one file. */
final class Problems {
    private final String file;
    private final List<Problem> found = new ArrayList<>();

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

    private void add(Place place, String what, Optional<String> expected, Optional<String> nearest) {
        Location at = place.at();
        Problem problem = new Problem(file, at.line(), at.column(), place.path(), what, expected, nearest);
        // An anchor that is used twice under one path (a merge) would say the same thing twice.
        if (!found.contains(problem)) {
            found.add(problem);
        }
    }

    void throwIfAny() {
        if (!found.isEmpty()) {
            found.sort(Comparator.comparingInt(Problem::line).thenComparingInt(Problem::column));
            throw new ConfigException(found);
        }
    }
}
