/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.Perishable.Freshness;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 9111 and RFC 5861. */
class HttpCachingTest {
    private static final String DATE = "Date: Sat, 28 Nov 2026 12:00:00 GMT";

    private static final int MOST = 1_000;

    private final Pipeline shop = Pipeline.of("shop");
    private final HttpKey.Varying varying = new HttpKey.Varying();
    private final HttpKey.Changes changes = new HttpKey.Changes();
    private final IdentityHashMap<HttpKey, HttpRequest> requests = new IdentityHashMap<>();

    private static HttpRequest.Builder get(String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://a/x?y=1"));
        for (String header : headers) {
            int colon = header.indexOf(':');
            request.header(header.substring(0, colon), header.substring(colon + 2));
        }
        return request;
    }

    private HttpKey key(@Nullable Object partition, String... headers) {
        HttpRequest request = get(headers).build();
        HttpKey key = new HttpKey(JdkMessages.INSTANCE, request, partition, varying, changes);
        requests.put(key, request);
        return key;
    }

    private Freshness freshness(HttpKey key, String... headers) {
        Map<String, List<String>> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        for (String header : headers) {
            int colon = header.indexOf(':');
            all.computeIfAbsent(header.substring(0, colon), name -> new ArrayList<>())
                    .add(header.substring(colon + 1).strip());
        }
        HttpRequest request = Objects.requireNonNull(requests.get(key));
        CachedCall<String> call = call(key);
        return call.mayKeep(200, all, name -> JdkMessages.INSTANCE.requestHeaders(request, name))
                ? call.kept("", all, new byte[10]).freshness()
                : call.forOne("", name -> JdkMessages.INSTANCE.requestHeaders(request, name))
                        .freshness();
    }

