/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.hedge;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * As {@link TailTest}, over real HTTP, whose losers are cut off: half of the callers block, half do not. What the service
 * takes passes in virtual time, which stands still while a request or an answer is under way: so the figures are those of
 * the service and the policy, and the same on any machine.
 */
class TailOverHttpTest {
    private static final int CALLERS = 8;
    /** Of each caller, before its calls count: by then there is a percentile to go by. */
    private static final int FIRST_CALLS = 25;

    private static final int CALLS = 125;
    private static final int ALL_CALLS = CALLERS * (FIRST_CALLS + CALLS);
    private static final int MEDIAN_MICROS = 100_000;
    private static final long SEED = 20_261_125;

    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    /**
     * Answers after about 100 ms, and of each hundred requests one, at a place drawn from the seed, after 2 s. Holds no
     * thread meanwhile.
     */
    private static final class Service implements AutoCloseable {
        private final VirtualTime time;
        private final SplittableRandom random = new SplittableRandom(SEED);
        private final Map<String, CompletableFuture<HttpExchange>> arrivals = new ConcurrentHashMap<>();
        private final ExecutorService threads = Executors.newCachedThreadPool();
        private final HttpServer server;
        int requests;
        private int slow;

        Service(VirtualTime time) throws IOException {
            this.time = time;
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.setExecutor(threads);
            server.createContext(
                    "/", exchange -> arrival(exchange.getRequestURI().getPath()).complete(exchange));
            server.start();
        }

        private CompletableFuture<HttpExchange> arrival(String path) {
            return arrivals.computeIfAbsent(path, request -> new CompletableFuture<>());
        }

        private long nanos() {
            int place = requests++ % 100;
            if (place == 0) {
                slow = random.nextInt(100);
            }
            int micros = place == slow
                    ? 20 * MEDIAN_MICROS
                    : MEDIAN_MICROS * 8 / 10 + random.nextInt(MEDIAN_MICROS * 4 / 10);
            return TimeUnit.MICROSECONDS.toNanos(micros);
        }

        /** Sends a request, which has arrived when this returns; cancelling what is returned cuts the connection. */
        CompletableFuture<Integer> get() {
            long nanos = nanos();
            String path = "/" + requests;
            CompletableFuture<HttpResponse<Void>> wire = CLIENT.sendAsync(
                    HttpRequest.newBuilder(URI.create("http:/" + server.getAddress() + path))
                            .build(),
                    HttpResponse.BodyHandlers.discarding());
            CompletableFuture<Integer> answer = new CompletableFuture<>();
            var unused = answer.whenComplete((value, error) -> wire.cancel(true));
            HttpExchange exchange = arrival(path).join();
            time.schedule(nanos, () -> {
                answer(exchange);
                // Who got another answer earlier has cut this one off.
                if (!answer.isCancelled()) {
                    answer.complete(wire.join().statusCode());
                }
            });
            return answer;
        }

        private static void answer(HttpExchange exchange) {
            try (exchange) {
                // Without a body, which would be a second packet that waits until the first one is acknowledged.
                exchange.sendResponseHeaders(204, -1);
            } catch (IOException gone) {
                // The client did not wait for it.
            }
        }

        @Override
        public void close() {
            server.stop(0);
            threads.shutdownNow();
        }
    }

    /** Waits in virtual time. */
    private static int await(VirtualTime time, CompletableFuture<Integer> answer) throws InterruptedException {
        Thread waiting = Thread.currentThread();
        var unused = answer.whenComplete((value, error) -> time.unpark(waiting));
        while (!answer.isDone()) {
            time.park(answer, Long.MAX_VALUE);
            if (Thread.interrupted()) {
                answer.cancel(true);
                throw new InterruptedException();
            }
        }
        return answer.join();
    }

    private static long[] callAgainAndAgain(VirtualTime time, Pipeline pipeline, Service service, boolean blocking)
            throws InterruptedException {
        long[] took = new long[CALLS];
        for (int i = -FIRST_CALLS; i < CALLS; i++) {
            long start = time.nanos();
            int answer = blocking
                    ? pipeline.call(() -> await(time, service.get()))
                    : await(time, pipeline.callAsync(service::get));
            assertThat(answer).isEqualTo(204);
            if (i >= 0) {
                took[i] = time.nanos() - start;
            }
        }
        return took;
    }

    private record Tail(long p999, int requests) {}

    private static Tail tail(Policy... policies) throws IOException {
        try (VirtualTime time = VirtualTime.seeded(SEED);
                Service service = new Service(time);
                Pipeline pipeline = Pipeline.builder("service")
                        .policies(policies)
                        .time(time)
                        .build()) {
            List<CompletableFuture<long[]>> callers = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                boolean blocking = i % 2 == 0;
                callers.add(time.spawn(() -> callAgainAndAgain(time, pipeline, service, blocking)));
            }
            time.run();
            long[] all = callers.stream()
                    .flatMapToLong(caller -> Arrays.stream(caller.join()))
                    .sorted()
                    .toArray();
            return new Tail(all[(int) Math.ceil(0.999 * all.length) - 1], service.requests);
        }
    }

    @Test
    void hedgingLowersTheTailForFewMoreRequests() throws IOException {
        Tail bare = tail();
        Tail hedged = tail(HedgePolicy.ofDefaults());
        String figures = "hedged " + hedged + ", bare " + bare + ", seed " + SEED;
        assertThat(3 * hedged.p999).as(figures).isLessThanOrEqualTo(bare.p999);
        assertThat(bare.requests).isEqualTo(ALL_CALLS);
        assertThat(hedged.requests).as(figures).isBetween(ALL_CALLS + ALL_CALLS / 200, ALL_CALLS + ALL_CALLS * 6 / 100);
    }
}
