/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.internal.Checks;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.VerboseResult;
import io.github.bucket4j.distributed.ExpirationAfterWriteStrategy;
import io.github.bucket4j.distributed.proxy.AsyncProxyManager;
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.ClientOptions.DisconnectedBehavior;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A Valkey or Redis server that holds the permits of {@link SharedThrottlePolicy shared throttles}, through Bucket4j and
 * Lettuce.
 *
 * <p>Has one connection and four threads of its own, and makes the connection again by itself, also if the server is not there
 * at first. Safe for any number of threads; one instance for each server and process. The keys in the store begin with {@code
 * holdfast:throttle:}. A key goes a day after its last use.
 */
public final class ValkeyStore implements AutoCloseable {
    /** For a connection, and for each command. */
    private static final Duration TIMEOUT = Duration.ofSeconds(2);

    /** A bucket without use is full again long before that. */
    private static final Duration KEPT = Duration.ofDays(1);

    private final ClientResources resources = DefaultClientResources.builder()
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
    private volatile @Nullable EventLoop reader;

    private final RedisURI uri;
    private final RedisClient client;
    private final Duration timeout;
    private volatile @Nullable Link link;
    /** The attempt to connect that is under way. Written under this object's lock. */
    private @Nullable CompletableFuture<?> connecting;

    private boolean closed;

    private record Link(StatefulRedisConnection<byte[], byte[]> connection, AsyncProxyManager<byte[]> buckets) {}

    private ValkeyStore(RedisURI uri, Duration timeout) {
        this.timeout = timeout;
        this.uri = RedisURI.builder(uri).withTimeout(timeout).build();
        client = RedisClient.create(resources);
        client.setOptions(ClientOptions.builder()
                // This class connects anew. What waited in Lettuce for a server would come to it when no call needs it
                // any more.
                .autoReconnect(false)
                .disconnectedBehavior(DisconnectedBehavior.REJECT_COMMANDS)
                .socketOptions(SocketOptions.builder()
                        .connectTimeout(timeout)
                        .keepAlive(true)
                        .build())
                .build());
    }

    /**
     * A server, such as {@code redis://valkey.example:6379}, or {@code rediss://} with TLS.
     *
     * @see #connect(RedisURI)
     * @throws IllegalArgumentException if it is no such URI
     */
    public static ValkeyStore connect(String uri) {
        return connect(RedisURI.create(uri));
    }

    /**
     * A server. Blocks until it is connected, for at most 2 s. If the server is not there, its throttles begin without it.
     *
     * @param uri may have the user, the password and the number of the database
     */
    public static ValkeyStore connect(RedisURI uri) {
        return connect(uri, TIMEOUT);
    }

    static ValkeyStore connect(RedisURI uri, Duration timeout) {
        ValkeyStore store = new ValkeyStore(uri, timeout);
        try {
            store.connect().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException notYet) {
            // Asked again with the first question.
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        return store;
    }

    /** The permits of one limit. Other settings of the limit have another key, so that old and new processes do not mix them. */
    PermitStore permits(SharedThrottleSettings settings) {
        String name = "holdfast:throttle:" + settings.key() + ":" + settings.limit() + "/" + Checks.text(settings.per())
                + "/" + settings.burst();
        BucketConfiguration limit = BucketConfiguration.builder()
                .addLimit(limited -> limited.capacity(settings.burst()).refillGreedy(settings.limit(), settings.per()))
                .build();
        return new Limit(name.getBytes(StandardCharsets.UTF_8), limit);
    }

    private final class Limit implements PermitStore {
        private final byte[] key;
        private final BucketConfiguration bucket;

        Limit(byte[] key, BucketConfiguration bucket) {
            this.key = key;
            this.bucket = bucket;
        }

        @Override
        public void take(long most, Answer answer) {
            Link present = link;
            if (present == null || !present.connection.isOpen()) {
                var unused = connect();
                answer.failed(
                        new IllegalStateException("there is no connection to " + uri.getHost() + ":" + uri.getPort()));
                return;
            }
            CompletableFuture<?> taking = present.buckets
                    .builder()
                    .build(key, () -> CompletableFuture.completedFuture(bucket))
                    .asVerbose()
                    .tryConsumeAsMuchAsPossible(most)
                    .whenComplete((taken, error) -> {
                        if (error == null) {
                            answer.taken(taken.getValue(), untilNext(taken));
                        } else {
                            Throwable cause = error.getCause(); // of a CompletionException, and more than others say
                            answer.failed(cause == null ? error : cause);
                        }
                    });
            // A connection on which a command got no answer may lead nowhere: the server may have moved.
            later(timeout.toNanos(), () -> {
                if (!taking.isDone()) {
                    drop(present);
                }
            });
        }

        @Override
        public void later(long nanos, Runnable task) {
            var unused = Objects.requireNonNull(reader, "asked without a connection")
                    .schedule(task, nanos, TimeUnit.NANOSECONDS);
        }
    }

    private static long untilNext(VerboseResult<Long> taken) {
        return taken.getState()
                .calculateDelayNanosAfterWillBePossibleToConsume(1, taken.getOperationTimeNanos(), false);
    }

    /** Connects anew. Does nothing if that is under way. */
    private synchronized CompletableFuture<?> connect() {
        CompletableFuture<?> underWay = connecting;
        if (underWay != null && !underWay.isDone()) {
            return underWay;
        }
        if (closed) {
            return CompletableFuture.completedFuture(null);
        }
        Link old = link;
        if (old != null) {
            drop(old);
        }
        CompletableFuture<?> next = client.connectAsync(ByteArrayCodec.INSTANCE, uri)
                .thenAccept(this::connected)
                .toCompletableFuture();
        connecting = next;
        return next;
    }

    private synchronized void connected(StatefulRedisConnection<byte[], byte[]> connection) {
        if (closed) {
            var unused = connection.closeAsync();
            return;
        }
        AsyncProxyManager<byte[]> buckets = Bucket4jLettuce.casBasedBuilder(connection)
                .expirationAfterWrite(ExpirationAfterWriteStrategy.basedOnTimeForRefillingBucketUpToMax(KEPT))
                .build()
                .asAsync();
        link = new Link(connection, buckets);
    }

    private synchronized void drop(Link old) {
        if (old.equals(link)) {
            link = null;
        }
        var unused = old.connection.closeAsync();
    }

    /** Closes the connection and ends the threads. The throttles go on without the store. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            link = null;
        }
        client.shutdown(Duration.ZERO, timeout);
        var unused = resources.shutdown(0, timeout.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public String toString() {
        return "store at " + uri.getHost() + ":" + uri.getPort();
    }
}
