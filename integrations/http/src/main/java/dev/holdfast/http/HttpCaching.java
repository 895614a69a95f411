/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.spi.Perishable.Freshness;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What HTTP says of a stale cache: which requests may be answered from it, and how long a response may be kept (RFC 9111, RFC
 * 5861). All who call through one client share the cache, unless they have a partition.
 */
final class HttpCaching {
    private static final Duration NONE = Duration.ZERO;

    private HttpCaching() {}

    /** Whether a request may be answered by a response to an earlier one. */
    static <Q> boolean mayAsk(HttpMessages<Q, ?> messages, Q request) {
        String method = messages.method(request);
        if (!method.equals("GET") && !method.equals("HEAD")) {
            return false;
        }
        Map<String, String> asked = directives(String.join(",", messages.requestHeaders(request, "Cache-Control")));
        return !asked.containsKey("no-store")
                && !asked.containsKey("no-cache")
                && !"0".equals(asked.get("max-age"))
                && messages.requestHeader(request, "Pragma") == null
                && messages.requestHeader(request, "Range") == null
                && messages.requestHeader(request, "If-None-Match") == null
                && messages.requestHeader(request, "If-Modified-Since") == null
                && messages.requestHeader(request, "If-Match") == null
                && messages.requestHeader(request, "If-Unmodified-Since") == null;
    }

    /**
     * How long a response {@linkplain #isForAll that is for all} may be kept.
     *
     * @param headers of the response, whatever the case of a name
     * @param length in memory, in bytes: head and body
     */
    static Freshness freshness(HttpKey key, Map<String, List<String>> headers, long length) {
        Map<String, String> said = directives(joined(headers, "Cache-Control"));
        Freshness freshness = Freshness.usual().weight(length);
        if (said.containsKey("no-cache")) {
            return freshness.notKept();
        }
        Duration fresh = freshTime(key, headers, said);
        if (fresh != null) {
            freshness = freshness.fresh(fresh);
        }
        if (said.containsKey("must-revalidate") || said.containsKey("proxy-revalidate")) {
            return age(freshness.staleWhileRevalidate(NONE).staleIfError(NONE), headers);
        }
        Duration revalidate = seconds(said.get("stale-while-revalidate"));
        if (revalidate != null) {
            freshness = freshness.staleWhileRevalidate(revalidate);
        }
        Duration onError = seconds(said.get("stale-if-error"));
        return age(onError == null ? freshness : freshness.staleIfError(onError), headers);
    }

    /**
     * Whether a response is not for the one caller alone, and is the answer to all requests with this key.
     *
     * @param sent the first value of a header of the request as it was sent, with what the client has added
     */
    static boolean isForAll(HttpKey key, Map<String, List<String>> headers, Function<String, @Nullable String> sent) {
        Map<String, String> said = directives(joined(headers, "Cache-Control"));
        if (said.containsKey("no-store") || !all(headers, "Set-Cookie").isEmpty()) {
            return false;
        }
        boolean isPrivate = said.containsKey("private") || (isPersonal(sent) && !said.containsKey("public"));
        if (isPrivate && key.partition() == null) {
            return false;
        }
        return key.heeds(joined(headers, "Vary"), sent);
    }

    /** Whether a request says for whom it is. */
    static boolean isPersonal(Function<String, @Nullable String> sent) {
        return sent.apply("Authorization") != null || sent.apply("Cookie") != null;
    }

    private static @Nullable Duration freshTime(
            HttpKey key, Map<String, List<String>> headers, Map<String, String> said) {
        Duration shared = key.partition() == null ? seconds(said.get("s-maxage")) : null;
        Duration fresh = shared != null ? shared : seconds(said.get("max-age"));
        if (fresh != null) {
            return fresh;
        }
        List<String> expires = all(headers, "Expires");
        if (expires.isEmpty()) {
            return null;
        }
        ZonedDateTime until = date(expires.get(0));
        ZonedDateTime made = date(joined(headers, "Date"));
        // A malformed date, such as 0, is one of the past.
        return until == null || made == null ? NONE : Duration.between(made, until);
    }

    private static Freshness age(Freshness freshness, Map<String, List<String>> headers) {
        Duration age = seconds(joined(headers, "Age"));
        return age == null ? freshness : freshness.age(age);
    }

    static List<String> all(Map<String, List<String>> headers, String name) {
        return headers.getOrDefault(name, List.of());
    }

    private static @Nullable String joined(Map<String, List<String>> headers, String name) {
        List<String> values = all(headers, name);
        return values.isEmpty() ? null : String.join(",", values);
    }

    /** The directives of a {@code Cache-Control}, in lower case, with their arguments. */
    private static Map<String, String> directives(@Nullable String field) {
        if (field == null) {
            return Map.of();
        }
        Map<String, String> directives = new HashMap<>();
        boolean quoted = false;
        int begin = 0;
        for (int i = 0; i <= field.length(); i++) {
            if (i == field.length() || (field.charAt(i) == ',' && !quoted)) {
                put(directives, field.substring(begin, i));
                begin = i + 1;
            } else if (field.charAt(i) == '"') {
                quoted = !quoted;
            }
        }
        return directives;
    }

    private static void put(Map<String, String> directives, String text) {
        int equals = text.indexOf('=');
        String name = (equals < 0 ? text : text.substring(0, equals)).strip().toLowerCase(Locale.ROOT);
        String argument = equals < 0 ? "" : text.substring(equals + 1).strip();
        if (argument.length() > 1 && argument.startsWith("\"") && argument.endsWith("\"")) {
            argument = argument.substring(1, argument.length() - 1);
        }
        // Of two, the first: RFC 9111 §4.2.1.
        directives.putIfAbsent(name, argument);
    }

    /** Whole seconds; null if there are none, zero if they are malformed. */
    private static @Nullable Duration seconds(@Nullable String text) {
        if (text == null) {
            return null;
        }
        boolean isNumber = !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
        // More digits than a year has seconds count as a year by the freshness' own bound.
        return !isNumber ? NONE : Duration.ofSeconds(text.length() > 10 ? Integer.MAX_VALUE : Long.parseLong(text));
    }

    private static @Nullable ZonedDateTime date(@Nullable String text) {
        try {
            return text == null ? null : ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME);
        } catch (DateTimeException malformed) {
            return null;
        }
    }
}
