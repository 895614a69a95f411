/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.springshop.shop;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** What a customer sees. */
@RestController
class Offers {
    private static final int LIST_PRICE = 10;

    private final Inventory inventory;
    private final Prices prices;

    Offers(Inventory inventory, Prices prices) {
        this.inventory = inventory;
        this.prices = prices;
    }

    /**
     * An offer.
     *
     * @param stockAge how old the number of the stock is, in milliseconds
     * @param listPrice whether the price service had no answer
     */
    record Offer(String sku, int stock, long stockAge, int price, boolean listPrice) {}

    @GetMapping("/offers/{sku}")
    Offer offer(@PathVariable String sku) {
        Item left = inventory.stock(sku);
        long age = System.currentTimeMillis() - left.at();
        try {
            return new Offer(sku, left.value(), age, prices.price(sku), false);
        } catch (RuntimeException noPrice) {
            return new Offer(sku, left.value(), age, LIST_PRICE, true);
        }
    }
}