    private CachedCall<String> call(HttpKey key) {
        return new CachedCall<>(
                response -> 200, shop.<Kept<String>>operation("x").key(key), key, MOST);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "''                                             | -  | -  | -",
                "max-age=60                                     | 60 | -  | -",
                "MAX-AGE=60                                     | 60 | -  | -",
                "max-age=\"60\"                                 | 60 | -  | -",
                "max-age=60, max-age=5                          | 60 | -  | -",
                "max-age=-1                                     | 0  | -  | -",
                "max-age=soon                                   | 0  | -  | -",
                "max-age=00000000000                            | 0  | -  | -",
                "max-age=00000000060                            | 60 | -  | -",
                "max-age=\"6\\0\"                               | 60 | -  | -",
                "s-maxage=5, max-age=60                         | 5  | 0  | 0",
                "s-maxage=5, stale-if-error=7                   | 5  | 0  | 7",
                "s-maxage=5, stale-while-revalidate=7           | 5  | 7  | 0",
                "public, max-age=60                             | 60 | -  | -",
                "max-age=60, must-revalidate                    | 60 | 0  | 0",
                "proxy-revalidate, max-age=60                   | 60 | 0  | 0",
                "max-age=60, stale-while-revalidate=30          | 60 | 30 | -",
                "max-age=60, stale-if-error=600                 | 60 | -  | 600",
                "max-age=0, stale-while-revalidate=1, stale-if-error=2 | 0 | 1 | 2",
                "x=\"a, max-age=1\", max-age=60                 | 60 | -  | -",
                ",, max-age=60 ,                                | 60 | -  | -"
            })
    void cacheControlSaysTheTimes(
            String control, @Nullable Long fresh, @Nullable Long revalidate, @Nullable Long onError) {
        Freshness freshness = freshness(key(null), "Cache-Control: " + control);
        assertThat(freshness.fresh()).isEqualTo(seconds(fresh));
        assertThat(freshness.staleWhileRevalidate()).isEqualTo(seconds(revalidate));
        assertThat(freshness.staleIfError()).isEqualTo(seconds(onError));
        assertThat(freshness.kept()).isTrue();
        assertThat(freshness.shared()).isTrue();
        assertThat(freshness.weight()).isBetween(10L, 500L);
    }

    private static @Nullable Duration seconds(@Nullable Long seconds) {
        return seconds == null ? null : Duration.ofSeconds(seconds);
    }

    @Test
    void expiresCountsWhereCacheControlSaysNothing() {
        String later = "Expires: Sat, 28 Nov 2026 12:01:00 GMT";
        assertThat(freshness(key(null), DATE, later).fresh()).isEqualTo(Duration.ofMinutes(1));
        assertThat(freshness(key(null), DATE, later, "Cache-Control: max-age=5").fresh())
                .isEqualTo(Duration.ofSeconds(5));
        assertThat(freshness(key(null), DATE, "Expires: 0").fresh()).isEqualTo(Duration.ZERO);
        for (String form : List.of("Saturday, 28-Nov-26 12:01:00 GMT", "Sat Nov 28 12:01:00 2026")) {
            assertThat(freshness(key(null), DATE, "Expires: " + form).fresh()).isEqualTo(Duration.ofMinutes(1));
        }
        assertThat(freshness(key(null), "Expires: Fri, 31 Dec 2100 12:01:00 GMT")
                        .fresh())
                .as("by this machine's clock")
                .isGreaterThan(Duration.ofDays(1));
        for (String malformed : List.of("60", "-1", "soon", "")) {
            assertThat(freshness(key(null), DATE, "Expires: " + malformed).fresh())
                    .isEqualTo(Duration.ZERO);
        }
    }

    @Test
    void theAgeOnArrivalCounts() {
        assertThat(freshness(key(null), "Cache-Control: max-age=60", "Age: 50").age())
                .isEqualTo(Duration.ofSeconds(50));
        assertThat(freshness(key(null), "Cache-Control: max-age=60", "Age: 99999999999999999999")
                        .age())
                .isEqualTo(Duration.ofDays(365));
    }

    /** RFC 9111 §4.2.3. */
    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "-, -, 3000, 3000",
                "-, 50, 3000, 53000",
                "Sat, -, 3000, 3000",
                "'Sat, 28 Nov 2026 11:00:00 GMT', -, 3000, 3599500",
                "'Sat, 28 Nov 2026 11:00:00 GMT', 50, 3000, 3599500",
                "'Sat, 28 Nov 2026 11:00:00 GMT', 3599, 3000, 3602000",
                "'Saturday, 28-Nov-26 11:00:00 GMT', -, 0, 3599500",
                "'Sat, 28 Nov 2026 12:00:00 GMT', -, 0, 0",
                "'Sat, 28 Nov 2026 11:59:59 GMT', -, 0, 500",
                "'Sat, 28 Nov 2026 13:00:00 GMT', 50, 0, 50000",
                "'Sat, 28 Nov 1926 12:00:00 GMT', -, 0, 31536000000"
            })
    void itsAgeIsByItsDateOrWhatItsCachesSayAndTheTimeOnTheWay(
            @Nullable String date, @Nullable String age, long tookMillis, long millis) {
        Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        headers.put("Cache-Control", List.of("max-age=60"));
        if (date != null) {
            headers.put("Date", List.of(date));
        }
        if (age != null) {
            headers.put("Age", List.of(age));
        }
        Instant now = Instant.parse("2026-11-28T12:00:00.500Z");
        Kept<String> kept = new Kept<>(
                "",
                new byte[0],
                HttpCaching.freshness(key(null), headers, 0, now),
                HttpCaching.apparentAge(headers, now),
                null);
        Freshness freshness = kept.freshness(Duration.ofMillis(tookMillis));
        assertThat(freshness.age()).isEqualTo(Duration.ofMillis(millis));
        assertThat(freshness.fresh()).isEqualTo(Duration.ofMinutes(1));
        assertThat(freshness.kept()).isTrue();
    }

    @Test
    void ofSeveralAgesTheOldestCounts() {
        assertThat(freshness(key(null), "Cache-Control: max-age=60", "Age: 10", "Age: 50, 20")
                        .age())
                .isEqualTo(Duration.ofSeconds(50));
    }

    @ParameterizedTest
    @ValueSource(strings = {"100.0", "-1", "", "10,", "soon", "1, soon"})
    void ifNobodyKnowsHowOldItIsItIsNotFresh(String age) {
        assertThat(freshness(key(null), "Cache-Control: max-age=60", "Age: " + age)
                        .fresh())
                .isEqualTo(Duration.ZERO);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Cache-Control: no-store",
                "Cache-Control: max-age=60, private",
                "Cache-Control: private=\"x\"",
                "Cache-Control: max-age=60, x=\"a\\\"b\", private",
                "Cache-Control: max-age=60, x=\"a\\\\\", no-store",
                "Set-Cookie: a=b",
                "Vary: *",
                "Vary: X-Tenant",
                "Vary: Accept, X-Tenant"
            })
    void whatIsForOneCallerIsNeitherKeptNorShared(String header) {
        Freshness freshness = freshness(key(null), header);
        assertThat(freshness.kept()).isFalse();
        assertThat(freshness.shared()).isFalse();
    }

    /** It may have said anything. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "max-age=60; private",
                "private; max-age=60",
                "max-age=60 private",
                "max-age=60, x=\"open",
                "max-age=60, x=\"a\"b",
                "max-age=",
                "=60",
                "max-age = 60",
                "max-age=60, \u00e9",
                "max-age=60, x=\"a\\",
                "max-age=60\u0085",
                "max-age=60, \u00a0private",
                "private\n, x",
                "max-age=60\r, x",
                "max-age=60\u2028"
            })
    void whatIsNoListOfDirectivesIsForOneCaller(String control) {
        Map<String, List<String>> headers = Map.of("Cache-Control", List.of(control));
        assertThat(call(key(null)).mayKeep(200, headers, sent(name -> null))).isFalse();
        HttpRequest request = with(get().build(), HttpHeaders.of(headers, (name, value) -> true));
        assertThat(HttpCaching.mayAsk(JdkMessages.INSTANCE, request)).isFalse();
    }

    @Test
    void anOpenQuoteEndsWithItsLine() {
        assertThat(freshness(key(null), "Cache-Control: x=\"open", "Cache-Control: private, y=\"")
                        .shared())
                .isFalse();
    }

    /** In quadratic time, each takes hours. */
    @ParameterizedTest
    @ValueSource(strings = {"a=b ,", "\\a", " ", "\t,", "a", "=", "\"", "x=\"\",", "\\"})
    void aLongLineIsReadInLinearTime(String part) {
        String many = part.repeat(2_000_000);
        for (String control : List.of("private, " + many, "x=\"" + many + "\", private", "private, " + many + "\"")) {
            assertThat(call(key(null)).mayKeep(200, Map.of("Cache-Control", List.of(control)), sent(name -> null)))
                    .isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"X-Group X-Other", "X-Group;q=1", "\"X-Group\"", "\u00a0X-Group", "Accept,\u00e9"})
    void whatVariesWithNoHeaderIsForOneCaller(String vary) {
        for (int i = 0; i < 2; i++) { // a later key might heed it
            assertThat(call(key(null)).mayKeep(200, Map.of("Vary", List.of(vary)), sent(name -> null)))
                    .isFalse();
        }
    }

    @Test
    void allValuesThatTheClientHasAddedCount() {
        Map<String, List<String>> varies = Map.of("Vary", List.of("Accept"));
        CachedCall<String> all = call(key(null, "Accept: a/b"));
        assertThat(all.mayKeep(200, varies, name -> name.equals("accept") ? List.of("a/b") : List.of()))
                .isTrue();
        assertThat(all.mayKeep(200, varies, name -> name.equals("accept") ? List.of("a/b", "c/d") : List.of()))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {206, 304})
    void aPartOfAResponseIsForOneCaller(int status) {
        assertThat(call(key(null)).mayKeep(status, Map.of(), sent(name -> null)))
                .isFalse();
    }

    /** RFC 9111 §3: such as a redirect to a login that is good once. */
    @ParameterizedTest
    @ValueSource(ints = {201, 202, 205, 207, 302, 303, 305, 307})
    void whatIsKeptByGuessIsNoOtherStatus(int status) {
        assertThat(mayKeep(null, status)).isFalse();
        assertThat(mayKeep("ann", status)).isFalse();
        for (String explicit : List.of(
                "Cache-Control: public", "Cache-Control: max-age=60", "Cache-Control: s-maxage=60", "Expires: 0")) {
            assertThat(mayKeep(null, status, explicit)).as(explicit).isTrue();
        }
        assertThat(mayKeep(null, status, "Cache-Control: private")).isFalse();
        assertThat(mayKeep("ann", status, "Cache-Control: private")).isTrue();
        assertThat(mayKeep(null, status, "Cache-Control: must-revalidate")).isFalse();
    }

    /** Callers that wait for an error share it. */
    @ParameterizedTest
    @ValueSource(ints = {200, 203, 204, 300, 301, 308, 400, 404, 410, 429, 500, 503})
    void theseNeedToSayNothing(int status) {
        assertThat(mayKeep(null, status)).isTrue();
    }

    private boolean mayKeep(@Nullable Object partition, int status, String... headers) {
        Map<String, List<String>> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        for (String header : headers) {
            int colon = header.indexOf(':');
            all.put(header.substring(0, colon), List.of(header.substring(colon + 2)));
        }
        return call(key(partition)).mayKeep(status, all, name -> List.of());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range"})
    void ifTheClientHasAskedForAPartTheResponseIsForOneCaller(String header) {
        assertThat(call(key(null)).mayKeep(200, Map.of(), sent(name -> name.equals(header) ? "x" : null)))
                .isFalse();
    }

    @Test
    void eachHostThatOneServerPlaysHasItsOwn() {
        assertThat(hosted("a.example")).isEqualTo(hosted("a.example")).isNotEqualTo(hosted("b.example"));
        assertThat(hosted("a.example")).isNotEqualTo(key(null));
        CachedCall<String> plain = call(key(null));
        assertThat(plain.mayKeep(200, Map.of(), sentTo("a"))).isTrue();
        assertThat(plain.mayKeep(200, Map.of(), sentTo("A:80"))).isTrue();
        assertThat(plain.mayKeep(200, Map.of(), sentTo("b")))
                .as("by the client")
                .isFalse();
        assertThat(plain.mayKeep(200, Map.of(), sentTo("a:81"))).isFalse();
        for (String host : List.of("a b", "alice@a", "a/alice", "a?alice", "a#alice", "", "a:x", "[a", "a,b")) {
            assertThat(plain.mayKeep(200, Map.of(), sentTo(host))).as(host).isFalse();
        }
        CachedCall<String> other = call(hosted("a.example"));
        assertThat(other.mayKeep(200, Map.of(), sentTo("a.example"))).isTrue();
        assertThat(other.mayKeep(200, Map.of(), sentTo("a"))).isFalse();
    }

    @Test
    void anAddressIsTheSameHoweverItIsWritten() {
        CachedCall<String> call = call(key(null)); // http://a/x?y=1
        for (String same : List.of("http://a/x?y=1", "HTTP://A:80/x?y=1", "http://ann@a/x?y=1#top")) {
            assertThat(call.isTo(URI.create(same))).as(same).isTrue();
        }
        for (String other : List.of(
                "https://a/x?y=1",
                "http://b/x?y=1",
                "http://a:81/x?y=1",
                "http://a/y?y=1",
                "http://a/x?y=2",
                "/x?y=1")) {
            assertThat(call.isTo(URI.create(other))).as(other).isFalse();
        }
        HttpKey root = new HttpKey(
                JdkMessages.INSTANCE,
                HttpRequest.newBuilder(URI.create("http://a?y=1")).build(),
                null,
                varying,
                changes);
        assertThat(call(root).isTo(URI.create("http://a/?y=1"))).isTrue();
    }

    private static Function<String, List<String>> sentTo(String host) {
        return sent(name -> name.equals("Host") ? host : null);
    }

    private static Function<String, List<String>> sent(Function<String, @Nullable String> header) {
        return name -> {
            String value = header.apply(name);
            return value == null ? List.of() : List.of(value);
        };
    }

    private HttpKey hosted(String host) {
        HttpRequest plain = get().build();
        HttpRequest hosted = with(plain, HttpHeaders.of(Map.of("Host", List.of(host)), (name, value) -> true));
        return new HttpKey(JdkMessages.INSTANCE, hosted, null, varying, changes);
    }

    /** The builder of java.net.http refuses a Host. */
    private static HttpRequest with(HttpRequest of, HttpHeaders headers) {
        return new HttpRequest() {
            @Override
            public Optional<BodyPublisher> bodyPublisher() {
                return of.bodyPublisher();
            }

            @Override
            public String method() {
                return of.method();
            }

            @Override
            public Optional<Duration> timeout() {
                return of.timeout();
            }

            @Override
            public boolean expectContinue() {
                return of.expectContinue();
            }

            @Override
            public URI uri() {
                return of.uri();
            }

            @Override
            public Optional<HttpClient.Version> version() {
                return of.version();
            }

            @Override
            public HttpHeaders headers() {
                return headers;
            }
        };
    }

    @Test
    void clientsOfOnePipelineShareNothing() {
        HttpRequest request = get().build();
        assertThat(new HttpKey(JdkMessages.INSTANCE, request, null, varying, new HttpKey.Changes()))
                .isNotEqualTo(key(null));
    }

    @ParameterizedTest
    @ValueSource(strings = {"00", "0", "000000000000", "soon", "-1"})
    void aRequestThatTakesNothingOldGoesToTheService(String maxAge) {
        HttpRequest request = get().header("Cache-Control", "max-age=" + maxAge).build();
        assertThat(HttpCaching.mayAsk(JdkMessages.INSTANCE, request)).isFalse();
    }

    @Test
    void withoutRevalidationNothingIsKept() {
        Freshness freshness = freshness(key(null), "Cache-Control: no-cache");
        assertThat(freshness.kept()).isFalse();
        assertThat(freshness.shared()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Authorization: Bearer x",
                "Cookie: a=b",
                "Proxy-Authorization: Basic x",
                "X-API-Key: x",
                "Api-Key: x",
                "X-Auth-Token: x"
            })
    void anAnswerToSomebodyIsForAllOnlyIfItSaysSo(String header) {
        assertThat(freshness(key(null, header), "Cache-Control: max-age=60").shared())
                .isFalse();
        assertThat(freshness(key(null, header), "Cache-Control: max-age=60, public")
                        .kept())
                .isTrue();
        assertThat(freshness(key("ann", header), "Cache-Control: max-age=60").kept())
                .isTrue();
        assertThat(freshness(key("ann", header), "Cache-Control: max-age=60, private")
                        .kept())
                .isTrue();
        assertThat(freshness(key("ann", header), "Cache-Control: no-store").kept())
                .isFalse();
        assertThat(freshness(key("ann"), "Cache-Control: s-maxage=5, max-age=60")
                        .fresh())
                .as("a cache of one user's own")
                .isEqualTo(Duration.ofSeconds(60));
    }

    @Test
    void keysHeedTheHeadersThatResponsesVaryWith() {
        HttpKey before = key(null, "X-Tenant: a");
        assertThat(before).isEqualTo(key(null, "X-Tenant: b")).isNotEqualTo(key(null, "Accept: text/plain"));
        assertThat(freshness(before, "Vary: X-TENANT , accept").kept()).isFalse();
        HttpKey after = key(null, "X-Tenant: a");
        assertThat(after).isNotEqualTo(before).isNotEqualTo(key(null, "X-Tenant: b"));
        assertThat(after).isEqualTo(key(null, "X-Tenant: a")).hasSameHashCodeAs(key(null, "X-Tenant: a"));
        assertThat(freshness(after, "Vary: x-tenant").kept()).isTrue();
        assertThat(after).isNotEqualTo(key("ann", "X-Tenant: a"));
        assertThat(key(null, "X-Tenant: o", "X-Tenant: a")).isNotEqualTo(key(null, "X-Tenant: o", "X-Tenant: b"));
        assertThat(key(null, "X-Tenant: ")).as("empty is not absent").isNotEqualTo(key(null));
    }

    @Test
    void keysAreOfTheWholeAddress() {
        List<HttpKey> keys = Stream.of(
                        "http://a/x",
                        "http://b/x",
                        "https://a/x",
                        "http://a:81/x",
                        "http://a/x?null",
                        "http://a/x?",
                        "http://a/X",
                        "http://a/y")
                .map(uri -> new HttpKey(
                        JdkMessages.INSTANCE,
                        HttpRequest.newBuilder(URI.create(uri)).build(),
                        null,
                        varying,
                        changes))
                .toList();
        assertThat(keys).doesNotHaveDuplicates();
        assertThat(keys.get(0))
                .isEqualTo(new HttpKey(
                        JdkMessages.INSTANCE,
                        HttpRequest.newBuilder(URI.create("HTTP://A:80/x#part")).build(),
                        null,
                        varying,
                        changes));
    }

    /** The key does not know what the client itself adds. */
    @Test
    void whatTheClientHasAddedCounts() {
        Map<String, List<String>> plain = Map.of();
        Map<String, List<String>> varies = Map.of("Vary", List.of("Accept, Accept-Encoding"));
        CachedCall<String> all = call(key(null, "Accept: a/b"));
        assertThat(all.mayKeep(200, plain, sent(name -> name.equals("Cookie") ? "a=b" : null)))
                .isFalse();
        assertThat(all.isPersonal(sent(name -> name.equals("Cookie") ? "a=b" : null)))
                .isTrue();
        assertThat(call(key("ann")).mayKeep(200, plain, sent(name -> name.equals("Cookie") ? "a=b" : null)))
                .isTrue();
        assertThat(call(key("ann")).isPersonal(sent(name -> "x"))).isFalse();
        assertThat(all.mayKeep(200, varies, sent(name -> name.equals("accept") ? "a/b" : null)))
                .isTrue();
        assertThat(all.mayKeep(
                        200,
                        varies,
                        sent(name -> name.equals("accept") ? "a/b" : name.equals("accept-encoding") ? "gzip" : null)))
                .as("the same to each request")
                .isTrue();
        assertThat(all.mayKeep(
                        200,
                        Map.of("Vary", List.of("Accept-Encoding"), "Content-Encoding", List.of("gzip")),
                        sent(name -> name.equals("accept-encoding") ? "gzip" : null)))
                .as("left as it is")
                .isFalse();
        for (String added : List.of("accept-encoding=br", "user-agent=phone")) {
            String[] header = added.split("=", -1);
            assertThat(all.mayKeep(
                            200,
                            Map.of("Vary", List.of(header[0])),
                            sent(name -> name.equals(header[0]) ? header[1] : null)))
                    .as(added)
                    .isFalse();
        }
        assertThat(all.mayKeep(200, varies, sent(name -> name.equals("accept") ? "c/d" : null)))
                .isFalse();
    }

    @Test
    void aLongBodyOrAStreamIsNotRead() {
        CachedCall<String> get = call(key(null));
        assertThat(get.mayKeep(200, Map.of("Content-Length", List.of("1000")), sent(name -> null)))
                .isTrue();
        assertThat(get.mayKeep(200, Map.of("Content-Length", List.of("1001")), sent(name -> null)))
                .isFalse();
        assertThat(get.mayKeep(200, Map.of("Content-Length", List.of("1e9")), sent(name -> null)))
                .isTrue();
        HttpRequest request =
                get().method("HEAD", HttpRequest.BodyPublishers.noBody()).build();
        CachedCall<String> head = call(new HttpKey(JdkMessages.INSTANCE, request, null, varying, changes));
        assertThat(head.mayKeep(200, Map.of("Content-Length", List.of("1001")), sent(name -> null)))
                .isTrue();
        for (String type : List.of(
                "text/event-stream;charset=UTF-8",
                "Application/GRPC+proto",
                "video/mp4",
                "multipart/mixed",
                "application/x-ndjson",
                "application/json-seq")) {
            assertThat(get.mayKeep(200, Map.of("Content-Type", List.of(type)), sent(name -> null)))
                    .as(type)
                    .isFalse();
        }
        for (String type : List.of("text/event-streams", "application/json", "application/grpcx", "")) {
            assertThat(get.mayKeep(200, Map.of("Content-Type", List.of(type)), sent(name -> null)))
                    .as(type)
                    .isTrue();
        }
    }

    @Test
    void aServerThatVariesWithEverythingMakesNoKeyLonger() {
        for (int i = 0; i < 1_000; i++) {
            assertThat(freshness(key(null), "Vary: X-" + i).kept()).isFalse();
        }
        assertThat(varying.names()).hasSizeLessThanOrEqualTo(16);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Cache-Control: no-cache",
                "Cache-Control: no-store",
                "Cache-Control: max-age=0",
                "Pragma: no-cache",
                "Range: bytes=0-1",
                "If-None-Match: \"x\"",
                "If-Modified-Since: Sat, 28 Nov 2026 12:00:00 GMT"
            })
    void aRequestThatAsksForTheOriginGoesThere(String header) {
        assertThat(HttpCaching.mayAsk(JdkMessages.INSTANCE, get().build())).isTrue();
        assertThat(HttpCaching.mayAsk(
                        JdkMessages.INSTANCE,
                        get().method("HEAD", HttpRequest.BodyPublishers.noBody())
                                .build()))
                .isTrue();
        assertThat(HttpCaching.mayAsk(JdkMessages.INSTANCE, get().DELETE().build()))
                .isFalse();
        assertThat(HttpCaching.mayAsk(JdkMessages.INSTANCE, get(header).build()))
                .isFalse();
    }
}
