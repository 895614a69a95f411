/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import java.nio.ByteBuffer;

/**
 * Where the frames of HTTP/2 begin in what a connection reads (RFC 9113, section 4.1), and which streams the server refuses. For one
 * thread, except {@link #isGoneAway}, {@link #refuses} and {@link #hasPushed}.
 */
final class InputFrames {
    /** Three bytes are the length of the payload, then come type, flags and the stream's number in four bytes. */
    private static final int HEADER = 9;

    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int PUSH_PROMISE = 5;
    private static final int GOAWAY = 7;
    private static final int CONTINUATION = 9;
    private static final int END_HEADERS = 4;
    private static final int REFUSED_STREAM = 7;
    private static final int NUMBER = 4;

    private final ByteBuffer header = ByteBuffer.allocate(HEADER);
    private int payloadLeft;
    /** What is still to come of the number that a GOAWAY begins with, in bytes, and what has come of it. */
    private int lastStreamLeft;

    private int lastStreamBegun;
    private boolean inHeaderBlock;
    private volatile boolean goneAway;
    private volatile boolean pushed;
    private volatile int lastStream = Integer.MAX_VALUE;

    /** A DATA frame without payload, flags or padding. */
    static ByteBuffer emptyData(int streamId) {
        return ByteBuffer.allocate(HEADER)
                .putInt(0)
                .put((byte) 0)
                .putInt(streamId)
                .flip();
    }

    /** A RST_STREAM frame that says that the server has done nothing. */
    static ByteBuffer refusal(int streamId) {
        return ByteBuffer.allocate(HEADER + NUMBER)
                .putInt(NUMBER << 8 | RST_STREAM)
                .put((byte) 0)
                .putInt(streamId)
                .putInt(REFUSED_STREAM)
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

    /** Whether the server has gone away without this request of the client's, and surely has not done it (RFC 9113, section 6.8). */
    boolean refuses(int streamId) {
        return streamId > lastStream;
    }

    /** Whether the server has begun streams of its own. On any thread. */
    boolean hasPushed() {
        return pushed;
    }

    /** These bytes come next. Takes them out of the buffer. */
    void passed(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            if (lastStreamLeft > 0) {
                lastStream(bytes.get());
            } else if (payloadLeft > 0) {
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

    /** The first bit means nothing. A second GOAWAY may name a lower number. */
    private void lastStream(byte next) {
        lastStreamBegun = lastStreamBegun << 8 | (next & 0xFF);
        payloadLeft--;
        lastStreamLeft--;
        if (lastStreamLeft == 0) {
            lastStream = Math.min(lastStream, lastStreamBegun & Integer.MAX_VALUE);
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
            // Without a whole number it is an error of the server's, and the client closes the connection.
            lastStreamLeft = payloadLeft < NUMBER ? 0 : NUMBER;
        }
    }
}
