/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing.http;

import static dev.holdfast.testing.http.WireServer.stallInBody;
import static dev.holdfast.testing.http.WireServer.status;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.http.HttpClientUnderTest.Response;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * What every adapter of an HTTP client does, over real sockets: what HTTP means to the policies, what may be repeated, and that
 * nothing leaks. A module with an adapter extends it.
 *
 * <pre>{@code
 * class MyClientTest extends HttpClientContract {
 *     @Override
 *     protected HttpClientUnderTest client(Function<String, Pipeline> pipelines) {
 *         return new MyClient(MyAdapter.around(client, pipelines::apply));
 *     }
 *
 *     @Override
 *     protected Policy staleCache() {
 *         return StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO));
 *     }
 * }
 * }</pre>
 *
 * <p>No case depends on how fast the machine is: where something must take too long, it takes for ever.
 */
public abstract class HttpClientContract extends StaleCacheCases {
    /** For a subclass. */
    protected HttpClientContract() {}

    /** Clients pool connections: what is not closed needs a new one each time. */
    private static final int MOST_CONNECTIONS = 64;

    @Test
    void noConnectionLeaksInManyCalls() throws Exception {
        HttpClientUnderTest client = client(retry());
        AtomicInteger turn = new AtomicInteger();
        String big = "x".repeat(20_000);
        server.on("/a", connection -> switch (turn.getAndIncrement() % 5) {
            case 1 -> status(500, big).answer(connection);
            case 3 -> status(503, big, "Retry-After: 0").answer(connection);
            default -> status(200, "12").answer(connection);
        });
        for (int i = 0; i < calls() / 2; i++) {
            assertThat(client.send(get("/a")).status()).isEqualTo(200);
            assertThat(client.sendAsync(get("/a")).response().get().status()).isEqualTo(200);
        }
        assertThat(server.connections()).isLessThan(MOST_CONNECTIONS);
    }

    /**
     * What the pipeline throws away is closed, also where the caller would have read it as a stream. An adapter that reads it within
     * the attempt gives it up when its time is over.
     */
    @Test
    void noConnectionLeaksIfBodiesAreStreams() throws Exception {
        // On a machine that stands still, more than one attempt is given up.
        HttpClientUnderTest client = givingUp(retry(10));
        AtomicInteger turn = new AtomicInteger();
        server.on(
                "/a",
                connection -> turn.getAndIncrement() % 2 == 0
                        ? stallInBody(500).answer(connection)
                        : status(200, "12").answer(connection));
        for (int i = 0; i < 20; i++) {
            assertThat(client.sendAndCloseStream(get("/a"))).isEqualTo(200);
            seesThatABodyIsGivenUp();
        }
        assertThat(server.connections()).isLessThan(closesBodiesThatAreGivenUp() ? 10 : MOST_CONNECTIONS);
    }

    @Test
    void aThousandCallsAtOnceGetTheirOwnAnswers() throws Exception {
        HttpClientUnderTest client = client(retry());
        for (int i = 0; i < 1_000; i++) {
            server.on("/" + i, i % 4 == 0 ? status(500) : status(200, "" + i), status(200, "" + i));
        }
        List<CompletableFuture<Response>> calls = IntStream.range(0, 1_000)
                .mapToObj(i -> client.sendAsync(get("/" + i)).response())
                .toList();
        for (int i = 0; i < 1_000; i++) {
            assertThat(calls.get(i).get().body()).isEqualTo("" + i);
        }
    }
}
