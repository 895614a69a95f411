/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import java.net.http.HttpClient;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.DisplayName;
import org.springframework.http.client.JdkClientHttpRequestFactory;

/** The contract, for RestClient over java.net.http. */
@DisplayName("RestClient")
class JdkFactoryTest extends BlockingContract {
    @Override
    Made factory() {
        ExecutorService executor = Executors.newCachedThreadPool();
        HttpClient client = HttpClient.newBuilder()
                .executor(executor)
                .followRedirects(HttpClient.Redirect.NORMAL)
                .build();
        return new Made(RequestFactories.noting(new JdkClientHttpRequestFactory(client)), executor::shutdown);
    }
}
