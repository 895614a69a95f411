/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Perishable.Freshness;
import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 9111 and RFC 5861. */
class HttpCachingTest {
    private static final String DATE = "Date: Sat, 28 Nov 2026 12:00:00 GMT";

    private final HttpCaching<HttpRequest> caching = new HttpCaching<>(JdkMessages.INSTANCE, false);
    private final HttpKey.Varying varying = new HttpKey.Varying();
    private final HttpKey.Changes changes = new HttpKey.Changes();

    private static HttpRequest.Builder get(String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://a/x?y=1"));
        for (String header : headers) {
            int colon = header.indexOf(':');
            request.header(header.substring(0, colon), header.substring(colon + 2));
        }
        return request;
    }

    private HttpKey<HttpRequest> key(@Nullable Object partition, String... headers) {
        return new HttpKey<>(JdkMessages.INSTANCE, get(headers).build(), partition, varying, changes);
    }

    private Freshness freshness(HttpKey<HttpRequest> key, String... headers) {
        Map<String, List<String>> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        for (String header : headers) {
            int colon = header.indexOf(':');
            all.computeIfAbsent(header.substring(0, colon), name -> new ArrayList<>())
                    .add(header.substring(colon + 1).strip());
        }
        return caching.freshness(key, name -> all.getOrDefault(name, List.of()), 10);
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
                "s-maxage=5, max-age=60                         | 5  | -  | -",
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
        assertThat(freshness.weight()).isEqualTo(10);
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
        assertThat(freshness(key(null), later).fresh())
                .as("measured by no clock")
                .isEqualTo(Duration.ZERO);
    }

    @Test
    void theAgeOnArrivalCounts() {
        assertThat(freshness(key(null), "Cache-Control: max-age=60", "Age: 50").age())
                .isEqualTo(Duration.ofSeconds(50));
        assertThat(freshness(key(null), "Cache-Control: max-age=60", "Age: 99999999999999999999")
                        .age())
                .isEqualTo(Duration.ofDays(365));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Cache-Control: no-store",
                "Cache-Control: max-age=60, private",
                "Cache-Control: private=\"x\"",
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

    @Test
    void withoutRevalidationNothingIsKept() {
        Freshness freshness = freshness(key(null), "Cache-Control: no-cache");
        assertThat(freshness.kept()).isFalse();
        assertThat(freshness.shared()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Authorization: Bearer x", "Cookie: a=b"})
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
        HttpKey<HttpRequest> before = key(null, "X-Tenant: a");
        assertThat(before).isEqualTo(key(null, "X-Tenant: b")).isNotEqualTo(key(null, "Accept: text/plain"));
        assertThat(freshness(before, "Vary: X-TENANT , accept").kept()).isFalse();
        HttpKey<HttpRequest> after = key(null, "X-Tenant: a");
        assertThat(after).isNotEqualTo(before).isNotEqualTo(key(null, "X-Tenant: b"));
        assertThat(after).isEqualTo(key(null, "X-Tenant: a")).hasSameHashCodeAs(key(null, "X-Tenant: a"));
        assertThat(freshness(after, "Vary: x-tenant").kept()).isTrue();
        assertThat(after).isNotEqualTo(key("ann", "X-Tenant: a"));
        assertThat(key(null, "X-Tenant: o", "X-Tenant: a")).isNotEqualTo(key(null, "X-Tenant: o", "X-Tenant: b"));
        assertThat(key(null, "X-Tenant: ")).as("empty is not absent").isNotEqualTo(key(null));
    }

    @Test
    void keysAreOfTheWholeAddress() {
        List<HttpKey<HttpRequest>> keys = Stream.of(
                        "http://a/x",
                        "http://b/x",
                        "https://a/x",
                        "http://a:81/x",
                        "http://a/x?null",
                        "http://a/x?",
                        "http://a/X",
                        "http://a/y")
                .map(uri -> new HttpKey<>(
                        JdkMessages.INSTANCE,
                        HttpRequest.newBuilder(URI.create(uri)).build(),
                        null,
                        varying,
                        changes))
                .toList();
        assertThat(keys).doesNotHaveDuplicates();
        assertThat(keys.get(0))
                .isEqualTo(new HttpKey<>(
                        JdkMessages.INSTANCE,
                        HttpRequest.newBuilder(URI.create("HTTP://A:80/x#part")).build(),
                        null,
                        varying,
                        changes));
    }

    /** Its cookies and credentials are in no request that an adapter sees. */
    @Test
    void aClientThatAddsIdentityAnswersToSomebody() {
        HttpCaching<HttpRequest> adding = new HttpCaching<>(JdkMessages.INSTANCE, true);
        assertThat(adding.freshness(key(null), name -> List.of(), 10).shared()).isFalse();
        assertThat(adding.freshness(key("ann"), name -> List.of(), 10).kept()).isTrue();
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
        assertThat(caching.mayAsk(get().build())).isTrue();
        assertThat(caching.mayAsk(get().method("HEAD", HttpRequest.BodyPublishers.noBody())
                        .build()))
                .isTrue();
        assertThat(caching.mayAsk(get().DELETE().build())).isFalse();
        assertThat(caching.mayAsk(get(header).build())).isFalse();
    }
}
