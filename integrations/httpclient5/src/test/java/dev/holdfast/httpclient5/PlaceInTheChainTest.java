/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.testing.ScriptedServer;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.ChainElement;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A handler that its user has put into the client's chain himself. */
class PlaceInTheChainTest {
    private static final String PROTOCOL = ChainElement.PROTOCOL.name();

    private final ScriptedServer server = ScriptedServer.start();
    private final Pipeline pipeline = Pipeline.of("shop");
    private final HoldfastExec handler = HoldfastExec.of(Pipelines.one(pipeline));
    private final PoolingHttpClientConnectionManager pool = new PoolingHttpClientConnectionManager();
    private final HttpClientBuilder builder =
            HttpClients.custom().disableAutomaticRetries().setConnectionManager(pool);

    @AfterEach
    void close() {
        pipeline.close();
        server.close();
    }

    private int get(CloseableHttpClient client) throws Exception {
        return client.execute(new HttpGet(server.uri("/x")), response -> response.getCode());
    }

    static Stream<Named<Consumer<PlaceInTheChainTest>>> places() {
        return Stream.of(
                Named.of(
                        "after PROTOCOL",
                        test -> test.builder.addExecInterceptorAfter(PROTOCOL, HoldfastExec.NAME, test.handler)),
                Named.of("last", test -> test.builder.addExecInterceptorLast(HoldfastExec.NAME, test.handler)),
                Named.of(
                        "after CONNECT",
                        test -> test.builder.addExecInterceptorAfter(
                                ChainElement.CONNECT.name(), HoldfastExec.NAME, test.handler)));
    }

    /** There the client would not get the connections of attempts back. */
    @ParameterizedTest
    @MethodSource("places")
    void oneThatStandsTooFarInIsRefusedAtTheFirstRequest(Consumer<PlaceInTheChainTest> place) throws Exception {
        place.accept(this);
        try (CloseableHttpClient client = builder.build()) {
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> get(client))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("HoldfastExec.addTo")
                        .hasMessageContaining("PROTOCOL");
            }
            assertThat(pool.getTotalStats().getLeased()).isZero();
        }
    }

    @Test
    void oneDirectlyBeforeProtocolWorks() throws Exception {
        builder.addExecInterceptorBefore(PROTOCOL, HoldfastExec.NAME, handler);
        server.answers(200, "");
        server.answers(200, "");
        try (CloseableHttpClient client = builder.build()) {
            assertThat(get(client)).isEqualTo(200);
            assertThat(get(client)).isEqualTo(200);
            assertThat(pool.getTotalStats().getLeased()).isZero();
        }
    }
}
