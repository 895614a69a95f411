/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Replicas;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslOptions;
import io.netty.util.NetUtil;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntSupplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A Valkey or Redis server that holds the permits of {@link SharedThrottlePolicy shared throttles}, through Lettuce.
 *
 * <p>Has one connection and four threads of its own, and makes the connection again by itself, also if the server is not there
 * at first. Safe for any number of threads; one instance for each server and process. The keys in the store begin with {@code
 * holdfast:throttle:} and {@code holdfast:replicas:}. A bucket's key goes a day after it would be full again. Time is
 * the server's. {@code docs/many-machines.md} has the rights that its user needs.
 */
public final class ValkeyStore implements AutoCloseable {
    /** For a connection, and for each command. */
    private static final Duration TIMEOUT = Duration.ofSeconds(2);

    /** Lettuce takes it for the default. */
    private static final Pattern NO_PORT = Pattern.compile(":0+(?=[/?]|$)");

    /** The host ends before an {@code @}: in the middle of the password. */
    private static final Pattern CUT = Pattern.compile("//[^/?#]*[/?#].*@");

    private final Duration timeout;
    final Connector connector;
    private final byte[] me = UUID.randomUUID().toString().getBytes(StandardCharsets.UTF_8);
    private final Map<String, Asked> rollCalls = new ConcurrentHashMap<>();

    private ValkeyStore(RedisURI uri, Duration timeout, @Nullable SslOptions tls) {
        this.timeout = timeout;
        connector = new Connector(uri, timeout, tls);
    }

    /**
     * A server, such as {@code redis://valkey.example:6379}, or {@code rediss://} with TLS. In a password, {@code @ / ? #} and {@code %}
     * are written as {@code %40 %2F %3F %23} and {@code %25}.
     *
     * @see #connect(RedisURI)
     * @throws IllegalArgumentException if it is no such URI, or names a sentinel, a socket of Unix or several servers. The message has
     *     no password
     */
    public static ValkeyStore connect(String uri) {
        return connect(uri(uri));
    }

    /**
     * The replicas of a name.
     *
     * @param firstAnswer ends when the store has answered for the first time, or has not: whoever asks waits for it
     */
    private record Asked(RollCall roll, CompletableFuture<Void> firstAnswer) {}

    private static RedisURI uri(String uri) {
        try {
            RedisURI made = RedisURI.create(uri);
            boolean isBare = NetUtil.isValidIpV6Address(String.valueOf(made.getHost())) && !uri.contains("[");
            if (!CUT.matcher(uri).find() && !NO_PORT.matcher(uri).find() && !isBare && !hasWrongHost(made)) {
                return made;
            }
        } catch (IllegalArgumentException notOne) {
            // May have the password in its message, and is no cause for the next one.
        }
        String withoutPassword = uri.substring(uri.lastIndexOf('@') + 1);
        throw new IllegalArgumentException("the URI of the store is '" + withoutPassword
                + "' but must be redis://host:port, or rediss://host:port with TLS");
    }

    /** Lettuce takes what it cannot take apart for the host: a port that is no number, or the password with the user. */
    private static boolean hasWrongHost(RedisURI uri) {
        String host = uri.getHost();
        return host != null && host.contains(":") && !host.contains(",") && !NetUtil.isValidIpV6Address(host);
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

    /**
     * A server with TLS, such as one whose certificate is of an authority of your own, or that wants one of this process.
     *
     * @param uri with TLS ({@code rediss://}), as for {@link #connect(RedisURI)}
     * @param tls of Lettuce: {@code SslOptions.builder().truststore(…).keystore(…)}. Without it, the JVM's trust store holds, and the process shows no certificate
     * @throws IllegalArgumentException as {@link #connect(RedisURI)}, and if the URI is without TLS
     */
    public static ValkeyStore connect(RedisURI uri, SslOptions tls) {
        Objects.requireNonNull(tls, "tls");
        if (!uri.isSsl()) {
            throw new IllegalArgumentException(
                    "options of TLS are given, but the URI of the store is redis:// and must be rediss://host:port");
        }
        return connect(oneServer(uri), TIMEOUT, tls);
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
        if (uri.getHost() == null || hasWrongHost(uri)) {
            return "no server";
        }
        return uri.getHost().contains(",") ? "several servers" : null;
    }

    static ValkeyStore connect(RedisURI uri, Duration timeout) {
        return connect(uri, timeout, null);
    }

    private static ValkeyStore connect(RedisURI uri, Duration timeout, @Nullable SslOptions tls) {
        boolean interrupted = Thread.interrupted(); // Netty's timer would not tell
        ValkeyStore store;
        try {
            store = new ValkeyStore(uri, timeout, tls);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        await(store.connector.connect(), timeout); // if it fails, the first question asks again
        return store;
    }

    /** The permits of one limit. Other settings of the limit have another key, so that old and new processes do not mix them. */
    PermitStore permits(SharedThrottleSettings settings) {
        String name = "holdfast:throttle:" + settings.key() + ":" + settings.limit() + "/" + Checks.text(settings.per())
                + "/" + settings.burst();
        return new Bucket(connector, name.getBytes(StandardCharsets.UTF_8), settings);
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
     * its data makes the number no smaller. The same name gives the same number; of several numbers at first, the greatest holds.
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
        Asked made = new Asked(new RollCall(signs(name), atFirst), new CompletableFuture<>());
        Asked known = rollCalls.putIfAbsent(name, made);
        Asked asked = known == null ? made : known;
        if (known == null) {
            var unused = made.roll.begin().whenComplete((none, never) -> made.firstAnswer.complete(null));
        } else {
            known.roll.atFirst(atFirst);
        }
        await(asked.firstAnswer, timeout);
        return asked.roll;
    }

    private Signs signs(String name) {
        return new Signs(connector, name, me);
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

    /**
     * Says that this process is no {@linkplain #replicas replica} any more, closes the connection and ends the threads. Blocks for
     * the answer of the store, for at most 2 s. The throttles go on without the store, and the last number of replicas holds.
     */
    @Override
    public void close() {
        CompletableFuture<?> closed = connector.close(last -> await(
                CompletableFuture.allOf(rollCalls.keySet().stream()
                        .map(name -> signs(name).takeOff(last))
                        .toArray(CompletableFuture[]::new)),
                timeout));
        await(closed, timeout);
    }

    @Override
    public String toString() {
        return connector.toString();
    }
}
