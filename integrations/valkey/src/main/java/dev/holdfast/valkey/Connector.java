/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.internal.ShortLock;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.ClientOptions.DisconnectedBehavior;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SslOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes the connection to a server, again and again if it is lost. Safe for any number of threads.
 *
 * <p>Lettuce could do so, too. But what waited there for a server would come to it when no call needs it any more.
 */
final class Connector {
    private static final int LOOKS = 10;

    final ClientResources resources = DefaultClientResources.builder()
            .ioThreadPoolSize(2)
            .computationThreadPoolSize(2)
            .nettyCustomizer(new NettyCustomizer() {
                @Override
                public void afterChannelInitialized(Channel channel) {
                    reader = channel.eventLoop();
                }
            })
            .build();
    /** The thread that reads what the server says to the last connection. It reads first, and then runs the tasks that are due. */
    volatile @Nullable EventLoop reader;

    /** No monitor: a virtual thread of Java 21 that waits while it has one keeps its carrier. */
    private final ShortLock lock = new ShortLock();

    private final RedisURI uri;
    private final RedisClient client;
    private final Duration timeout;
    private volatile @Nullable Link link;
    /** The attempt to connect that is under way. Written under the lock. */
    private @Nullable CompletableFuture<?> connecting;

    private volatile boolean closed;
    /** Why the last attempt to connect has failed, as the end of a message. */
    private volatile String refusal = "";

    /**
     * A connection.
     *
     * @param errors how many the server has answered since it last did what it was asked
     */
    record Link(StatefulRedisConnection<byte[], byte[]> connection, AtomicInteger errors) {
        /** After as many in a row, another connection may know better: the server may have become a replica. */
        private static final int MOST_ERRORS = 3;

        /** Another connection would hear the same. */
        private static boolean isOfOneKey(RedisCommandExecutionException reply) {
            String says = String.valueOf(reply.getMessage());
            return says.startsWith("NOPERM")
                    || says.startsWith("WRONGTYPE")
                    || says.contains("ACL failure in script"); // a command that a script may not use
        }

        /** Whether it is to be used on, after this answer. It may count as open and take no commands. */
        boolean isSound(@Nullable Throwable error) {
            if (error == null) {
                errors.set(0);
                return true;
            }
            Throwable cause = error instanceof CompletionException ? error.getCause() : error;
            return cause instanceof RedisCommandExecutionException reply
                    && (isOfOneKey(reply) || errors.incrementAndGet() < MOST_ERRORS);
        }
    }

    /**
     * To this server.
     *
     * @param tls null: the trust store of the JVM
     */
    Connector(RedisURI uri, Duration timeout, @Nullable SslOptions tls) {
        this.timeout = timeout;
        this.uri = RedisURI.builder(uri).withTimeout(timeout).build();
        client = RedisClient.create(resources);
        client.setOptions(ClientOptions.builder()
                .sslOptions(tls == null ? SslOptions.create() : tls)
                .autoReconnect(false) // this class does
                .disconnectedBehavior(DisconnectedBehavior.REJECT_COMMANDS)
                // Its timer counts the time in which the process stood still: see look.
                .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
                .socketOptions(SocketOptions.builder()
                        .connectTimeout(timeout)
                        .keepAlive(true)
                        .build())
                .build());
    }

    @Nullable
    Link usable() {
        Link seen = link;
        return seen != null && seen.connection.isOpen() ? seen : null;
    }

    IllegalStateException noConnection() {
        return new IllegalStateException(
                closed
                        ? this + " is closed"
                        : "there is no connection to " + uri.getHost() + ":" + uri.getPort() + refusal);
    }

    /** Why a question has failed: closing the store fails those under way, too, and Lettuce says other things then. */
    Throwable why(Throwable error) {
        if (closed) {
            return noConnection();
        }
        Throwable cause = error.getCause(); // of a CompletionException, and more than others say
        Throwable why = cause == null ? error : cause;
        return why instanceof ClosedChannelException
                ? new IllegalStateException("the connection was closed", why)
                : why;
    }

    /** A connection on which a command got no answer may lead nowhere: the server may have moved. */
    void dropIfSilent(Link present, CompletableFuture<?> answer) {
        look(present, answer, 1);
    }

