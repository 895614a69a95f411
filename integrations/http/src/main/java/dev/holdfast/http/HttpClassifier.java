/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.Verdict;
import dev.holdfast.headers.RetryAfter;
import dev.holdfast.internal.Timeouts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ProtocolException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What an HTTP response means.
 *
 * <table>
 * <caption>verdicts</caption>
 * <tr><th>response</th><th>verdict</th></tr>
 * <tr><td>1xx, 2xx, 3xx</td><td>success</td></tr>
 * <tr><td>429, and 503 with {@code Retry-After} or {@code RateLimit}</td><td>pushback, for the time that it says</td></tr>
 * <tr><td>408, 425, other 5xx</td><td>failure</td></tr>
 * <tr><td>other 4xx</td><td>ignored</td></tr>
 * <tr><td>an {@link IOException} or a timeout, also as a cause; what an adapter's client says of an answer that it cannot
 * read</td><td>failure</td></tr>
 * <tr><td>any other exception, such as a malformed address, and that of too many redirects or a refused password</td><td>ignored</td></tr>
 * </table>
 *
 * <p>The {@code RateLimit} of a success or of an ignored answer is read, too: if nothing is left, the verdict says for how long, and a
 * gate holds the next calls.
 *
 * <p>A 503 without these may come from a gateway after the work was done. So it is a failure: a request that must not be done twice
 * is not repeated after it. The same holds for a pushback that came by a redirect: the server that redirected may have done the work.
 * It is a failure with the time that it says. For a request that may be done twice, an adapter has it stay a pushback.
 *
 * <p>Where the pipeline has a classifier of its own, that one decides. Where it has lists of a file, these come first, and the
 * table is for the rest. Immutable.
 */
public final class HttpClassifier implements Classifier {
    private static final int MOST_CAUSES = 16;
    private static final Set<String> LISTS = Set.of("RateLimit", "RateLimit-Policy");

    // By name, since they may not be there.
    private static final Set<String> OF_REDIRECTS = Set.of(
            "org.apache.hc.client5.http.RedirectException", "org.apache.hc.client5.http.CircularRedirectException");
    private static final String OF_JETTY = "org.eclipse.jetty.client.HttpResponseException";

    /**
     * Of OkHttp, Jetty, HttpURLConnection and java.net.http: too many redirects, or passwords that are refused or missing, have no
     * type of their own there.
     */
    private static final Pattern TOO_MANY =
            Pattern.compile("(Too many follow-up requests|Too many tunnel connections attempted|Max redirects exceeded"
                    + "|Server redirected too many|too many authentication attempts"
                    + "|Failed to authenticate with proxy"
                    + "|No credentials provided|(WWW|Proxy)-Authenticate header missing for response code).*");

    /** Of Jetty: a 401 or 407 that names no scheme, and what a proxy says to {@code CONNECT}, if such a status is ignored. */
    private static final Pattern REFUSED =
            Pattern.compile("HTTP protocol violation: Authentication challenge without .*"
                    + "|Unexpected \\w+\\[\\S+ 4(?!08|25|29)[0-9]{2}\\b.*");

    private final HttpMessages<?, ?> messages;
    private final Supplier<Classifier> own;
    private final boolean mayBeDoneTwice;

    /**
     * With these messages.
     *
     * @param mayBeDoneTwice whether all requests may
     */
    HttpClassifier(HttpMessages<?, ?> messages, Supplier<Classifier> own, boolean mayBeDoneTwice) {
        this.messages = messages;
        this.own = own;
        this.mayBeDoneTwice = mayBeDoneTwice;
    }

    /** For the responses of {@code java.net.http}. */
    public static Classifier ofDefaults() {
        return new HttpClassifier(JdkMessages.INSTANCE, () -> DEFAULT, false);
    }

    /** For the responses that these messages can read. */
    public static Classifier of(HttpMessages<?, ?> messages) {
        return new HttpClassifier(messages, () -> DEFAULT, false);
    }

    /**
     * The same, behind another classifier: its lists come first, and if it is neither {@link Classifier#DEFAULT} nor made of lists,
     * it decides alone. For adapters.
     *
     * @param own asked for with each response, such as {@code pipeline::classifier}; must be quick
     */
    public static Classifier of(HttpMessages<?, ?> messages, Supplier<Classifier> own) {
        return new HttpClassifier(messages, Objects.requireNonNull(own, "own"), false);
    }

    @Override
    public Verdict classify(@Nullable Object value, @Nullable Throwable error) {
        if (error != null) {
            return ofError(error);
        }
        if (value == null || !messages.responseType().isInstance(value)) {
            return own.get().classify(value, null);
        }
        Verdict verdict = ofResponse(value);
        return verdict.outcome() == Outcome.PUSHBACK && !mayBeDoneTwice && cameByRedirect(messages, value)
                ? failed(verdict)
                : verdict;
    }

