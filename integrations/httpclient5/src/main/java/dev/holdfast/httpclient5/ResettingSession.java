/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.CancelledKeyException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Lock;
import org.apache.hc.core5.http.HttpConnection;
import org.apache.hc.core5.http.HttpVersion;
import org.apache.hc.core5.http.nio.command.RequestExecutionCommand;
import org.apache.hc.core5.http.nio.command.ShutdownCommand;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.Command;
import org.apache.hc.core5.reactor.EventMask;
import org.apache.hc.core5.reactor.IOEventHandler;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * A connection of an asynchronous client that resets the stream of a cancelled request, once it is one of HTTP/2. Before that, and over
 * HTTP/1.1, it is as the session below.
 *
 * <p>To cancel a request, the client marks its stream, and sends the RST_STREAM only when the next frame of that stream comes. From a
 * server that never answers none comes, and the stream counts for ever against the server's maximum. So this session hands the client
 * an empty DATA frame of that stream, as if the server had sent it: the client answers it with RST_STREAM and forgets it.
 * It is handed over between two frames of the server, on the thread of the connection, and only while the client knows the stream.
 * Before that the server answers a ping: {@link GivenUpStreams} says why.
 *
 * <p>A request that is cancelled while it waits for a free stream is left out when the client asks for it. While all streams are
 * taken, the client does not ask, and the request stays in memory.
 *
 * <p>After a GOAWAY of the server's it serves its streams to their end, and new requests get a new connection ({@link #isOpen}).
 * Those that the server leaves out, by the number in its GOAWAY, end at once with an exception that says that they were not done.
 * Then it closes. By itself, the client would keep the number of a stream that was reset for a second more, and look for it only when
 * something else happens on the connection, which no pool knows any more.
 *
 * <p>Requests may come and be cancelled on any thread. The rest is called by the thread of the connection.
 */
final class ResettingSession implements IOSession, RequestStream.Connection {
    private final IOSession session;
    private final InputFrames input = new InputFrames();
    private final GivenUpStreams givenUp = new GivenUpStreams(this::wake);
    /** Begun and not over. */
    private final Set<RequestStream> streams = ConcurrentHashMap.newKeySet();
    /** The client numbers its streams 1, 3, 5, in the order in which it polls the requests. */
    private int nextId = 1;

    /** Whether the client has asked for a command since its last outputReady began. */
    private boolean polled;

    private boolean closing;
    private volatile boolean isHttp2;

    /** The client's, once the connection has begun. */
    private @Nullable IOEventHandler client;

    private ResettingSession(IOSession session, boolean isHttp2) {
        this.session = session;
        this.isHttp2 = isHttp2;
    }

    /** Of the client of HTTP/2 alone. */
    static ResettingSession ofHttp2(IOSession session) {
        return new ResettingSession(session, true);
    }

    /** Of a client that learns the version after it has connected. */
    static ResettingSession ofAnyVersion(IOSession session) {
        return new ResettingSession(session, false);
    }

    // ---- requests

    @Override
    public void enqueue(Command command, Command.Priority priority) {
        session.enqueue(command, priority);
    }

    /** First the end, or a ping, if one is needed. Leaves out requests that were cancelled while they waited for a free stream. */
    @Override
    public @Nullable Command poll() {
        if (!isHttp2) {
            return session.poll();
        }
        polled = true;
        if (!closing && isServedOut()) {
            // Once: the client polls until nothing comes. It writes what is left to write, such as a reset, and closes.
            closing = true;
            return ShutdownCommand.IMMEDIATE;
        }
        Command ping = givenUp.ping();
        if (ping != null) {
            return ping;
        }
        for (Command next = session.poll(); next != null; next = session.poll()) {
            if (!(next instanceof RequestExecutionCommand request)) {
                return next;
            }
            RequestStream stream = RequestStream.of(request, this);
            if (!stream.isCancelled()) {
                stream.begun(nextId);
                streams.add(stream);
                nextId += 2;
                return stream.command(request);
            }
            next.cancel();
        }
        return null;
    }

    @Override
    public void cancelled(RequestStream stream) {
        givenUp.add(stream);
    }

    @Override
    public void over(RequestStream stream) {
        if (streams.remove(stream) && isServedOut()) {
            wake();
        }
    }

    @Override
    public boolean refuses(RequestStream stream) {
        return input.refuses(stream.id());
    }

    /** Of streams that the server has pushed nobody here knows when they end: then the client closes by itself, sooner or later. */
    private boolean isServedOut() {
        return input.isGoneAway() && !input.hasPushed() && streams.isEmpty();
    }

    private void wake() {
        try {
            session.setEvent(EventMask.WRITE);
        } catch (CancelledKeyException e) {
            // The connection is closed, and all of its streams with it.
        }
    }

