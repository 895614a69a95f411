/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntPredicate;

/** A server of HTTP/2 without TLS that answers the streams it is told to, at once and with 200, and shows the frames of the others. */
final class FrameServer implements AutoCloseable {
    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int END_STREAM_AND_HEADERS = 5;
    private static final int ACK = 1;
    private static final byte INTERNAL_ERROR = 2;

    /** A stream that the client has reset. */
    record Reset(int stream, int code) {}

    final BlockingQueue<Integer> requests = new LinkedBlockingQueue<>();
    final BlockingQueue<Reset> resets = new LinkedBlockingQueue<>();
    final AtomicInteger connections = new AtomicInteger();
    /** Which streams get an answer. */
    volatile IntPredicate answered = stream -> false;
    /** Which streams the server resets. */
    volatile IntPredicate broken = stream -> false;

    private final ServerSocket socket;
    private final int maxStreams;

    FrameServer(int maxStreams) throws IOException {
        this(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), maxStreams);
    }

    FrameServer(ServerSocket socket, int maxStreams) {
        this.socket = socket;
        this.maxStreams = maxStreams;
        start(this::accept);
    }

    int port() {
        return socket.getLocalPort();
    }

    /** The next stream; waits for it. */
    int request() throws InterruptedException {
        return next(requests);
    }

    /** The next stream that is reset; waits for it. */
    Reset reset() throws InterruptedException {
        return next(resets);
    }

    private static <T> T next(BlockingQueue<T> of) throws InterruptedException {
        T next = of.poll(1, TimeUnit.MINUTES);
        if (next == null) {
            throw new AssertionError("none came");
        }
        return next;
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(task, "frame-server");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = socket.accept();
                connections.incrementAndGet();
                start(() -> serve(client));
            }
        } catch (IOException closed) {
            // the end of the test
        }
    }

    private void serve(Socket client) {
        try (client) {
            DataInputStream in = new DataInputStream(client.getInputStream());
            DataOutputStream out = new DataOutputStream(client.getOutputStream());
            in.readFully(new byte["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length()]);
            // SETTINGS_MAX_CONCURRENT_STREAMS
            write(out, SETTINGS, 0, 0, new byte[] {0, 3, 0, 0, 0, (byte) maxStreams});
            while (true) {
                int lengthAndType = in.readInt();
                int flags = in.readUnsignedByte();
                int stream = in.readInt();
                byte[] payload = new byte[lengthAndType >>> 8];
                in.readFully(payload);
                received(out, lengthAndType & 0xFF, flags, stream, payload);
            }
        } catch (IOException closed) {
            // the end of the connection
        }
    }

    private void received(DataOutputStream out, int type, int flags, int stream, byte[] payload) throws IOException {
        if (type == HEADERS) {
            requests.add(stream);
            if (answered.test(stream)) {
                // ":status: 200" of the static table
                write(out, HEADERS, END_STREAM_AND_HEADERS, stream, new byte[] {(byte) 0x88});
            } else if (broken.test(stream)) {
                write(out, RST_STREAM, 0, stream, new byte[] {0, 0, 0, INTERNAL_ERROR});
            }
        } else if (type == RST_STREAM) {
            resets.add(new Reset(stream, payload[3]));
        } else if ((type == SETTINGS || type == PING) && flags != ACK) {
            write(out, type, ACK, 0, type == PING ? payload : new byte[0]);
        }
    }

    private static void write(DataOutputStream out, int type, int flags, int stream, byte[] payload)
            throws IOException {
        out.writeInt(payload.length << 8 | type);
        out.writeByte(flags);
        out.writeInt(stream);
        out.write(payload);
        out.flush();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
