/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.testlogs.Logs;
import org.junit.jupiter.api.DisplayName;
import org.springframework.http.client.reactive.ReactorClientHttpConnector;
import reactor.netty.http.client.HttpClient;
import reactor.netty.resources.ConnectionProvider;

/** The contract, for WebClient over Reactor Netty. */
@Logs("The connection observed an error")
@Logs(value = "observed post termination", sometimes = true)
@DisplayName("WebClient, Netty")
class NettyConnectorTest extends WebClientContract {
    @Override
    Made connector() {
        ConnectionProvider connections = ConnectionProvider.builder("test")
                .maxConnections(50)
                .pendingAcquireMaxCount(-1)
                .build();
        HttpClient client = HttpClient.create(connections)
                .compress(true)
                .followRedirect(true)
                .disableRetry(true);
        return new Made(new ReactorClientHttpConnector(client), connections::dispose);
    }
}
