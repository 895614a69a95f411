/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.Deadline;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.internal.engine.Bound;
import io.grpc.Metadata;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The keys of headers in metadata, but for {@code grpc-timeout}, which is gRPC's own. */
final class Keys {
    static final String GRPC_TIMEOUT = "grpc-timeout";

    /** Also where headers have no such name: the time goes as {@link #GRPC_TIMEOUT} then. */
    private static final String USUAL_TIME = "holdfast-timeout-ms";

    private final Map<String, Metadata.Key<String>> known = new HashMap<>();
    private final Set<Metadata.Key<String>> times = new HashSet<>();

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
        times.add(Metadata.Key.of(USUAL_TIME, Metadata.ASCII_STRING_MARSHALLER));
        for (String name : timesOf(headers)) {
            Metadata.Key<String> key = known.get(name);
            if (key != null) {
                times.add(key);
            }
        }
    }

    /** The names that are written only where there is a deadline. */
    private static Set<String> timesOf(CallHeaders headers) {
        Set<String> names = new HashSet<>();
        Bound.unlimited(() -> {
            Deadline.within(Duration.ofMinutes(1), () -> headers.write((name, value) -> names.add(name)));
            headers.write((name, value) -> names.remove(name));
        });
        return names;
    }

    /** Those whose value is a time, but for {@code grpc-timeout}. */
    Set<Metadata.Key<String>> times() {
        return times;
    }

    /** Null for {@code grpc-timeout}. */
    Metadata.@Nullable Key<String> of(String name) {
        return known.get(name);
    }
}
