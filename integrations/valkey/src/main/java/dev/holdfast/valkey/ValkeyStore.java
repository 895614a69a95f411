/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Replicas;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.valkey.RollCall.Count;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.BucketState;
import io.github.bucket4j.TimeMeter;
import io.github.bucket4j.VerboseResult;
import io.github.bucket4j.distributed.ExpirationAfterWriteStrategy;
import io.github.bucket4j.distributed.proxy.AsyncProxyManager;
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.ClientOptions.DisconnectedBehavior;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.io.EOFException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A Valkey or Redis server that holds the permits of {@link SharedThrottlePolicy shared throttles}, through Bucket4j and
 * Lettuce.
 *
 * <p>Has one connection and four threads of its own, and makes the connection again by itself, also if the server is not there
 * at first. Safe for any number of threads; one instance for each server and process. The keys in the store begin with {@code
 * holdfast:throttle:} and {@code holdfast:replicas:}. A bucket's key goes a day after it would be full again. Time is the server's. The
 * page on many machines has the rights that the user of the server needs.
 */
public final class ValkeyStore implements AutoCloseable {
    /** For a connection, and for each command. */
    private static final Duration TIMEOUT = Duration.ofSeconds(2);

    /** A bucket without use is full again long before that. */
    private static final Duration KEPT = Duration.ofDays(1);

    /**
     * Who has signed when, and since when there is such a list. Both keys go with the last sign. Returns how many are alive, and the
     * age of the list.
     */
    private static final String SIGN = """
            local time = redis.call('TIME')
            local now = time[1] * 1000 + math.floor(time[2] / 1000)
            local alive = tonumber(ARGV[2])
            redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - alive)
            redis.call('ZADD', KEYS[1], now, ARGV[1])
            redis.call('PEXPIRE', KEYS[1], alive)
            redis.call('SET', KEYS[2], now, 'NX')
            redis.call('PEXPIRE', KEYS[2], alive)
            return {redis.call('ZCARD', KEYS[1]), now - tonumber(redis.call('GET', KEYS[2]))}
            """;

    private static final int LOOKS = 10;

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

    private final ServerTime time;
    private final byte[] me = UUID.randomUUID().toString().getBytes(StandardCharsets.UTF_8);
    private final Map<String, RollCall> rollCalls = new ConcurrentHashMap<>();

    /**
     * A connection.
     *
     * @param errors how many the server has answered since it last did what it was asked
     */
    private record Link(
            StatefulRedisConnection<byte[], byte[]> connection,
            AsyncProxyManager<byte[]> buckets,
            AtomicInteger errors) {
        /** After as many in a row, another connection may know better: the server may have become a replica. */
        private static final int MOST_ERRORS = 3;

        /** Another connection would hear the same. */
        private static boolean isOfOneKey(RedisCommandExecutionException reply) {
            String says = String.valueOf(reply.getMessage());
            return says.startsWith("NOPERM") || says.startsWith("WRONGTYPE");
        }

        /** Whether it is to be used on, after this answer. It may count as open and take no commands. */
        boolean isSound(@Nullable Throwable error) {
            if (error == null) {
                errors.set(0);
                return true;
            }
            Throwable cause = error instanceof CompletionException ? error.getCause() : error;
            if (cause instanceof RedisCommandExecutionException reply) {
                return isOfOneKey(reply) || errors.incrementAndGet() < MOST_ERRORS;
            }
            // Bucket4j cannot read what the server has sent: another connection would bring the same.
            return cause instanceof IllegalStateException || cause instanceof EOFException;
        }
    }

    /** A time for Bucket4j, in nanoseconds since 1970. */
    record Clock(LongSupplier sinceEpoch) implements TimeMeter {
        @Override
        public long currentTimeNanos() {
            return sinceEpoch.getAsLong();
        }

        @Override
        public boolean isWallClockBased() {
            return true;
        }
    }