    /** A gate holds all the same for the time that it says. */
    private static Verdict failed(Verdict pushback) {
        long nanos = pushback.retryAfterNanos();
        if (nanos >= 0) {
            return Verdict.FAILURE.withRetryAfter(Duration.ofNanos(nanos));
        }
        if (nanos == Verdict.NEVER) {
            return pushback;
        }
        return nanos == Verdict.UNREADABLE ? Verdict.FAILURE.withUnreadableRetryAfter() : Verdict.FAILURE;
    }

    private Verdict ofResponse(Object response) {
        Classifier rest = own.get();
        while (rest instanceof Listed listed) {
            Verdict verdict = listed.ofStatus(status(messages, response));
            if (verdict != null) {
                return verdict == Verdict.PUSHBACK ? pushback(messages, response) : quota(verdict, response);
            }
            rest = listed.base();
        }
        return rest == DEFAULT ? ofStatus(response) : rest.classify(response, null);
    }

    private Verdict ofError(Throwable error) {
        Throwable thrown = AlreadySent.original(error);
        Classifier rest = own.get();
        while (rest instanceof Listed listed) {
            Verdict verdict = listed.ofError(thrown);
            if (verdict != null) {
                return verdict;
            }
            rest = listed.base();
        }
        if (rest != DEFAULT) {
            return rest.classify(null, thrown);
        }
        return isOfTheNetwork(error) ? Verdict.FAILURE : Verdict.IGNORED;
    }

    private Verdict ofStatus(Object response) {
        int status = status(messages, response);
        if (status < 400) {
            return quota(Verdict.SUCCESS, response);
        }
        return switch (status) {
            case 429, 503 -> pushback(messages, response);
            case 408, 425 -> Verdict.FAILURE;
            default -> status < 500 ? quota(Verdict.IGNORED, response) : Verdict.FAILURE;
        };
    }

    /** With the time that a used-up quota asks for. A failure keeps its backoff: its time would be that of the retry. */
    private Verdict quota(Verdict verdict, Object response) {
        return verdict == Verdict.FAILURE
                ? verdict
                : RetryAfter.quota(verdict, name -> header(messages, response, name));
    }

    private static Verdict pushback(HttpMessages<?, ?> of, Object response) {
        Function<String, @Nullable String> headers = name -> header(of, response, name);
        return status(of, response) >= 500 ? RetryAfter.unavailable(headers) : RetryAfter.http(headers);
    }

    @SuppressWarnings("unchecked") // it is of the messages' type
    private static <R> int status(HttpMessages<?, R> of, Object response) {
        return of.status((R) response);
    }

    /** The first one, but the whole of a list: its parts may come in several lines (RFC 9110 §5.3). */
    @SuppressWarnings("unchecked") // as above
    private static <R> @Nullable String header(HttpMessages<?, R> of, Object response, String name) {
        List<String> lines = of.responseHeaders((R) response, name);
        if (lines.isEmpty()) {
            return null;
        }
        return lines.size() > 1 && LISTS.contains(name) ? String.join(", ", lines) : lines.get(0);
    }

    @SuppressWarnings("unchecked") // as above
    private static <R> boolean cameByRedirect(HttpMessages<?, R> of, Object response) {
        return of.cameByRedirect((R) response);
    }

    /**
     * Everything else is a mistake of the caller's, such as a malformed address. A circle of redirects is the same each time, and so
     * is a password that was refused: each attempt would send all of its requests.
     */
    static boolean isOfTheNetwork(Throwable error) {
        boolean is = false;
        Throwable cause = error;
        for (int i = 0; cause != null && i < MOST_CAUSES; i++, cause = cause.getCause()) {
            if (isTheSameEachTime(cause)) {
                return false;
            }
            is |= cause instanceof IOException
                    || cause instanceof UncheckedIOException
                    || cause.getClass().getName().equals(OF_JETTY)
                    || AlreadySent.isUnreadable(cause)
                    || Timeouts.isOne(cause);
        }
        return is;
    }

    private static boolean isTheSameEachTime(Throwable cause) {
        String name = cause.getClass().getName();
        boolean isOfJetty = name.equals(OF_JETTY);
        boolean isPlain = cause instanceof ProtocolException || cause.getClass() == IOException.class;
        String message = isPlain || isOfJetty ? cause.getMessage() : null;
        return OF_REDIRECTS.contains(name)
                || (message != null && TOO_MANY.matcher(message).matches())
                || (message != null && isOfJetty && REFUSED.matcher(message).matches());
    }
}