    /** So often in the store's time. A process that stood still for as long has looked once: a question has several answers. */
    private void look(Link present, CompletableFuture<?> answer, int looks) {
        onReader(timeout.toNanos() / LOOKS, () -> {
            if (!answer.isDone() && !closed) {
                if (looks == LOOKS) {
                    drop(present);
                } else {
                    look(present, answer, looks + 1);
                }
            }
        });
    }

    /**
     * On the thread that first reads what has come.
     *
     * @throws IllegalStateException if the store is closed
     */
    void onReader(long nanos, Runnable task) {
        EventLoop last = reader;
        try {
            var unused =
                    (last == null ? resources.eventExecutorGroup() : last).schedule(task, nanos, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException ended) {
            throw noConnection();
        }
    }

    /** Connects anew. Does nothing if that is under way. */
    CompletableFuture<?> connect() {
        lock.lock();
        try {
            CompletableFuture<?> underWay = connecting;
            if (underWay != null && !underWay.isDone()) {
                return underWay;
            }
            if (closed || usable() != null) { // one may have been made since the caller looked
                return CompletableFuture.completedFuture(null);
            }
            Link old = link;
            if (old != null) {
                drop(old);
            }
            CompletableFuture<?> next = client.connectAsync(ByteArrayCodec.INSTANCE, uri)
                    .thenAccept(this::connected)
                    .whenComplete((connected, error) -> refusal = error == null ? "" : ": " + says(error))
                    .toCompletableFuture();
            connecting = next;
            return next;
        } finally {
            lock.unlock();
        }
    }

    /** What the server or the network says, without what Lettuce says about it. */
    private String says(Throwable error) {
        Throwable root = error;
        for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
            root = cause;
        }
        String says = root.getMessage();
        if (root instanceof NullPointerException || root instanceof ClassCastException) {
            return "what answers at the connection is no Valkey or Redis"; // Lettuce cannot read it
        }
        if (says == null || root instanceof CertificateException) {
            return root.toString(); // an expired certificate says a date alone
        }
        // Neither side of a wrong guess says what it is.
        if (uri.isSsl() && says.contains("timed out")) {
            return says + " (rediss:// needs a server with TLS)";
        }
        return !uri.isSsl() && says.contains("reset") ? says + " (a server with TLS needs rediss://)" : says;
    }

    private void connected(StatefulRedisConnection<byte[], byte[]> connection) {
        lock.lock();
        try {
            if (closed) {
                var unused = connection.closeAsync();
                return;
            }
            link = new Link(connection, new AtomicInteger());
        } finally {
            lock.unlock();
        }
    }

    void dropUnsound(Link used, @Nullable Throwable error) {
        if (!used.isSound(error)) {
            drop(used);
        }
    }

    private void drop(Link old) {
        lock.lock();
        try {
            if (old.equals(link)) {
                link = null;
            }
            if (old.connection.isOpen()) { // else Lettuce logs a warning
                var unused = old.connection.closeAsync();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Sends this before the connection is closed; null if it is closed. Holds the lock: it must not wait. */
    <T> @Nullable T unlessClosed(Supplier<T> command) {
        lock.lock();
        try {
            return closed ? null : command.get();
        } finally {
            lock.unlock();
        }
    }

    /** Runs the task later, unless the connection is closed before. */
    void later(long nanos, Runnable task) {
        if (!closed) {
            try {
                var unused = resources.eventExecutorGroup().schedule(task, nanos, TimeUnit.NANOSECONDS);
            } catch (RejectedExecutionException closedMeanwhile) {
                // There is no next time.
            }
        }
    }

    /**
     * Says goodbye, if there is a connection, closes it and ends the threads: also if the caller is interrupted and does not wait for
     * that.
     */
    CompletableFuture<?> close(Consumer<Link> goodbye) {
        Link last;
        lock.lock();
        try {
            closed = true;
            last = link;
            link = null;
        } finally {
            lock.unlock();
        }
        if (last != null && last.connection.isOpen()) {
            goodbye.accept(last);
        }
        return client.shutdownAsync(0, timeout.toMillis(), TimeUnit.MILLISECONDS)
                .whenComplete((shut, error) -> {
                    var unused = resources.shutdown(0, timeout.toMillis(), TimeUnit.MILLISECONDS);
                });
    }

    @Override
    public String toString() {
        return "store at " + uri.getHost() + ":" + uri.getPort();
    }
}
