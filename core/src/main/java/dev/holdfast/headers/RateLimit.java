/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.headers;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The fields {@code RateLimit: "default";r=0;t=30} and {@code RateLimit-Policy: "default";q=100;w=60} of the IETF's draft (RateLimit
 * header fields for HTTP, from its version 8 on). A quota with nothing left says for how long. A field that does not follow the
 * syntax is ignored whole, and else a quota without a whole number where one must be.
 */
final class RateLimit {
    /** No quota asks for a wait. */
    static final long NOTHING = -1;

    /** A field cannot be read. */
    static final long MALFORMED = -2;

    /** In place of a whole number. Negative, as no number of these fields may be. */
    private static final long NO_NUMBER = -1;

    /** A longer value is malformed, since a value from outside may be of any length. */
    private static final int LONGEST = 1_024;

    private static final String STRING = "\"(?:[^\"\\\\]|\\\\[\"\\\\])*+\"";
    private static final String TOKEN = "[A-Za-z*][A-Za-z0-9:/!#$%&'*+.^_`|~-]*+";
    private static final String DISPLAYED = "%\"(?:[ !#$&-~]|%[0-9a-f]{2})*+\"";
    private static final Pattern ITEM = Pattern.compile("[ \t]*+(" + STRING + "|" + TOKEN + ")");
    private static final Pattern PARAMETER =
            Pattern.compile("; *+([a-z*][a-z0-9_.*-]*+)(?:=(?:(-?[0-9]{1,15})(?![0-9.])|" + STRING + "|" + TOKEN + "|"
                    + DISPLAYED + "|@-?[0-9]{1,15}(?![0-9.])|:[A-Za-z0-9+/=]*+:|\\?[01]|-?[0-9]{1,12}\\.[0-9]{1,3}))?");
    private static final Pattern SEPARATOR = Pattern.compile("[ \t]*+,(?=[ \t]*+[^ \t])|[ \t]*+$");

    private RateLimit() {}

    /**
     * For how many seconds one of the quotas has nothing left, at most; {@link #NOTHING} if each has something left, or does not
     * say for how long; {@link #MALFORMED} if that is because of a field that is malformed.
     */
    static long seconds(Function<? super String, @Nullable String> headers) {
        String field = headers.apply("RateLimit");
        if (field == null || field.isBlank()) {
            return NOTHING;
        }
        long longest = NOTHING;
        boolean malformed = false;
        Map<String, Map<String, Long>> quotas = items(field);
        for (Map.Entry<String, Map<String, Long>> quota : quotas.entrySet()) {
            Map<String, Long> of = quota.getValue();
            long left = of.getOrDefault("r", NO_NUMBER);
            long reset = left == 0 ? reset(quota.getKey(), of, headers) : NOTHING;
            malformed |= left < 0 || reset < NOTHING;
            longest = Math.max(longest, reset);
        }
        return longest == NOTHING && (malformed || quotas.isEmpty()) ? MALFORMED : longest;
    }

    /** Without a time, it is at most the window of the policy with this name. */
    private static long reset(
            String name, Map<String, Long> quota, Function<? super String, @Nullable String> headers) {
        Long reset = quota.get("t");
        if (reset == null) {
            String policies = headers.apply("RateLimit-Policy");
            if (policies == null) {
                return NOTHING;
            }
            Map<String, Map<String, Long>> all = items(policies);
            if (all.isEmpty()) {
                return MALFORMED;
            }
            reset = all.getOrDefault(name, Map.of()).get("w");
        }
        return reset == null ? NOTHING : reset < 0 ? MALFORMED : reset;
    }

    /** The numbers of each item by their names, {@link #NO_NUMBER} for another value; no items if the field is malformed. */
    private static Map<String, Map<String, Long>> items(String field) {
        Map<String, Map<String, Long>> items = new HashMap<>();
        if (field.isBlank() || field.length() > LONGEST) {
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
                numbers.put(at.group(1), at.group(2) == null ? NO_NUMBER : Long.parseLong(at.group(2)));
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
