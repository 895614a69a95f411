/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.testing.ScriptedServer;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The client that the README shows, against a real server. */
class InventoryClientTest {
    /** However busy the machine is. */
    private static Pipeline withoutLimits() {
        return InventoryClient.pipeline().without("deadline").without("timeout").build();
    }

    @Test
    void stockIsAskedForAgainAfterAFailure() throws Exception {
        try (ScriptedServer server = ScriptedServer.start();
                Pipeline inventory = withoutLimits()) {
            InventoryClient client = new InventoryClient(server.uri("/"), inventory);
            server.answers(503, "busy").answers(200, "12");
            assertThat(client.stock("sku-1").body()).isEqualTo("12");
            assertThat(server.requests()).hasSize(2);
        }
    }

    @Test
    void anOrderIsRepeatedOnlyAfterAPushback() throws Exception {
        try (ScriptedServer server = ScriptedServer.start();
                Pipeline inventory = withoutLimits()) {
            InventoryClient client = new InventoryClient(server.uri("/"), inventory);
            server.answers(429, "slow down").retryAfter(Duration.ZERO).answers(503, "busy");
            assertThat(client.order("sku-1").statusCode()).isEqualTo(503);
            assertThat(server.requests()).hasSize(2);
        }
    }

    @Test
    void whatIsNotThereIsAskedForOnce() throws Exception {
        try (ScriptedServer server = ScriptedServer.start();
                Pipeline inventory = withoutLimits()) {
            InventoryClient client = new InventoryClient(server.uri("/"), inventory);
            server.answers(404, "no such article");
            assertThat(client.stock("sku-9").statusCode()).isEqualTo(404);
            assertThat(server.requests()).hasSize(1);
        }
    }
}
