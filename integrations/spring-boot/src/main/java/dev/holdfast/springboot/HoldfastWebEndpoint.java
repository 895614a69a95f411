/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.util.Map;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.EndpointWebExtension;

/**
 * Over HTTP, a pipeline that is not there is a 404, and what cannot be done a 400, both with the reason. By itself, Spring Boot tells
 * none.
 */
@EndpointWebExtension(endpoint = HoldfastEndpoint.class)
final class HoldfastWebEndpoint {
    private final HoldfastEndpoint endpoint;

    HoldfastWebEndpoint(HoldfastEndpoint endpoint) {
        this.endpoint = endpoint;
    }

    @ReadOperation
    public WebEndpointResponse<Map<String, Object>> pipeline(
            @Selector(match = Selector.Match.ALL_REMAINING) String... path) {
        Map<String, Object> found = endpoint.pipeline(path);
        return found == null
                ? new WebEndpointResponse<>(
                        Map.of("message", endpoint.missing(path)), WebEndpointResponse.STATUS_NOT_FOUND)
                : new WebEndpointResponse<>(found);
    }

    @WriteOperation
    @SuppressWarnings("deprecation") // as there
    public WebEndpointResponse<Map<String, Object>> change(
            @org.springframework.lang.Nullable String pipeline,
            @org.springframework.lang.Nullable String policy,
            @org.springframework.lang.Nullable String action) {
        try {
            return new WebEndpointResponse<>(endpoint.change(pipeline, policy, action));
        } catch (InvalidEndpointRequestException refused) {
            return new WebEndpointResponse<>(
                    Map.of("message", String.valueOf(refused.getMessage())), WebEndpointResponse.STATUS_BAD_REQUEST);
        }
    }
}
