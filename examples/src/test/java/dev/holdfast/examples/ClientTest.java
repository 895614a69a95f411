/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static java.time.Duration.ofHours;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.examples.StockClient.Answer;
import dev.holdfast.http.Pipelines;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.ScriptedServer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ClientTest {
    @ParameterizedTest
    @EnumSource
    void eachAsksThroughThePipeline(Client client) throws Exception {
        try (ScriptedServer server = ScriptedServer.start();
                Pipeline stock = Pipeline.of("stock", StaleCachePolicy.of(c -> c.fresh(ofHours(1))))) {
            server.answers(200, "tea");
            server.answers(404, "none");
            Client.Get get = client.with(Pipelines.one(stock));

            assertThat(get.ask(server.uri("/tea"))).isEqualTo(new Answer("tea", "LIVE"));
            assertThat(get.ask(server.uri("/tea"))).isEqualTo(new Answer("tea", "FRESH"));
            assertThatThrownBy(() -> get.ask(server.uri("/coffee"))).hasStackTraceContaining("stock answered 404");
        }
    }
}
