/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.http.HttpOptions;
import org.springframework.http.HttpRequest;

/**
 * A bean of this type gives options to the pipelines around RestClient and RestTemplate, those of {@code holdfast.spring.http-clients} and of
 * groups of HTTP services. Called for each client that is made; of several beans, each is called, in Spring's order.
 */
@FunctionalInterface
public interface HoldfastInterceptorCustomizer {
    /** Changes the options, which are the defaults at first. */
    void customize(HttpOptions<HttpRequest> options);
}
