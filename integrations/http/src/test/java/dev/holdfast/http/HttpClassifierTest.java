/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.Verdict;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpClassifierTest {
    record Answer(int status, Map<String, String> headers) {}

    /** A client whose requests are their own addresses. */
    static final class Messages implements HttpMessages<String, Answer> {
        @Override
        public String method(String request) {
            return "GET";
        }

        @Override
        public URI uri(String request) {
            return URI.create(request);
        }

        @Override
        public @Nullable String requestHeader(String request, String name) {
            return null;
        }

        @Override
        public List<String> requestHeaders(String request, String name) {
            return List.of();
        }

        @Override
        public boolean canBeSentAgain(String request) {
            return true;
        }

        @Override
        public Class<? super Answer> responseType() {
            return Answer.class;
        }

        @Override
        public int status(Answer response) {
            return response.status();
        }

        @Override
        public List<String> responseHeaders(Answer response, String name) {
            String value = response.headers().get(name);
            return value == null ? List.of() : List.of(value);
        }

        @Override
        public boolean cameByRedirect(Answer response) {
            return response.headers().containsKey("Came-By-Redirect");
        }

        @Override
        public void close(Answer response) {}
    }

    private static Verdict verdict(int status, String... headers) {
        Map<String, String> all = new HashMap<>();
        for (int i = 0; i < headers.length; i += 2) {
            all.put(headers[i], headers[i + 1]);
        }
        return new HttpClassifier(new Messages(), () -> Classifier.DEFAULT, false)
                .classify(new Answer(status, all), null);
    }

    @Test
    void everyStatusHasAMeaning() {
        for (int status = 100; status < 600; status++) {
            Outcome expected = switch (status) {
                case 408, 425 -> Outcome.FAILURE;
                case 429 -> Outcome.PUSHBACK;
                default -> status < 400 ? Outcome.SUCCESS : status < 500 ? Outcome.IGNORED : Outcome.FAILURE;
            };
            assertThat(verdict(status).outcome()).as("%s", status).isEqualTo(expected);
        }
    }

    @Test
    void a503IsAPushbackOnlyIfItSaysSo() {
        assertThat(verdict(503)).isEqualTo(Verdict.FAILURE);
        assertThat(verdict(503, "Retry-After", "0").outcome()).isEqualTo(Outcome.PUSHBACK);
        assertThat(verdict(503, "RateLimit", "\"a\";r=0;t=1").outcome()).isEqualTo(Outcome.PUSHBACK);
        assertThat(verdict(429)).isEqualTo(Verdict.PUSHBACK);
    }

    /** A service may write the field into all its answers, and a template a header without a value. */
    @Test
    void a503WhoseFieldsSayNoTimeIsAFailure() {
        assertThat(verdict(503, "RateLimit", "\"a\";r=99;t=30")).isEqualTo(Verdict.FAILURE);
        assertThat(verdict(503, "RateLimit", "\"a\";r=0")).isEqualTo(Verdict.FAILURE);
        for (String header : new String[] {"RateLimit", "Retry-After"}) {
            Verdict unreadable = verdict(503, header, "soon");
            assertThat(unreadable.outcome()).as(header).isEqualTo(Outcome.FAILURE);
            assertThat(unreadable.retryAfterNanos()).as(header).isEqualTo(Verdict.UNREADABLE);
        }
        assertThat(verdict(503, "Retry-After", "").outcome()).isEqualTo(Outcome.FAILURE);
        assertThat(verdict(429, "RateLimit", "\"a\";r=99;t=30")).isEqualTo(Verdict.PUSHBACK);
    }

    @Test
    void aQuotaThatIsUsedUpSaysForHowLongWhateverTheAnswerIs() {
        for (int status : new int[] {200, 304, 404, 429}) {
            Verdict usedUp = verdict(status, "RateLimit", "\"a\";r=0;t=3");
            assertThat(usedUp.outcome())
                    .as("%s", status)
                    .isEqualTo(verdict(status).outcome());
            assertThat(usedUp.retryAfterNanos()).as("%s", status).isEqualTo(3_000_000_000L);
            Verdict malformed = verdict(status, "RateLimit", "\"a\";r=0;t=soon");
            assertThat(malformed.outcome())
                    .as("%s", status)
                    .isEqualTo(verdict(status).outcome());
            assertThat(malformed.retryAfterNanos()).as("%s", status).isEqualTo(Verdict.UNREADABLE);
            assertThat(verdict(status, "RateLimit", "\"a\";r=1;t=3")).isSameAs(verdict(status));
        }
        assertThat(verdict(500, "RateLimit", "\"a\";r=0;t=3"))
                .as("a failure keeps its backoff")
                .isSameAs(Verdict.FAILURE);
    }

    @Test
    void whatTheNetworkDidIsAFailureAndAMistakeOfTheCallersIsNot() {
        Classifier http = HttpClassifier.ofDefaults();
        assertThat(http.classify(null, new IOException("reset"))).isEqualTo(Verdict.FAILURE);
        assertThat(http.classify(null, new UncheckedIOException(new IOException("reset"))))
                .isEqualTo(Verdict.FAILURE);
        assertThat(http.classify(null, new TimeoutException())).isEqualTo(Verdict.FAILURE);
        assertThat(http.classify(null, new IllegalStateException(new IOException("reset"))))
                .isEqualTo(Verdict.FAILURE);
        assertThat(http.classify(null, new IllegalArgumentException("no scheme")))
                .isEqualTo(Verdict.IGNORED);
        Exception circle = new IllegalStateException("a");
        circle.initCause(new IllegalStateException("b", circle));
        assertThat(http.classify(null, circle)).isEqualTo(Verdict.IGNORED);
    }

    /** Each attempt would send it several times, and lock the account. */
    @Test
    void aPasswordThatTheClientSawRefusedIsIgnored() {
        Classifier http = new HttpClassifier(new Messages(), () -> Classifier.DEFAULT, false);
        IOException refused = new IOException("too many authentication attempts. Limit: 3");
        assertThat(http.classify(null, refused)).isEqualTo(Verdict.IGNORED);
        assertThat(http.classify(null, new IOException(refused))).isEqualTo(Verdict.IGNORED);
        IOException byProxy = new IOException("Failed to authenticate with proxy");
        assertThat(http.classify(null, byProxy)).isEqualTo(Verdict.IGNORED);
        IOException tunnels = new java.net.ProtocolException("Too many tunnel connections attempted: 21");
        assertThat(http.classify(null, tunnels)).isEqualTo(Verdict.IGNORED);
    }

    /** One caller without a password must not open the breaker for all. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "No credentials provided",
                "WWW-Authenticate header missing for response code 401",
                "Proxy-Authenticate header missing for response code 407"
            })
    void aPasswordThatJavaNetHttpDoesNotHaveIsIgnored(String message) {
        Classifier http = new HttpClassifier(new Messages(), () -> Classifier.DEFAULT, false);
        assertThat(http.classify(null, new IOException(message))).isEqualTo(Verdict.IGNORED);
    }

    /** The one that redirects may have done the work. A gate heeds the time all the same. */
    @Test
    void aPushbackThatCameByARedirectIsAFailureWithItsTime() {
        String[] came = {"Came-By-Redirect", ""};
        for (int status : new int[] {429, 503}) {
            Verdict said = verdict(status, came[0], came[1], "Retry-After", "7");
            assertThat(said.outcome()).isEqualTo(Outcome.FAILURE);
            assertThat(said.retryAfterNanos()).isEqualTo(7_000_000_000L);
            Verdict malformed = verdict(status, came[0], came[1], "Retry-After", "soon");
            assertThat(malformed.outcome()).isEqualTo(Outcome.FAILURE);
            assertThat(malformed.retryAfterNanos()).isEqualTo(Verdict.UNREADABLE);
        }
        assertThat(verdict(429, came)).isEqualTo(Verdict.FAILURE);
        Classifier ofIdempotent = new HttpClassifier(new Messages(), () -> Classifier.DEFAULT, true);
        assertThat(ofIdempotent.classify(new Answer(429, Map.of(came[0], came[1])), null))
                .isEqualTo(Verdict.PUSHBACK);
        Classifier stopping = new HttpClassifier(new Messages(), () -> (value, error) -> Verdict.STOP, false);
        assertThat(stopping.classify(new Answer(429, Map.of(came[0], came[1])), null))
                .isEqualTo(Verdict.STOP);
    }

    @Test
    void whatIsNoResponseIsASuccess() {
        assertThat(HttpClassifier.ofDefaults().classify("text", null)).isEqualTo(Verdict.SUCCESS);
        assertThat(HttpClassifier.ofDefaults().classify(null, null)).isEqualTo(Verdict.SUCCESS);
    }

    @Test
    void thePipelinesOwnClassifierDecidesAndMayBeExchanged() {
        Verdict[] said = {Verdict.IGNORED};
        Classifier http = new HttpClassifier(new Messages(), () -> (value, error) -> said[0], false);
        assertThat(http.classify(new Answer(500, Map.of()), null)).isEqualTo(Verdict.IGNORED);
        assertThat(http.classify(null, new IOException())).isEqualTo(Verdict.IGNORED);
        said[0] = Verdict.FAILURE;
        assertThat(http.classify(new Answer(200, Map.of()), null)).isEqualTo(Verdict.FAILURE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://a.example/x",
                "HTTP://A.EXAMPLE:80/",
                "http://user@a.example?q#f",
                "http://a.example:/",
            })
    void anAuthorityIsTheSameHoweverItIsWritten(String uri) {
        assertThat(HttpCalls.authority(URI.create(uri))).isEqualTo("http://a.example:80");
    }

    @Test
    void anAuthorityHasItsOwnPort() {
        assertThat(HttpCalls.authority(URI.create("https://a.example"))).isEqualTo("https://a.example:443");
        assertThat(HttpCalls.authority(URI.create("https://a.example:8443/x"))).isEqualTo("https://a.example:8443");
        assertThat(HttpCalls.authority(URI.create("http://[::1]:8080/x"))).isEqualTo("http://[::1]:8080");
        assertThat(HttpCalls.authority(URI.create("http://stock_service:8080/x")))
                .isEqualTo("http://stock_service:8080");
        assertThat(HttpCalls.authority(URI.create("http://ann@Stock_service"))).isEqualTo("http://stock_service:80");
    }
}
