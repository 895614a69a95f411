/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the lines of a {@code Cache-Control} say (RFC 9111 §5.2). A line that is not as it must be may have said anything, {@code
 * private} also.
 *
 * @param arguments of the directives, whose names are in lower case; of two with one name, the first (§4.2.1)
 * @param malformed whether a line is no list of directives
 */
record CacheControl(Map<String, String> arguments, boolean malformed) {
    static CacheControl of(List<String> lines) {
        Map<String, String> found = new HashMap<>();
        boolean malformed = false;
        for (String line : lines) {
            malformed |= !new Line(line).read(found);
        }
        return new CacheControl(found, malformed);
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

    /** Looks at each character once. */
    private static final class Line {
        private final String text;
        private int at;

        Line(String text) {
            this.text = text;
        }

        /** Each directive ends with a comma or the line. False if the line has something else. */
        boolean read(Map<String, String> found) {
            while (true) {
                skipBlanks();
                String name = token();
                String argument = name.isEmpty() || !skip('=') ? "" : argument();
                if (argument == null) {
                    return false;
                }
                if (!name.isEmpty()) {
                    found.putIfAbsent(name.toLowerCase(Locale.ROOT), argument);
                }
                skipBlanks();
                if (at == text.length()) {
                    return true;
                }
                if (!skip(',')) {
                    return false;
                }
            }
        }

        /** Null if there is none. */
        private @Nullable String argument() {
            if (skip('"')) {
                return quoted();
            }
            String token = token();
            return token.isEmpty() ? null : token;
        }

        /** To the closing quote; null without one. */
        private @Nullable String quoted() {
            StringBuilder argument = new StringBuilder();
            while (at < text.length()) {
                char next = text.charAt(at++);
                if (next == '"') {
                    return argument.toString();
                }
                if (next == '\\' && at < text.length()) {
                    next = text.charAt(at++);
                }
                argument.append(next);
            }
            return null;
        }

        private String token() {
            int begin = at;
            while (at < text.length() && Tokens.isPart(text.charAt(at))) {
                at++;
            }
            return text.substring(begin, at);
        }

        private void skipBlanks() {
            while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
                at++;
            }
        }

        private boolean skip(char expected) {
            boolean there = at < text.length() && text.charAt(at) == expected;
            at += there ? 1 : 0;
            return there;
        }
    }
}
