/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import io.grpc.Attributes;
import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;

/** Watches which streams gRPC makes for one attempt. */
final class Streams extends ClientStreamTracer.Factory {
    private final HoldfastClientInterceptor interceptor;
    private volatile boolean asked;
    private volatile boolean made;

    Streams(HoldfastClientInterceptor interceptor) {
        this.interceptor = interceptor;
    }

    /** Surely no transport got this call. A channel that is not gRPC's own may never ask for a tracer: then nothing is sure. */
    boolean noneMade() {
        return asked && !made;
    }

    /** A transport got this call. */
    boolean anyMade() {
        return made;
    }

    @Override
    public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
        asked = true;
        // Transparent retries do not count. The second of gRPC's hedges does.
        if (info.getPreviousAttempts() > 0) {
            interceptor.warnOfRetries();
        }
        return new ClientStreamTracer() {
            @Override
            public void streamCreated(Attributes transport, Metadata with) {
                made = true;
            }
        };
    }
}
