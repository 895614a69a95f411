/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.junit.jupiter.api.DisplayName;

/** The contract, for RestClient over Apache's classic client. */
@DisplayName("RestClient, Apache")
class ApacheFactoryTest extends BlockingContract {
    @Override
    Made factory() {
        CloseableHttpClient client = HttpClients.custom()
                .disableAutomaticRetries()
                .setConnectionManager(PoolingHttpClientConnectionManagerBuilder.create()
                        .setMaxConnPerRoute(32)
                        .setMaxConnTotal(64)
                        .build())
                .build();
        return new Made(RequestFactories.httpComponents(client), client);
    }

    @Override
    protected int calls() {
        return 1_000;
    }

    @Override
    protected boolean handsDownWithAnotherMethod() {
        return false;
    }
}
