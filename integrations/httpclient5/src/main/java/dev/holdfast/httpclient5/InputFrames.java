/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import java.nio.ByteBuffer;

/** Where the frames of HTTP/2 begin in what a connection reads (RFC 9113, section 4.1). For one thread, except {@link #isGoneAway} and {@link #hasPushed}. */
final class InputFrames {
    /** Three bytes are the length of the payload, then come type, flags and the stream's number in four bytes. */
    private static final int HEADER = 9;

    private static final int HEADERS = 1;
    private static final int PUSH_PROMISE = 5;
    private static final int GOAWAY = 7;
    private static final int CONTINUATION = 9;
    private static final int END_HEADERS = 4;

    private final ByteBuffer header = ByteBuffer.allocate(HEADER);
    private int payloadLeft;
    private boolean inHeaderBlock;
    private volatile boolean goneAway;
    private volatile boolean pushed;

    /** A DATA frame without payload, flags or padding. */
    static ByteBuffer emptyData(int streamId) {
        return ByteBuffer.allocate(HEADER)
                .putInt(0)
                .put((byte) 0)
                .putInt(streamId)
                .flip();
    }

    /** Whether a frame may come here: all that was read are whole frames, and the next one need not be a CONTINUATION. */
    boolean isBetweenFrames() {
        return payloadLeft == 0 && header.position() == 0 && !inHeaderBlock;
    }

    /** Whether the server takes no new requests here, such as before a restart. On any thread. */
    boolean isGoneAway() {
        return goneAway;
    }

    /** Whether the server has begun streams of its own. On any thread. */
    boolean hasPushed() {
        return pushed;
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
                    begun(header.flip().getInt(), header.get());
                    header.clear();
                }
            }
        }
    }

    private void begun(int lengthAndType, int flags) {
        payloadLeft = lengthAndType >>> 8;
        int type = lengthAndType & 0xFF;
        if (type == HEADERS || type == PUSH_PROMISE || type == CONTINUATION) {
            inHeaderBlock = (flags & END_HEADERS) == 0;
            pushed |= type == PUSH_PROMISE;
        } else if (type == GOAWAY) {
            goneAway = true;
        }
    }
}
