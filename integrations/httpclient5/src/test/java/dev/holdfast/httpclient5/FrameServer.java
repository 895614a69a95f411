/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.IntPredicate;

/** A server of HTTP/2 without TLS that answers the streams it is told to, at once and with 200, and shows the frames of the others. */
final class FrameServer implements AutoCloseable {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    static final int PING = 6;
    private static final int GOAWAY = 7;
    private static final int CONTINUATION = 9;
    private static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;
    private static final int ACK = 1;
    private static final int INTERNAL_ERROR = 2;
    private static final int REFUSED_STREAM = 7;
    /** ":status: 200" of the static table. */
    private static final ByteBuffer OK = bytes(0x88);

    record Frame(int type, int flags, int stream, ByteBuffer payload) {
        static Frame answer(int stream) {
            return new Frame(HEADERS, END_STREAM | END_HEADERS, stream, OK);
        }

        /** The same, but {@link #restOfAnswer} is to follow. */
        static Frame beginOfAnswer(int stream) {
            return new Frame(HEADERS, END_STREAM, stream, bytes());
        }

        static Frame restOfAnswer(int stream) {
            return new Frame(CONTINUATION, END_HEADERS, stream, OK);
        }

        /** 200, and {@link #restOfBody} is to follow. */
        static Frame withBody(int stream) {
            return new Frame(HEADERS, END_HEADERS, stream, OK);
        }

        static Frame restOfBody(int stream) {
            return new Frame(DATA, END_STREAM, stream, bytes('1', '2'));
        }

        /** 200, with this Content-Length. */
        static Frame withLength(int stream, String length, boolean isWhole) {
            ByteBuffer payload = ByteBuffer.allocate(4 + length.length())
                    .put((byte) 0x88)
                    // The 28th name of the static table.
                    .put(bytes(0x0F, 28 - 0x0F, length.length()))
                    .put(length.getBytes(ISO_8859_1));
            return new Frame(HEADERS, isWhole ? END_STREAM | END_HEADERS : END_HEADERS, stream, payload.flip());
        }

        /** ":status: 500" of the static table. */
        static Frame failure(int stream) {
            return new Frame(HEADERS, END_STREAM | END_HEADERS, stream, bytes(0x8E));
        }

        /** 307. */
        static Frame redirect(int stream, String location) {
            ByteBuffer payload = ByteBuffer.allocate(8 + location.length())
                    .put(bytes(0x08, 3, '3', '0', '7'))
                    // The 46th name of the static table.
                    .put(bytes(0x0F, 46 - 0x0F, location.length()))
                    .put(location.getBytes(ISO_8859_1));
            return new Frame(HEADERS, END_STREAM | END_HEADERS, stream, payload.flip());
        }

        /** The server takes no new streams, and none of these above the last one. */
        static Frame goAway(int last) {
            return goAway(last, 0);
        }

        static Frame goAway(int last, int error) {
            return new Frame(GOAWAY, 0, 0, bytes(0, 0, 0, last, 0, 0, 0, error));
        }

        /** The server has done nothing for this stream. */
        static Frame refusal(int stream) {
            return new Frame(RST_STREAM, 0, stream, bytes(0, 0, 0, REFUSED_STREAM));
        }

        static Frame ping() {
            return new Frame(PING, 0, 0, bytes(0, 0, 0, 0, 0, 0, 0, 0));
        }

        /** Ends the connection: a ping is of no stream. */
        static Frame malformed() {
            return new Frame(PING, 0, 1, bytes(0, 0, 0, 0, 0, 0, 0, 0));
        }

        boolean isAnsweredPing() {
            return type == PING && flags == ACK;
        }

        Frame acknowledged() {
            return new Frame(type, ACK, 0, type == PING ? payload : bytes());
        }

        void writeTo(DataOutputStream out) throws IOException {
            out.writeInt(payload.capacity() << 8 | type);
            out.writeByte(flags);
            out.writeInt(stream);
            for (int i = 0; i < payload.capacity(); i++) {
                out.writeByte(payload.get(i));
            }
        }
    }

    /** A stream that the client has reset. */
    record Reset(int stream, int code) {}

    final BlockingQueue<Integer> requests = new LinkedBlockingQueue<>();
    final BlockingQueue<Reset> resets = new LinkedBlockingQueue<>();
    final AtomicInteger connections = new AtomicInteger();
    private final BlockingQueue<Boolean> ended = new LinkedBlockingQueue<>();
    /** Which streams get an answer. */
    volatile IntPredicate answered = stream -> false;
    /** Which streams the server resets. */
    volatile IntPredicate broken = stream -> false;
    /** What the server sends, in one piece, for a frame of the client; empty: what it sends by itself. */
    volatile Function<Frame, List<Frame>> script = frame -> List.of();

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

    /** Waits until the client has closed one more connection. */
    void awaitClosed() throws InterruptedException {
        next(ended);
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
            DataOutputStream out = new DataOutputStream(new BufferedOutputStream(client.getOutputStream()));
            in.readFully(new byte["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length()]);
            // SETTINGS_MAX_CONCURRENT_STREAMS
            write(out, List.of(new Frame(SETTINGS, 0, 0, bytes(0, 3, 0, 0, 0, maxStreams))));
            while (true) {
                int lengthAndType = in.readInt();
                int flags = in.readUnsignedByte();
                int stream = in.readInt();
                byte[] payload = new byte[lengthAndType >>> 8];
                in.readFully(payload);
                received(out, new Frame(lengthAndType & 0xFF, flags, stream, ByteBuffer.wrap(payload)));
            }
        } catch (IOException closed) {
            ended.add(true);
        }
    }

    private void received(DataOutputStream out, Frame frame) throws IOException {
        if (frame.type == HEADERS) {
            requests.add(frame.stream);
        } else if (frame.type == RST_STREAM) {
            resets.add(new Reset(frame.stream, frame.payload.get(3)));
        }
        List<Frame> scripted = script.apply(frame);
        write(out, scripted.isEmpty() ? byItself(frame) : scripted);
    }

    private List<Frame> byItself(Frame frame) {
        if (frame.type == HEADERS && answered.test(frame.stream)) {
            return List.of(Frame.answer(frame.stream));
        }
        if (frame.type == HEADERS && broken.test(frame.stream)) {
            return List.of(new Frame(RST_STREAM, 0, frame.stream, bytes(0, 0, 0, INTERNAL_ERROR)));
        }
        if ((frame.type == SETTINGS || frame.type == PING) && frame.flags != ACK) {
            return List.of(frame.acknowledged());
        }
        return List.of();
    }

    private static ByteBuffer bytes(int... bytes) {
        ByteBuffer all = ByteBuffer.allocate(bytes.length);
        for (int each : bytes) {
            all.put((byte) each);
        }
        return all.flip();
    }

    private static void write(DataOutputStream out, List<Frame> frames) throws IOException {
        for (Frame frame : frames) {
            frame.writeTo(out);
        }
        out.flush();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
