/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.headers.CallHeaders;
import io.grpc.Metadata;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The keys of headers in metadata, but for {@code grpc-timeout}, which is gRPC's own. */
final class Keys {
    static final String GRPC_TIMEOUT = "grpc-timeout";

    private final Map<String, Metadata.Key<String>> known = new HashMap<>();

    /**
     * Made once for all calls: what HTTP allows as a name, gRPC may not.
     *
     * @throws IllegalArgumentException if gRPC refuses a name
     */
    Keys(CallHeaders headers) {
        for (String name : headers.names()) {
            if (!name.equalsIgnoreCase(GRPC_TIMEOUT)) {
                known.put(name, Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
            }
        }
    }

    /** Null for {@code grpc-timeout}. */
    Metadata.@Nullable Key<String> of(String name) {
        return known.get(name);
    }
}
