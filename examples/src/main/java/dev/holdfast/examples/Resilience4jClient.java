/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadFullException;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.Function;

/** A client behind decorators of resilience4j, with the timeout of the {@link BareClient} for each attempt. */
final class Resilience4jClient implements StockClient {
    private final HttpClient http = BareClient.http();
    private final Function<String, URI> address;
    private final Retry retry;
    private final Bulkhead bulkhead = Bulkhead.ofDefaults("stock");
    private final CircuitBreaker breaker;

    private Resilience4jClient(Function<String, URI> address, Retry retry, CircuitBreaker breaker) {
        this.address = address;
        this.retry = retry;
        this.breaker = breaker;
    }

    /** The order and the defaults of its guide: a breaker inside a bulkhead inside a retry. */
    static Resilience4jClient asDocumented(Function<String, URI> address) {
        return new Resilience4jClient(address, Retry.ofDefaults("stock"), CircuitBreaker.ofDefaults("stock"));
    }

    /**
     * Tuned for a service that hangs: the breaker opens early, at half of the last ten calls, for two seconds, then three
     * calls try it, and what the breaker or
     * the bulkhead rejects is not repeated.
     */
    static Resilience4jClient opensEarly(Function<String, URI> address) {
        return new Resilience4jClient(
                address,
                Retry.of(
                        "stock",
                        RetryConfig.custom()
                                .ignoreExceptions(CallNotPermittedException.class, BulkheadFullException.class)
                                .build()),
                CircuitBreaker.of(
                        "stock",
                        CircuitBreakerConfig.custom()
                                .slidingWindowSize(10)
                                .minimumNumberOfCalls(10)
                                .permittedNumberOfCallsInHalfOpenState(3)
                                .waitDurationInOpenState(Duration.ofSeconds(2))
                                .build()));
    }

    @Override
    public Answer ask(String sku) throws Exception {
        Callable<Answer> inBreaker = CircuitBreaker.decorateCallable(breaker, () -> once(sku));
        return Retry.decorateCallable(retry, Bulkhead.decorateCallable(bulkhead, inBreaker))
                .call();
    }

    private Answer once(String sku) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(address.apply(sku))
                .timeout(BareClient.TIMEOUT)
                .build();
        HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException("stock answered " + response.statusCode());
        }
        return new Answer(response.body(), "LIVE");
    }
}
