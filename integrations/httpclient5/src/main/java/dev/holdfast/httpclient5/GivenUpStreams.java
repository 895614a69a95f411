/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.hc.core5.http2.nio.AsyncPingHandler;
import org.apache.hc.core5.http2.nio.command.PingCommand;
import org.apache.hc.core5.reactor.Command;
import org.jspecify.annotations.Nullable;

/**
 * The given-up streams of a connection, and which of them may be reset now: those that were given up before a ping was written that the
 * server has answered.
 *
 * <p>Why a ping: one second after a reset the client drops the number of the stream. If the server answers that stream later, because it
 * stood still and has not read the reset, the client closes the connection under all other calls. A server that stands still answers no
 * ping. It gets no reset, and its late answer meets a stream that the client still knows.
 *
 * <p>{@link #add} may be called on any thread, the rest by the thread of the connection.
 */
final class GivenUpStreams {
    private static final int PING_PAYLOAD = 8;

    /** For the next ping. */
    private final Queue<RequestStream> waiting = new ConcurrentLinkedQueue<>();
    /** May be reset. */
    private final Queue<RequestStream> due = new ArrayDeque<>();

    private final Runnable wake;
    private boolean pinging;

    /**
     * The streams of a connection.
     *
     * @param wake makes the thread of the connection write: it asks for a {@link #ping}
     */
    GivenUpStreams(Runnable wake) {
        this.wake = wake;
    }

    void add(RequestStream stream) {
        waiting.add(stream);
        // Second: then either the thread of the connection sees the stream now, or this wakes it.
        wake.run();
    }

    /** The next ping to write; null: none is needed, or one is under way. */
    @Nullable
    Command ping() {
        if (pinging || noneWaits()) {
            return null;
        }
        pinging = true;
        return new PingCommand(new Ping());
    }

    /**
     * The client asks for no commands, and so for no ping, while its streams are at the server's maximum: the oldest stream may be reset
     * without one. This makes room for the ping.
     */
    void noPingIsTaken() {
        if (!pinging && !noneWaits()) {
            due.add(waiting.remove());
        }
    }

    /** The next stream to reset; null: none. */
    @Nullable
    RequestStream nextDue() {
        RequestStream next = due.poll();
        while (next != null && next.isOver()) {
            next = due.poll();
        }
        return next;
    }

    private boolean noneWaits() {
        waiting.removeIf(RequestStream::isOver);
        return waiting.isEmpty();
    }

    private final class Ping implements AsyncPingHandler {
        private final Queue<RequestStream> before = new ArrayDeque<>();

        /** The ping is about to be written. */
        @Override
        public ByteBuffer getData() {
            takeWaiting();
            return ByteBuffer.allocate(PING_PAYLOAD);
        }

        private void takeWaiting() {
            for (RequestStream next = waiting.poll(); next != null; next = waiting.poll()) {
                before.add(next);
            }
        }

        @Override
        public void consumeResponse(ByteBuffer payload) {
            answered();
        }

        /** The connection is closing, and takes no ping. Without the reset, it would stay as long as the server is silent. */
        @Override
        public void cancel() {
            takeWaiting();
            answered();
        }

        private void answered() {
            due.addAll(before);
            pinging = false;
            if (!waiting.isEmpty()) {
                wake.run();
            }
        }

        @Override
        public void failed(Exception cause) {
            // The connection is closed, and all of its streams with it.
        }
    }
}
