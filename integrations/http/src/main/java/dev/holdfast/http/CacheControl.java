/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the lines of a {@code Cache-Control} say (RFC 9111 §5.2). A line that is not as it must be may have said anything, {@code
 * private} also.
 *
 * @param arguments of the directives, whose names are in lower case; of two with one name, the first (§4.2.1)
 * @param malformed whether a line is no list of directives
 */
record CacheControl(Map<String, String> arguments, boolean malformed) {
    private static final String TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";

    /** A directive with what comes before it: each is behind the start of the line or a comma. */
    private static final Pattern DIRECTIVE = Pattern.compile(
            "[ \\t]*(?:(" + TOKEN + ")(?:=(?:(" + TOKEN + ")|\"((?:[^\"\\\\]|\\\\.)*+)\"))?)?[ \\t]*(?:,|$)");

    private static final Pattern ESCAPE = Pattern.compile("\\\\(.)");

    static CacheControl of(List<String> lines) {
        if (lines.isEmpty()) {
            return new CacheControl(Map.of(), false);
        }
        Map<String, String> found = new HashMap<>();
        boolean malformed = false;
        for (String line : lines) {
            malformed |= !read(line, found);
        }
        return new CacheControl(found, malformed);
    }

    private static boolean read(String line, Map<String, String> found) {
        Matcher next = DIRECTIVE.matcher(line);
        int from = 0;
        while (from < line.length()) {
            if (!next.region(from, line.length()).lookingAt()) {
                return false;
            }
            from = next.end();
            if (next.group(1) != null) {
                found.putIfAbsent(next.group(1).toLowerCase(Locale.ROOT), argument(next.group(2), next.group(3)));
            }
        }
        return true;
    }

    private static String argument(@Nullable String token, @Nullable String quoted) {
        return token != null
                ? token
                : quoted == null ? "" : ESCAPE.matcher(quoted).replaceAll("$1");
    }

    boolean has(String directive) {
        return arguments.containsKey(directive);
    }

    /** Null if there is no such directive; zero if its argument is no number. */
    @Nullable
    Duration seconds(String directive) {
        String argument = arguments.get(directive);
        return argument == null ? null : HttpCaching.seconds(argument);
    }
}
