/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.headers.RetryAfter;
import dev.holdfast.spi.Perishable.Freshness;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What HTTP says of a stale cache: which requests may be answered from it, and how long a response may be kept (RFC 9111, RFC
 * 5861). All who call through one client share the cache, unless they have a partition.
 */
final class HttpCaching {
    private static final Duration NONE = Duration.ZERO;
    private static final Pattern LEADING_ZEROS = Pattern.compile("^0+(?=.)");

    private static final List<String> FOR_A_PART =
            List.of("Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range");

    /** A request with one of these says for whom it is. */
    private static final List<String> CREDENTIALS =
            List.of("Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "Api-Key", "X-Auth-Token");

    /** Of the answers that are no error, those that may be kept although they say nothing of it (RFC 9110 §15.1). */
    private static final Set<Integer> KEPT_BY_GUESS = Set.of(200, 203, 204, 300, 301, 308);

    private static final int OK = 200;
    static final int BAD_REQUEST = 400;
    private static final int PARTIAL_CONTENT = 206;
    private static final int NOT_MODIFIED = 304;
    private static final int NOT_FOUND = 404;
    private static final int REQUEST_TIMEOUT = 408;
    private static final int GONE = 410;
    private static final int PRECONDITION_FAILED = 412;
    private static final int SERVER_ERROR = 500;

    private HttpCaching() {}

    /** Whether a request may be answered by a response to an earlier one. */
    static <Q> boolean mayAsk(HttpMessages<Q, ?> messages, Q request) {
        String method = messages.method(request);
        if (!method.equals("GET") && !method.equals("HEAD")) {
            return false;
        }
        CacheControl asked = CacheControl.of(messages.requestHeaders(request, "Cache-Control"));
        return !asked.malformed()
                && !asked.has("no-store")
                && !asksForANewOne(messages, request, asked)
                && !asksForAPart(name -> messages.requestHeaders(request, name));
    }

    private static <Q> boolean asksForANewOne(HttpMessages<Q, ?> messages, Q request, CacheControl asked) {
        return asked.has("no-cache")
                || NONE.equals(asked.seconds("max-age"))
                || messages.requestHeader(request, "Pragma") != null;
    }

    /**
     * Whether the response to a GET or HEAD that is not kept says that what is kept for its address is gone or old. What a request that
     * the cache may answer learns, the cache itself sees, for its method.
     *
     * @param past whether the request was sent without the cache in any case
     */
    static <Q> boolean outdates(HttpMessages<Q, ?> messages, Q request, int status, boolean past) {
        if (isGone(status)) {
            return past || !mayAsk(messages, request);
        }
        return status == OK
                && messages.method(request).equals("GET")
                && asksForANewOne(
                        messages, request, CacheControl.of(messages.requestHeaders(request, "Cache-Control")));
    }

    static boolean isGone(int status) {
        return status == NOT_FOUND || status == GONE;
    }

    /**
     * Whether a request that changes something may have done so although it was answered with this error: the server may have failed
     * later, or an earlier attempt has fulfilled what this one has found otherwise.
     */
    static boolean mayHaveChanged(int status) {
        return status >= SERVER_ERROR || status == REQUEST_TIMEOUT || status == PRECONDITION_FAILED;
    }

    /** Or for the response only if it is another one than the caller has. */
    private static boolean asksForAPart(Function<String, List<String>> sent) {
        return FOR_A_PART.stream().anyMatch(name -> !sent.apply(name).isEmpty());
    }

    /**
     * How long a response {@linkplain #isForAll that is for all} may be kept.
     *
     * @param headers of the response, whatever the case of a name
     * @param length in memory, in bytes: head and body
     * @param received when it came, by our own clock
     */
    static Freshness freshness(HttpKey key, Map<String, List<String>> headers, long length, Instant received) {
        CacheControl said = CacheControl.of(all(headers, "Cache-Control"));
        Freshness freshness = Freshness.usual().weight(length);
        if (said.has("no-cache")) {
            return freshness.notKept();
        }
        Duration fresh = freshTime(key, headers, said, received);
        if (fresh != null) {
            freshness = freshness.fresh(fresh);
        }
        if (said.has("must-revalidate") || said.has("proxy-revalidate")) {
            return age(freshness.staleWhileRevalidate(NONE).staleIfError(NONE), headers);
        }
        if (key.partition() == null && said.has("s-maxage")) {
            // Forbids what its own response does not allow (RFC 9111 §5.2.2.10).
            freshness = freshness.staleWhileRevalidate(NONE).staleIfError(NONE);
        }
        Duration revalidate = said.seconds("stale-while-revalidate");
        if (revalidate != null) {
            freshness = freshness.staleWhileRevalidate(revalidate);
        }
        Duration onError = said.seconds("stale-if-error");
        return age(onError == null ? freshness : freshness.staleIfError(onError), headers);
    }

    /**
     * Whether a response is not for the one caller alone, and is the answer to all requests with this key.
     *
     * @param sent all values of a header of the request as it was sent, with what the client has added
     */
    static boolean isForAll(
            HttpKey key, int status, Map<String, List<String>> headers, Function<String, List<String>> sent) {
        CacheControl said = CacheControl.of(all(headers, "Cache-Control"));
        if (said.malformed()
                || said.has("no-store")
                || !all(headers, "Set-Cookie").isEmpty()
                || status == PARTIAL_CONTENT
                || status == NOT_MODIFIED
                || !mayBeKept(key, status, said, headers)
                || !key.isOfHost(sent.apply("Host"))
                || asksForAPart(sent)) {
            return false;
        }
        boolean isPrivate = said.has("private") || (isPersonal(sent) && !said.has("public"));
        if (isPrivate && key.partition() == null) {
            return false;
        }
        return key.heeds(
                all(headers, "Vary"), sent, !all(headers, "Content-Encoding").isEmpty());
    }

    /** RFC 9111 §3. An error is kept only where the policy says so; callers that wait for it share it all the same. */
    private static boolean mayBeKept(HttpKey key, int status, CacheControl said, Map<String, List<String>> headers) {
        return status >= BAD_REQUEST
                || KEPT_BY_GUESS.contains(status)
                || said.has("public")
                || said.has("max-age")
                || said.has("s-maxage")
                || !all(headers, "Expires").isEmpty()
                || (key.partition() != null && said.has("private"));
    }

    /** Whether a request says for whom it is. */
    static boolean isPersonal(Function<String, List<String>> sent) {
        return CREDENTIALS.stream().anyMatch(name -> !sent.apply(name).isEmpty());
    }

    private static @Nullable Duration freshTime(
            HttpKey key, Map<String, List<String>> headers, CacheControl said, Instant received) {
        Duration shared = key.partition() == null ? said.seconds("s-maxage") : null;
        Duration fresh = shared != null ? shared : said.seconds("max-age");
        if (fresh != null) {
            return fresh;
        }
        List<String> expires = all(headers, "Expires");
        if (expires.isEmpty()) {
            return null;
        }
        // A malformed date, such as 0, is one of the past.
        String until = expires.get(0).strip();
        return isNumber(until)
                ? NONE
                : RetryAfter.parse(until, joined(headers, "Date"), received).orElse(NONE);
    }

    /**
     * How old a response is by its {@code Date} (RFC 9111 §4.2.3); zero if it has none, a malformed one, or one of the future. A date
     * has no parts of a second: what it leaves out is no age, else {@code max-age=1} would seldom be fresh.
     *
     * @param received when it came, by our own clock
     */
    static Duration apparentAge(Map<String, List<String>> headers, Instant received) {
        String date = joined(headers, "Date");
        return date == null
                ? NONE
                : RetryAfter.date(date, received)
                        .map(sent -> Duration.between(sent.plusSeconds(1), received))
                        .filter(age -> !age.isNegative())
                        .orElse(NONE);
    }

    /** The oldest, if several caches say it. If one says something else, nobody knows. */
    private static Freshness age(Freshness freshness, Map<String, List<String>> headers) {
        Duration oldest = NONE;
        for (String line : all(headers, "Age")) {
            for (String written : line.split(",", -1)) {
                if (!isNumber(written.strip())) {
                    return freshness.fresh(NONE);
                }
                Duration age = seconds(written.strip());
                oldest = age.compareTo(oldest) > 0 ? age : oldest;
            }
        }
        return freshness.age(oldest);
    }

    static List<String> all(Map<String, List<String>> headers, String name) {
        return headers.getOrDefault(name, List.of());
    }

    private static @Nullable String joined(Map<String, List<String>> headers, String name) {
        List<String> values = all(headers, name);
        return values.isEmpty() ? null : String.join(",", values);
    }

    /** Whole seconds; zero if they are malformed. */
    static Duration seconds(String text) {
        if (!isNumber(text)) {
            return NONE;
        }
        String digits = LEADING_ZEROS.matcher(text).replaceFirst("");
        // More digits than a year has seconds count as a year by the freshness' own bound.
        return Duration.ofSeconds(digits.length() > 10 ? Integer.MAX_VALUE : Long.parseLong(digits));
    }

    private static boolean isNumber(String text) {
        return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }
}
