/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.stalecache.StaleCachePolicy;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whether something exists, clients ask by HEAD, and often it does not. */
class HeadTest {
    record Asked(String method, URI uri) {}

    static final class Messages implements HttpMessages<Asked, Integer> {
        @Override
        public String method(Asked request) {
            return request.method();
        }

        @Override
        public URI uri(Asked request) {
            return request.uri();
        }

        @Override
        public @Nullable String requestHeader(Asked request, String name) {
            return null;
        }

        @Override
        public List<String> requestHeaders(Asked request, String name) {
            return List.of();
        }

        @Override
        public boolean canBeSentAgain(Asked request) {
            return true;
        }

        @Override
        public Class<Integer> responseType() {
            return Integer.class;
        }

        @Override
        public int status(Integer response) {
            return response;
        }

        @Override
        public List<String> responseHeaders(Integer response, String name) {
            return List.of();
        }

        @Override
        public void close(Integer response) {}
    }

    private final Pipeline pipeline = Pipeline.of(
            "shop", StaleCachePolicy.of(c -> c.fresh(Duration.ofHours(1)).freshIfIgnored(Duration.ofHours(1))));
    private final HttpCalls<Asked, Integer> calls =
            new HttpCalls<>(new Messages(), Pipelines.one(pipeline), new HttpOptions<Asked>());
    private final List<String> sent = new ArrayList<>();

    @AfterEach
    void close() {
        pipeline.close();
    }

    private void answer(String method, String path, int status) {
        Asked request = new Asked(method, URI.create("http://shop.example" + path));
        CachedCall<Integer> cached =
                Objects.requireNonNull(calls.operation(request).cached(request));
        var unused = cached.call().reply(attempt -> {
            sent.add(method + " " + path);
            calls.answered(request, status);
            assertThat(cached.mayKeep(status, Map.of(), name -> List.of())).isTrue();
            return cached.kept(status, Map.of(), new byte[0]);
        });
    }

    /** Without a place in the cache, which is bounded. */
    private void asked(String method, String path, int status) {
        Asked request = new Asked(method, URI.create("http://shop.example" + path));
        assertThat(calls.operation(request).cached(request)).isNotNull();
        calls.answered(request, status);
    }

    @Test
    void thatNothingIsThereIsKeptForHead() {
        for (int status : new int[] {404, 410}) {
            for (int i = 0; i < 3; i++) {
                answer("HEAD", "/" + status, status);
            }
        }
        assertThat(sent).containsExactly("HEAD /404", "HEAD /410");
    }

    @Test
    void itRemovesWhatGetKeeps() {
        answer("GET", "/a", 200);
        answer("HEAD", "/a", 404);
        answer("GET", "/a", 404);
        assertThat(sent).containsExactly("GET /a", "HEAD /a", "GET /a");
    }

    /** However many others there are: numbers are shared. */
    @Test
    void itForgetsNothingOfOtherAddresses() {
        for (int good = 0; good < 10; good++) {
            answer("GET", "/good/" + good, 200);
            answer("HEAD", "/good/" + good, 200);
        }
        for (int missing = 0; missing < 100_000; missing++) {
            asked("HEAD", "/missing/" + missing, 404);
        }
        sent.clear();
        for (int good = 0; good < 10; good++) {
            answer("GET", "/good/" + good, 200);
        }
        assertThat(sent).isEmpty();
    }

    /** Beyond a bound nobody knows which addresses had a key: then each change counts. */
    @Test
    void whatIsGoneIsSeenAmongAnyNumberOfOthers() {
        answer("GET", "/a", 200);
        for (int other = 0; other < 100_000; other++) {
            asked("GET", "/" + other, 200);
        }
        answer("GET", "/a", 200);
        assertThat(sent).containsExactly("GET /a");
        answer("HEAD", "/a", 404);
        answer("GET", "/a", 200);
        assertThat(sent).containsExactly("GET /a", "HEAD /a", "GET /a");
    }
}