    private ValkeyStore(RedisURI uri, Duration timeout, ServerTime time) {
        this.timeout = timeout;
        this.time = time;
        this.uri = RedisURI.builder(uri).withTimeout(timeout).build();
        client = RedisClient.create(resources);
        client.setOptions(ClientOptions.builder()
                // This class connects anew. What waited in Lettuce for a server would come to it when no call needs it
                // any more.
                .autoReconnect(false)
                .disconnectedBehavior(DisconnectedBehavior.REJECT_COMMANDS)
                // Its timer counts the time in which the process stood still: see look.
                .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
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
     * @throws IllegalArgumentException if it is no such URI, or names a sentinel, a socket of Unix or several servers
     */
    public static ValkeyStore connect(String uri) {
        return connect(uri(uri));
    }

    private static RedisURI uri(String uri) {
        try {
            return RedisURI.create(uri);
        } catch (IllegalArgumentException notOne) { // may have the password in its message, and is no cause for this
            String withoutPassword = uri.substring(uri.lastIndexOf('@') + 1);
            throw new IllegalArgumentException("the URI of the store is '" + withoutPassword
                    + "' but must be redis://host:port, or rediss://host:port with TLS");
        }
    }

    /**
     * A server. Blocks until it is connected, for at most 2 s. If the server is not there, its throttles begin without it.
     *
     * @param uri may have the user, the password and the number of the database
     * @throws IllegalArgumentException if it names a sentinel, a socket of Unix or several servers
     */
    public static ValkeyStore connect(RedisURI uri) {
        return connect(oneServer(uri), TIMEOUT);
    }

    private static RedisURI oneServer(RedisURI uri) {
        String others = others(uri);
        if (others != null) {
            throw new IllegalArgumentException("the URI of the store names " + others
                    + " but must name one server: redis://host:port, or rediss://host:port with TLS");
        }
        return uri;
    }

    private static @Nullable String others(RedisURI uri) {
        if (!uri.getSentinels().isEmpty()) {
            return "a sentinel";
        }
        if (uri.getSocket() != null) {
            return "a socket of Unix";
        }
        if (uri.getHost() == null) {
            return "no server";
        }
        return uri.getHost().contains(",") ? "several servers" : null;
    }

    static ValkeyStore connect(RedisURI uri, Duration timeout) {
        return connect(uri, timeout, new ServerTime(System::nanoTime));
    }

    static ValkeyStore connect(RedisURI uri, Duration timeout, ServerTime time) {
        ValkeyStore store = new ValkeyStore(uri, timeout, time);
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
            Link present = usable();
            if (present != null) {
                take(most, answer, present);
                return;
            }
            // The question waits for the connection. If it failed, the next one would come up to a second later. The
            // other processes may be back at the store by then.
            var unused = connect().whenComplete((connected, refused) -> {
                Link made = usable();
                if (made != null) {
                    take(most, answer, made);
                } else {
                    answer.failed(noConnection());
                }
            });
        }

        private void take(long most, Answer answer, Link present) {
            try {
                ask(most, answer, present);
            } catch (RejectedExecutionException closedMeanwhile) {
                answer.failed(noConnection());
            } catch (RuntimeException thrown) {
                answer.failed(thrown); // nobody else hears of it where the question has waited for the connection
            }
        }

        private void ask(long most, Answer answer, Link present) {
            boolean known = time.isFresh();
            CompletableFuture<?> taking = (known ? CompletableFuture.completedFuture(null) : readTime(present))
                    .thenCompose(read -> present.buckets
                            .builder()
                            .build(key, () -> CompletableFuture.completedFuture(bucket))
                            .asVerbose()
                            .tryConsumeAsMuchAsPossible(most))
                    .whenComplete((taken, error) -> {
                        dropUnsound(present, error);
                        if (error == null) {
                            if (taken.getValue() == 0) {
                                keepUp(taken, !known);
                            }
                            answer.taken(taken.getValue(), untilNext(taken));
                        } else {
                            Throwable cause = error.getCause(); // of a CompletionException, and more than others say
                            answer.failed(cause == null ? error : cause);
                        }
                    });
            dropIfSilent(present, taking);
        }

        private CompletableFuture<?> readTime(Link present) {
            long asked = time.nanos();
            return present.connection
                    .async()
                    .time()
                    .thenAccept(
                            told -> time.read(asked, number(told.get(0)) * 1_000_000_000 + number(told.get(1)) * 1_000))
                    .toCompletableFuture();
        }

        @Override
        public void later(long nanos, Runnable task) {
            onReader(nanos, task);
        }
    }

    /** As {@link #replicas(String, int)}, with 1 until the store has answered. */
    public IntSupplier replicas(String name) {
        return replicas(name, 1);
    }

    /**
     * How many processes have asked for this name in their store, and are alive: the option {@code replicas} of a throttle, a
     * bulkhead, a retry budget. Blocks for the first answer, for at most 2 s, and not if there is no connection. After that the
     * number costs one read, and its function never blocks or throws.
     *
     * <p>A process says every 3 s, give or take a quarter, that it is alive, and is counted for 12 s. It is not counted any more
     * once its store is {@linkplain #close closed}. While the store does not answer, the last number holds. A store that has lost
     * its data makes the number no smaller. The same name gives the same number; the first call says what it is at first.
     *
     * @param name 1 to 200 characters
     * @param atFirst the number until the store has answered, and the least while the first processes still come: 1 to 10,000
     * @throws IllegalArgumentException if a value is out of range
     */
    public IntSupplier replicas(String name, int atFirst) {
        if (name.isBlank() || name.length() > 200) {
            throw new IllegalArgumentException("the name of replicas is '" + name + "', expected 1 to 200 characters");
        }
        if (atFirst < 1 || atFirst > Replicas.MOST) {
            throw new IllegalArgumentException("replicas at first are " + atFirst + ", expected 1 to 10,000");
        }
        RollCall known = rollCalls.get(name);
        if (known != null) {
            return known;
        }
        RollCall made = new RollCall(new Signs(name), atFirst);
        known = rollCalls.putIfAbsent(name, made);
        if (known != null) {
            return known;
        }
        await(made.begin().toCompletableFuture(), timeout);
        return made;
    }

    private static void await(CompletableFuture<?> answer, Duration longest) {
        try {
            answer.get(longest.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException notYet) {
            // Nothing waits for it any more.
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** The braces put both keys on one node of a cluster. */
    private static byte[] signed(String name) {
        return ("holdfast:replicas:{" + name + "}").getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] since(String name) {
        return ("holdfast:replicas:{" + name + "}:since").getBytes(StandardCharsets.UTF_8);
    }

    private final class Signs implements RollCall.Book {
        private final byte[][] keys;

        Signs(String name) {
            keys = new byte[][] {signed(name), since(name)};
        }

        @Override
        public CompletionStage<Count> sign() {
            Link present = usable();
            if (present == null) {
                var unused = connect();
                return CompletableFuture.failedStage(noConnection());
            }
            byte[] alive = Long.toString(RollCall.ALIVE).getBytes(StandardCharsets.UTF_8);
            CompletionStage<List<Long>> answer;
            lock.lock();
            try {
                if (closed) {
                    return CompletableFuture.failedStage(noConnection()); // else it would come after the goodbye
                }
                answer = present.connection.async().eval(SIGN, ScriptOutputType.MULTI, keys, me, alive);
            } finally {
                lock.unlock();
            }
            try {
                dropIfSilent(present, answer.toCompletableFuture());
            } catch (RejectedExecutionException closedMeanwhile) {
                return CompletableFuture.failedStage(noConnection());
            }
            var unused = answer.whenComplete((told, error) -> dropUnsound(present, error));
            return answer.thenApply(told -> new Count(told.get(0), told.get(1) >= RollCall.ALIVE));
        }

        @Override
        public void later(long nanos, Runnable task) {
            if (!closed) {
                try {
                    var unused = resources.eventExecutorGroup().schedule(task, nanos, TimeUnit.NANOSECONDS);
                } catch (RejectedExecutionException closedMeanwhile) {
                    // There is no next round.
                }
            }
        }

        @Override
        public double random() {
            return ThreadLocalRandom.current().nextDouble();
        }
    }

    private @Nullable Link usable() {
        Link seen = link;
        return seen != null && seen.connection.isOpen() ? seen : null;
    }

    private IllegalStateException noConnection() {
        return new IllegalStateException(
                closed
                        ? this + " is closed"
                        : "there is no connection to " + uri.getHost() + ":" + uri.getPort() + refusal);
    }

    /** A connection on which a command got no answer may lead nowhere: the server may have moved. */
    private void dropIfSilent(Link present, CompletableFuture<?> answer) {
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

    /** On the thread that first reads what has come. */
    private void onReader(long nanos, Runnable task) {
        EventLoop last = reader;
        var unused = (last == null ? resources.eventExecutorGroup() : last).schedule(task, nanos, TimeUnit.NANOSECONDS);
    }

    private void signOff(Link last) {
        CompletableFuture<?>[] left = rollCalls.keySet().stream()
                .map(name -> last.connection.async().zrem(signed(name), me).toCompletableFuture())
                .toArray(CompletableFuture[]::new);
        await(CompletableFuture.allOf(left), timeout);
    }

    private static long number(byte[] digits) {
        return Long.parseLong(new String(digits, StandardCharsets.US_ASCII));
    }

    /**
     * An empty bucket may be ahead: the server's clock has gone back, or a process with another clock has written it. It is not
     * followed before the server was asked for its time in the same question, since this process may be behind.
     */
    private void keepUp(VerboseResult<Long> none, boolean justRead) {
        long lead = lead(none);
        if (lead > 0 && justRead) {
            time.follow(none.getOperationTimeNanos() + lead);
        } else if (lead > 0) {
            time.forget();
        }
    }

    /** How far the bucket is ahead, as Bucket4j tells nobody; 0 if it is less than the times of two processes may differ. */
    private static long lead(VerboseResult<Long> none) {
        long next = none.getOperationTimeNanos() + untilNext(none);
        long low = ServerTime.FRESH_NANOS;
        if (hasPermit(none, next + low)) {
            return 0;
        }
        long high = Long.MAX_VALUE - next;
        while (high - low > 1) {
            long lead = low + (high - low) / 2;
            if (hasPermit(none, next + lead)) {
                high = lead;
            } else {
                low = lead;
            }
        }
        return high;
    }

    private static boolean hasPermit(VerboseResult<Long> seen, long then) {
        BucketState later = seen.getState().copy();
        later.refillAllBandwidth(then);
        return later.getAvailableTokens() > 0;
    }

    private static long untilNext(VerboseResult<Long> taken) {
        return taken.getState()
                .calculateDelayNanosAfterWillBePossibleToConsume(1, taken.getOperationTimeNanos(), false);
    }

    /** Connects anew. Does nothing if that is under way. */
    private CompletableFuture<?> connect() {
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
                    .whenComplete((connected, error) -> refusal = error == null ? "" : ": " + root(error))
                    .toCompletableFuture();
            connecting = next;
            return next;
        } finally {
            lock.unlock();
        }
    }

    /** What the server or the network says, without what Lettuce says about it. */
    private static String root(Throwable error) {
        Throwable root = error;
        for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
            root = cause;
        }
        String says = root.getMessage();
        return says == null ? root.toString() : says;
    }

    private void connected(StatefulRedisConnection<byte[], byte[]> connection) {
        lock.lock();
        try {
            if (closed) {
                var unused = connection.closeAsync();
                return;
            }
            AsyncProxyManager<byte[]> buckets = Bucket4jLettuce.casBasedBuilder(connection)
                    .clientClock(new Clock(time::sinceEpoch))
                    .expirationAfterWrite(ExpirationAfterWriteStrategy.basedOnTimeForRefillingBucketUpToMax(KEPT))
                    .build()
                    .asAsync();
            time.forget();
            link = new Link(connection, buckets, new AtomicInteger());
        } finally {
            lock.unlock();
        }
    }

    private void dropUnsound(Link used, @Nullable Throwable error) {
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

    /**
     * Says that this process is no {@linkplain #replicas replica} any more, closes the connection and ends the threads. Blocks for
     * the answer of the store, for at most 2 s. The throttles go on without the store, and the last number of replicas holds.
     */
    @Override
    public void close() {
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
            signOff(last);
        }
        client.shutdown(Duration.ZERO, timeout);
        var unused = resources.shutdown(0, timeout.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public String toString() {
        return "store at " + uri.getHost() + ":" + uri.getPort();
    }
}