    private void reset(IOSession from) throws IOException {
        if (!isHttp2) {
            return;
        }
        refuse(from);
        while (client != null && input.isBetweenFrames()) {
            RequestStream stream = givenUp.nextDue();
            if (stream == null) {
                return;
            }
            client.inputReady(from, InputFrames.emptyData(stream.id()));
        }
    }

    /** The client leaves these streams to the server, which says nothing more of them. */
    private void refuse(IOSession from) throws IOException {
        for (RequestStream stream : streams) {
            if (client != null && input.isBetweenFrames() && refuses(stream)) {
                client.inputReady(from, InputFrames.refusal(stream.id()));
            }
        }
    }

    // ---- what the client reads: from here without TLS, and else what its handler is given

    @Override
    public int read(ByteBuffer bytes) throws IOException {
        int from = bytes.position();
        int count = session.read(bytes);
        if (count > 0) {
            input.passed(bytes.duplicate().flip().position(from));
        }
        return count;
    }

    @Override
    public void upgrade(IOEventHandler handler) {
        client = handler;
        // Those that find out the version have none.
        isHttp2 |= handler instanceof HttpConnection connection
                && HttpVersion.HTTP_2.equals(connection.getProtocolVersion());
        session.upgrade(new Resetting(handler));
    }

    /** What the client does on an event, and then the resets. */
    private final class Resetting implements IOEventHandler {
        private final IOEventHandler handler;

        Resetting(IOEventHandler handler) {
            this.handler = handler;
        }

        @Override
        public void inputReady(IOSession from, @Nullable ByteBuffer decrypted) throws IOException {
            if (decrypted != null) {
                // With TLS there are two sessions: the second one decrypts, and until the preface is written, the
                // handler
                // of the first one gets it.
                InputFrames of = from instanceof ResettingSession reader ? reader.input : input;
                of.passed(decrypted.duplicate());
            }
            handler.inputReady(from, decrypted);
            reset(from);
        }

        /** The resets last: the client may have taken the wish to write back. */
        @Override
        public void outputReady(IOSession from) throws IOException {
            polled = false;
            handler.outputReady(from);
            if (!polled) {
                givenUp.noPingIsTaken();
            }
            reset(from);
        }

        @Override
        public void connected(IOSession to) throws IOException {
            handler.connected(to);
        }

        @Override
        public void timeout(IOSession of, Timeout timeout) throws IOException {
            handler.timeout(of, timeout);
        }

        @Override
        public void exception(IOSession of, Exception cause) {
            handler.exception(of, cause);
        }

        @Override
        public void disconnected(IOSession from) {
            handler.disconnected(from);
        }
    }

    /**
     * For the client's pool, which asks it before it hands the session out, and else makes a new one. After a GOAWAY the pool would
     * keep this one, where every new request fails, until its last stream ends.
     */
    @Override
    public boolean isOpen() {
        return session.isOpen() && !(isHttp2 && input.isGoneAway());
    }

    // ---- as it is

    @Override
    public IOEventHandler getHandler() {
        return session.getHandler();
    }

    @Override
    public Lock getLock() {
        return session.getLock();
    }

    @Override
    public boolean hasCommands() {
        return session.hasCommands();
    }

    @Override
    public ByteChannel channel() {
        return session.channel();
    }

    @Override
    public SocketAddress getRemoteAddress() {
        return session.getRemoteAddress();
    }

    @Override
    public SocketAddress getLocalAddress() {
        return session.getLocalAddress();
    }

    @Override
    public int getEventMask() {
        return session.getEventMask();
    }

    @Override
    public void setEventMask(int mask) {
        session.setEventMask(mask);
    }

    @Override
    public void setEvent(int event) {
        session.setEvent(event);
    }

    @Override
    public void clearEvent(int event) {
        session.clearEvent(event);
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
        return session.write(bytes);
    }

    @Override
    public void close() {
        session.close();
    }

    @Override
    public void close(CloseMode mode) {
        session.close(mode);
    }

    @Override
    public Status getStatus() {
        return session.getStatus();
    }

    @Override
    public Timeout getSocketTimeout() {
        return session.getSocketTimeout();
    }

    @Override
    public void setSocketTimeout(Timeout timeout) {
        session.setSocketTimeout(timeout);
    }

    @Override
    public long getLastReadTime() {
        return session.getLastReadTime();
    }

    @Override
    public long getLastWriteTime() {
        return session.getLastWriteTime();
    }

    @Override
    public long getLastEventTime() {
        return session.getLastEventTime();
    }

    @Override
    public void updateReadTime() {
        session.updateReadTime();
    }

    @Override
    public void updateWriteTime() {
        session.updateWriteTime();
    }

    @Override
    public String getId() {
        return session.getId();
    }

    @Override
    public String toString() {
        return session.toString();
    }
}
