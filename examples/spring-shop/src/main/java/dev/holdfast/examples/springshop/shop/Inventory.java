/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.springshop.shop;

import dev.holdfast.springboot.Protected;
import java.util.Objects;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import org.springframework.web.client.RestClient;

/** The stock service. An old number is better than none, so its pipeline has a stale cache, and stands around the method. */
@Component
class Inventory {
    private final RestClient client;

    Inventory(@Value("${stock}") String address) {
        client = RestClient.create(address);
    }

    @Protected("inventory")
    public Item stock(String sku) {
        Item item = client.get().uri("/items/{sku}", sku).retrieve().body(Item.class);
        return Objects.requireNonNull(item, "stock");
    }
}
