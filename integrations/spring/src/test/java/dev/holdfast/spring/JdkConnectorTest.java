/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.testlogs.Logs;
import java.net.http.HttpClient;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.DisplayName;
import org.springframework.http.client.reactive.JdkClientHttpConnector;

/** The contract, for WebClient over java.net.http. */
@Logs(value = "onErrorDropped", sometimes = true)
@DisplayName("WebClient")
class JdkConnectorTest extends WebClientContract {
    /** The client below follows them, and Spring does not say so. */
    @Override
    protected boolean seesRedirects() {
        return false;
    }

    /** Spring's connector shares a body among its subscribers, and reads on when the last one has left. */
    @Override
    protected boolean closesBodiesThatAreGivenUp() {
        return false;
    }

    @Override
    Made connector() {
        ExecutorService executor = Executors.newCachedThreadPool();
        HttpClient client = HttpClient.newBuilder()
                .executor(executor)
                .followRedirects(HttpClient.Redirect.NORMAL)
                .build();
        return new Made(new JdkClientHttpConnector(client), executor::shutdown);
    }

    @Override
    protected int calls() {
        return 1_000;
    }
}
