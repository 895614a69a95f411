/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import java.nio.ByteBuffer;

/** Where the frames of HTTP/2 begin in what a connection reads (RFC 9113, section 4.1). For one thread. */
final class InputFrames {
    /** Its first three bytes are the length of the payload. */
    private static final int HEADER = 9;

    private final ByteBuffer header = ByteBuffer.allocate(HEADER);
    private int payloadLeft;

    /** A DATA frame without payload, flags or padding. */
    static ByteBuffer emptyData(int streamId) {
        return ByteBuffer.allocate(HEADER)
                .putInt(0)
                .put((byte) 0)
                .putInt(streamId)
                .flip();
    }

    /** Whether all that was read are whole frames. */
    boolean isBetweenFrames() {
        return payloadLeft == 0 && header.position() == 0;
    }

    /** These bytes come next. Takes them out of the buffer. */
    void passed(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            if (payloadLeft > 0) {
                int skipped = Math.min(payloadLeft, bytes.remaining());
                bytes.position(bytes.position() + skipped);
                payloadLeft -= skipped;
            } else {
                header.put(bytes.get());
                if (!header.hasRemaining()) {
                    payloadLeft = header.flip().getInt() >>> 8;
                    header.clear();
                }
            }
        }
    }
}
