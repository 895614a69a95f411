/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.springshop;

import dev.holdfast.examples.springshop.service.SickService;
import dev.holdfast.examples.springshop.shop.Shop;
import java.util.List;
import java.util.stream.Stream;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** Starts a shop, a stock service and a price service in one process, each an application of Spring Boot with a port of its own. */
public final class SpringShop implements AutoCloseable {
    private final List<ConfigurableApplicationContext> contexts;

    private SpringShop(List<ConfigurableApplicationContext> contexts) {
        this.contexts = contexts;
    }

    /** With the port of the shop as its argument; default 8080. */
    public static void main(String[] arguments) {
        SpringShop shop = start(arguments.length == 0 ? 8080 : Integer.parseInt(arguments[0]));
        System.out.println("The shop is open: http://localhost:" + shop.port());
    }

    /** Starts all three. */
    static SpringShop start(int port) {
        ConfigurableApplicationContext stock = service("stock", 12);
        ConfigurableApplicationContext prices = service("prices", 7);
        ConfigurableApplicationContext shop = new SpringApplicationBuilder(Shop.class)
                .properties("spring.config.name=shop")
                .run("--server.port=" + port, "--stock=" + address(stock), "--prices=" + address(prices));
        return new SpringShop(List.of(shop, stock, prices));
    }

    private static ConfigurableApplicationContext service(String name, int value) {
        return new SpringApplicationBuilder(SickService.class)
                .properties("spring.config.name=service")
                .run("--spring.application.name=" + name, "--value=" + value);
    }

    private static String address(ConfigurableApplicationContext context) {
        return "http://localhost:" + port(context);
    }

    private static String port(ConfigurableApplicationContext context) {
        return String.valueOf(context.getEnvironment().getProperty("local.server.port"));
    }

    /** Of the shop. */
    int port() {
        return Integer.parseInt(port(contexts.get(0)));
    }

    /** How many requests the stock service and the price service have had. */
    List<Integer> requests() {
        return Stream.of(1, 2)
                .map(i -> contexts.get(i).getBean(SickService.class).requests())
                .toList();
    }

    /** The shop first. */
    @Override
    public void close() {
        contexts.forEach(ConfigurableApplicationContext::close);
    }
}
