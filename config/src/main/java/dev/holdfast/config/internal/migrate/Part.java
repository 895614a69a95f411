/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Where a setting stands.
 *
 * @param file empty if there is only one file
 * @param condition the profiles and the cloud platform for which Spring uses this part of the file; empty if it always does
 */
record Part(String file, String condition) {
    /** Whether nobody knows if Spring uses it. */
    boolean isConditional() {
        return !condition.isEmpty();
    }

    /** For a comment; empty if it is clear. */
    String origin(String config) {
        String of = Stream.of(config.isEmpty() ? "" : "configs." + config, condition, file)
                .filter(each -> !each.isEmpty())
                .map(Text::shown)
                .collect(Collectors.joining(", "));
        return of.isEmpty() ? "" : " (of " + of + ")";
    }
}
