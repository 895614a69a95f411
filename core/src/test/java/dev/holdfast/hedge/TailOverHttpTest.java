/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.hedge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Pipeline;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** As {@link TailTest}, over real HTTP on real time: half of the callers block, half do not. */
class TailOverHttpTest {
    private static final Duration BOUND = Duration.ofSeconds(90);
    private static final int CALLERS = 8;
    /** Of each caller, before its calls count: by then there is a percentile to go by. */
    private static final int FIRST_CALLS = 25;

    private static final int CALLS = 125;
    private static final int MEDIAN_MICROS = 100_000;
    private static final long SEED = 20_261_125;

    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    /**
     * Answers after about 100 ms, and of each hundred requests one, at a place drawn from the seed, after 2 s: so long that
     * a busy machine's own delays are short beside it. Holds no thread meanwhile.
     */
    private static final class Service implements AutoCloseable {
        final AtomicInteger requests = new AtomicInteger();
        private int drawn;
        private int slow;
        private final SplittableRandom random = new SplittableRandom(SEED);
        private final ScheduledExecutorService later = Executors.newScheduledThreadPool(2);
        private final ExecutorService threads = Executors.newCachedThreadPool();
        private final HttpServer server;

        Service() throws IOException {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.setExecutor(threads);
            server.createContext("/", exchange -> {
                requests.incrementAndGet();
                var unused = later.schedule(() -> answer(exchange), micros(), TimeUnit.MICROSECONDS);
            });
            server.start();
        }

        private synchronized long micros() {
            int place = drawn++ % 100;
            if (place == 0) {
                slow = random.nextInt(100);
            }
            return place == slow ? 20 * MEDIAN_MICROS : MEDIAN_MICROS * 8 / 10 + random.nextInt(MEDIAN_MICROS * 4 / 10);
        }

        private static void answer(HttpExchange exchange) {
            try (exchange) {
                byte[] body = "well".getBytes(UTF_8);
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
            } catch (IOException gone) {
                // The client did not wait for it.
            }
        }

        HttpRequest request() {
            return HttpRequest.newBuilder(URI.create("http:/" + server.getAddress() + "/"))
                    .build();
        }

        @Override
        public void close() {
            server.stop(0);
            later.shutdownNow();
            threads.shutdownNow();
        }
    }

    private static String get(Pipeline pipeline, HttpRequest request, boolean blocking) throws Exception {
        if (blocking) {
            return pipeline.call(() -> CLIENT.send(request, HttpResponse.BodyHandlers.ofString()))
                    .body();
        }
        CompletableFuture<HttpResponse<String>> answer =
                pipeline.callAsync(() -> CLIENT.sendAsync(request, HttpResponse.BodyHandlers.ofString()));
        return answer.get(BOUND.toSeconds(), TimeUnit.SECONDS).body();
    }

    private static long[] callAgainAndAgain(Pipeline pipeline, Service service, boolean blocking) throws Exception {
        long[] took = new long[CALLS];
        HttpRequest request = service.request();
        for (int i = -FIRST_CALLS; i < CALLS; i++) {
            long start = System.nanoTime();
            assertThat(get(pipeline, request, blocking)).isEqualTo("well");
            if (i >= 0) {
                took[i] = System.nanoTime() - start;
            }
        }
        return took;
    }

    private static List<Future<long[]>> start(ExecutorService threads, Pipeline pipeline, Service service) {
        List<Future<long[]>> callers = new ArrayList<>();
        for (int i = 0; i < CALLERS; i++) {
            boolean blocking = i % 2 == 0;
            callers.add(threads.submit(() -> callAgainAndAgain(pipeline, service, blocking)));
        }
        return callers;
    }

    private static long p999(List<Future<long[]>> callers) throws Exception {
        long[] all = new long[0];
        for (Future<long[]> caller : callers) {
            long[] took = caller.get(BOUND.toSeconds(), TimeUnit.SECONDS);
            int before = all.length;
            all = Arrays.copyOf(all, before + took.length);
            System.arraycopy(took, 0, all, before, took.length);
        }
        Arrays.sort(all);
        return all[(int) Math.ceil(0.999 * all.length) - 1];
    }

    @Test
    void hedgingLowersTheTailForFewMoreRequests() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2 * CALLERS);
        try (Service ofBare = new Service();
                Service ofHedged = new Service();
                Pipeline bare = Pipeline.of("bare");
                Pipeline hedged = Pipeline.of("hedged", HedgePolicy.ofDefaults())) {
            // At the same time, so that both feel whatever else the machine does.
            List<Future<long[]>> bareCallers = start(threads, bare, ofBare);
            List<Future<long[]>> hedgedCallers = start(threads, hedged, ofHedged);
            long bareTail = p999(bareCallers);
            long hedgedTail = p999(hedgedCallers);
            int calls = CALLERS * (FIRST_CALLS + CALLS);
            String figures = String.format(
                    "p99.9 %d ms with hedging, %d ms without; %d requests for %d calls; seed %d; %s",
                    hedgedTail / 1_000_000,
                    bareTail / 1_000_000,
                    ofHedged.requests.get(),
                    calls,
                    SEED,
                    hedged.snapshot());
            assertThat(3 * hedgedTail).as(figures).isLessThanOrEqualTo(bareTail);
            assertThat(ofBare.requests.get()).isEqualTo(calls);
            assertThat(ofHedged.requests.get()).as(figures).isBetween(calls + calls / 200, calls + calls * 6 / 100);
        } finally {
            threads.shutdownNow();
        }
    }
}
