/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import org.apache.hc.client5.http.impl.async.HttpAsyncClientBuilder;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.http.client.HttpComponentsClientHttpRequestFactoryBuilder;
import org.springframework.boot.http.client.ReactorClientHttpRequestFactoryBuilder;
import org.springframework.boot.http.client.reactive.HttpComponentsClientHttpConnectorBuilder;
import org.springframework.boot.http.client.reactive.ReactorClientHttpConnectorBuilder;
import reactor.netty.http.client.HttpClient;

/**
 * Retries have one owner. Apache HttpClient and Reactor Netty repeat requests by themselves, below the pipeline: of one attempt they
 * would make several. So the clients that Spring Boot builds do not, where all of them have a pipeline.
 */
final class OwnRetries implements BeanPostProcessor {
    private static final String BUILDERS = "org.springframework.boot.http.client.";

    @Override
    public Object postProcessAfterInitialization(Object bean, String name) {
        return without(bean);
    }

    /** The same builder of clients that repeat nothing by themselves; this one if it is another one. */
    @SuppressWarnings("unchecked") // the same type
    static <B> B without(B builder) {
        String type = builder.getClass().getName();
        return type.startsWith(BUILDERS) ? (B) withoutOwnRetries(builder, type.substring(BUILDERS.length())) : builder;
    }

    /** By name, since each of these libraries may be missing; each has a class of its own here, which is loaded if it is there. */
    private static Object withoutOwnRetries(Object builder, String type) {
        return switch (type) {
            case "HttpComponentsClientHttpRequestFactoryBuilder" -> Apache.blocking(builder);
            case "reactive.HttpComponentsClientHttpConnectorBuilder" -> Apache.reactive(builder);
            case "ReactorClientHttpRequestFactoryBuilder" -> Netty.blocking(builder);
            case "reactive.ReactorClientHttpConnectorBuilder" -> Netty.reactive(builder);
            default -> builder;
        };
    }

    private static final class Apache {
        static Object blocking(Object builder) {
            return ((HttpComponentsClientHttpRequestFactoryBuilder) builder)
                    .withHttpClientCustomizer(HttpClientBuilder::disableAutomaticRetries);
        }

        static Object reactive(Object builder) {
            return ((HttpComponentsClientHttpConnectorBuilder) builder)
                    .withHttpClientCustomizer(HttpAsyncClientBuilder::disableAutomaticRetries);
        }
    }

    private static final class Netty {
        static Object blocking(Object builder) {
            return ((ReactorClientHttpRequestFactoryBuilder) builder).withHttpClientCustomizer(Netty::once);
        }

        private static HttpClient once(HttpClient client) {
            return client.disableRetry(true);
        }

        static Object reactive(Object builder) {
            return ((ReactorClientHttpConnectorBuilder) builder).withHttpClientCustomizer(Netty::once);
        }
    }
}
