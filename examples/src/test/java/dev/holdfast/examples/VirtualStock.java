/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.time.VirtualTime;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLSession;

/** As {@link Stock}, in virtual time and without a network. */
final class VirtualStock {
    private record Request(String sku, CompletableFuture<HttpResponse<String>> answer) {}

    private final VirtualTime time;
    private final CallLog calls;
    private final int workers;
    private final SplittableRandom random;
    private Condition condition = Condition.HEALTHY;
    private Server server = new Server();

    VirtualStock(VirtualTime time, CallLog calls, long seed, int workers) {
        this.workers = workers;
        this.time = time;
        this.calls = calls;
        this.random = new SplittableRandom(seed);
    }

    void become(Condition next) {
        condition = next;
        if (next == Condition.GONE) {
            server.cut();
            server = new Server();
        }
    }

    /** Sends a request. Whoever does not wait for the answer leaves it in its place: a server learns of that when it writes. */
    CompletableFuture<HttpResponse<String>> get(String sku) {
        Request request = new Request(sku, new CompletableFuture<>());
        if (condition == Condition.GONE) {
            request.answer.completeExceptionally(new ConnectException("refused"));
            return request.answer;
        }
        calls.add();
        if (condition == Condition.PUSHBACK) {
            request.answer.complete(response(503, "too busy", Map.of("Retry-After", List.of("1"))));
        } else {
            server.arrive(request);
        }
        return request.answer;
    }

    private long serviceNanos() {
        double spread = random.nextDouble(0.8, 1.2);
        if (condition == Condition.HANGING && random.nextDouble() < Stock.HANGING) {
            return Stock.HANG_NANOS;
        }
        return (long) (spread * Stock.SERVICE_NANOS * (condition == Condition.SLOW ? Stock.SLOWDOWN : 1));
    }

    /** Its workers and its queue, until it is gone. */
    private final class Server {
        private final Deque<Request> queue = new ArrayDeque<>();
        private final List<Request> served = new ArrayList<>();
        private boolean gone;

        void arrive(Request request) {
            if (served.size() < workers) {
                serve(request);
            } else if (queue.size() < Stock.QUEUE) {
                queue.add(request);
            } else {
                request.answer.complete(response(503, "overloaded", Map.of()));
            }
        }

        private void serve(Request request) {
            served.add(request);
            time.schedule(serviceNanos(), () -> done(request));
        }

        private void done(Request request) {
            if (gone) {
                return;
            }
            served.remove(request);
            request.answer.complete(
                    condition == Condition.FAILING
                            ? response(500, "the database is gone", Map.of())
                            : response(200, Stock.article(request.sku), Map.of()));
            Request next = queue.poll();
            if (next != null) {
                serve(next);
            }
        }

        void cut() {
            gone = true;
            served.addAll(queue);
            served.forEach(request -> request.answer.completeExceptionally(new ConnectException("cut")));
        }
    }

    private static HttpResponse<String> response(int status, String body, Map<String, List<String>> headers) {
        return new Response(status, body, HttpHeaders.of(headers, (name, value) -> true));
    }

    private record Response(int statusCode, String body, HttpHeaders headers) implements HttpResponse<String> {
        @Override
        public HttpRequest request() {
            return HttpRequest.newBuilder(uri()).build();
        }

        @Override
        public Optional<HttpResponse<String>> previousResponse() {
            return Optional.empty();
        }

        @Override
        public Optional<SSLSession> sslSession() {
            return Optional.empty();
        }

        @Override
        public URI uri() {
            return URI.create("http://stock");
        }

        @Override
        public HttpClient.Version version() {
            return HttpClient.Version.HTTP_1_1;
        }
    }
}
