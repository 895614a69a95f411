/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.springshop.shop;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/** What the page's buttons do. They reach the services past all pipelines, or nobody could heal a service behind an open breaker. */
@RestController
class Buttons {
    private final Map<String, RestClient> services;

    Buttons(@Value("${stock}") String stock, @Value("${prices}") String prices) {
        services = Map.of("stock", RestClient.create(stock), "prices", RestClient.create(prices));
    }

    @PostMapping("/{service}/state")
    void become(@PathVariable String service, @RequestParam String state) {
        Objects.requireNonNull(services.get(service), service)
                .post()
                .uri("/state?state={state}", state)
                .retrieve()
                .toBodilessEntity();
    }

    /** How many requests each service has had. */
    @GetMapping("/requests")
    Map<String, Integer> requests() {
        Map<String, Integer> all = new HashMap<>();
        services.forEach((name, service) -> all.put(
                name,
                Objects.requireNonNull(service.get().uri("/requests").retrieve().body(Integer.class), name)));
        return all;
    }
}
