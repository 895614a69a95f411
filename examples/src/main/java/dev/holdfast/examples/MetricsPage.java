/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.URI;

/** The metrics of the Holdfast run as Prometheus reads them, at {@code /metrics} on 127.0.0.1. */
final class MetricsPage implements AutoCloseable {
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final LoopbackServer server;

    MetricsPage() throws IOException {
        server = LoopbackServer.start("metrics", 1, 10, exchange -> {
            boolean found = exchange.getRequestURI().getPath().equals("/metrics");
            exchange.getResponseHeaders().add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
            LoopbackServer.answer(exchange, found ? 200 : 404, found ? registry.scrape() : "see /metrics");
        });
    }

    /** Where meters are registered. */
    PrometheusMeterRegistry registry() {
        return registry;
    }

    URI uri() {
        return server.uri("/metrics");
    }

    @Override
    public void close() {
        server.close();
        registry.close();
    }
}
