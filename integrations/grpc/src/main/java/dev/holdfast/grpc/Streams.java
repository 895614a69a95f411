/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import io.grpc.Attributes;
import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.Status;

/** Watches which streams gRPC makes for one attempt. */
class Streams extends ClientStreamTracer.Factory {
    private final HoldfastClientInterceptor interceptor;
    private volatile boolean asked;
    private volatile boolean made;

    Streams(HoldfastClientInterceptor interceptor) {
        this.interceptor = interceptor;
    }

    // On a thread of the transport, which must run no code of the user's.

    /** The transport has the headers of a response. Of what gRPC repeats by itself it has none. */
    void headersCame() {}

    /** The transport has a whole message. */
    void messageCame() {}

    /** The transport has the status OK. Another one may be followed by a stream that gRPC makes by itself. */
    void endedWell() {}

    /** Surely no transport got this call. A channel that is not gRPC's own may never ask for a tracer: then nothing is sure. */
    final boolean noneMade() {
        return asked && !made;
    }

    /** A transport got this call. */
    final boolean anyMade() {
        return made;
    }

    @Override
    public final ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
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

            @Override
            public void inboundHeaders() {
                headersCame();
            }

            @Override
            public void inboundMessageRead(int number, long wireSize, long size) {
                messageCame();
            }

            @Override
            public void streamClosed(Status status) {
                if (status.isOk()) {
                    endedWell();
                }
            }
        };
    }
}
