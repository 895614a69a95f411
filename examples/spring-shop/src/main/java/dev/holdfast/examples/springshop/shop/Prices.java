/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.springshop.shop;

import java.util.Objects;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import org.springframework.web.client.RestClient;

/** The price service. Its client is made with Spring's builder, so it has a pipeline for its host. */
@Component
class Prices {
    private final RestClient client;

    Prices(RestClient.Builder builder, @Value("${prices}") String address) {
        client = builder.baseUrl(address).build();
    }

    int price(String sku) {
        Item item = client.get().uri("/items/{sku}", sku).retrieve().body(Item.class);
        return Objects.requireNonNull(item, "price").value();
    }
}
