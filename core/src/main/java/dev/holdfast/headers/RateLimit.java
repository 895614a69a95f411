/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.headers;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The fields {@code RateLimit: "default";r=0;t=30} and {@code RateLimit-Policy: "default";q=100;w=60} of the IETF's draft (RateLimit
 * header fields for HTTP, from its version 8 on). A quota with nothing left says for how long. A malformed field is ignored whole.
 */
final class RateLimit {
    /** A longer value is malformed, since a value from outside may be of any length. */
    private static final int LONGEST = 1_024;

    private static final String STRING = "\"(?:[^\"\\\\]|\\\\[\"\\\\])*+\"";
    private static final String TOKEN = "[A-Za-z*][A-Za-z0-9:/!#$%&'*+.^_`|~-]*+";
    private static final Pattern ITEM = Pattern.compile("[ \t]*+(" + STRING + "|" + TOKEN + ")");
    private static final Pattern PARAMETER =
            Pattern.compile("; *+([a-z*][a-z0-9_.*-]*+)(?:=(?:(-?[0-9]{1,15})(?![0-9.])|" + STRING + "|" + TOKEN
                    + "|:[A-Za-z0-9+/=]*+:|\\?[01]|-?[0-9]{1,12}\\.[0-9]{1,3}))?");
    private static final Pattern SEPARATOR = Pattern.compile("[ \t]*+,(?=[ \t]*+[^ \t])|[ \t]*+$");

    private RateLimit() {}

    /** The longest time for which one of the quotas has nothing left. */
    static Optional<Duration> wait(Function<? super String, @Nullable String> headers) {
        Map<String, Map<String, Long>> quotas = items(headers.apply("RateLimit"));
        long longest = -1;
        for (Map.Entry<String, Map<String, Long>> quota : quotas.entrySet()) {
            Map<String, Long> of = quota.getValue();
            if (of.getOrDefault("r", 1L) <= 0) {
                Long reset = of.get("t");
                if (reset == null) {
                    // Without a time, it is at most the window of the policy with this name.
                    reset = items(headers.apply("RateLimit-Policy"))
                            .getOrDefault(quota.getKey(), Map.of())
                            .get("w");
                }
                longest = Math.max(longest, reset == null ? -1 : reset);
            }
        }
        return longest < 0 ? Optional.empty() : Optional.of(Duration.ofSeconds(longest));
    }

    /** The whole numbers of each item by their names; none if the field is missing or malformed. */
    private static Map<String, Map<String, Long>> items(@Nullable String field) {
        Map<String, Map<String, Long>> items = new HashMap<>();
        if (field == null || field.isBlank() || field.length() > LONGEST) {
            return items;
        }
        Matcher at = ITEM.matcher(field);
        int end = 0;
        while (end < field.length()) {
            at.usePattern(ITEM).region(end, field.length());
            if (!at.lookingAt()) {
                return Map.of();
            }
            Map<String, Long> numbers = new HashMap<>();
            items.put(at.group(1), numbers);
            end = at.end();
            at.usePattern(PARAMETER).region(end, field.length());
            while (at.lookingAt()) {
                if (at.group(2) != null) {
                    numbers.put(at.group(1), Long.parseLong(at.group(2)));
                }
                end = at.end();
                at.region(end, field.length());
            }
            at.usePattern(SEPARATOR).region(end, field.length());
            if (!at.lookingAt()) {
                return Map.of();
            }
            end = at.end();
        }
        return items;
    }
}
