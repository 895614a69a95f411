/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testcalls;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What code below an HTTP adapter meets when it calls another service: errors that say that nothing was done, but of another request
 * than that of the attempt. And a pipeline that repeats what was surely not done.
 */
public final class AnotherService implements AutoCloseable {
    private final AtomicInteger attempts = new AtomicInteger();
    private final Pipeline pipeline = Pipeline.builder("shop")
            .policies(RetryPolicy.of(r -> r.maxAttempts(3)
                    .initialBackoff(Duration.ofMillis(1))
                    .budgetEnabled(false)
                    .retryRejections(true)))
            .observer(new CallObserver() {
                @Override
                public void attemptSettled(
                        String of, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                    attempts.incrementAndGet();
                }
            })
            .build();

    /** Errors of its own, made anew each time. */
    public static Stream<Supplier<Exception>> errors() {
        return Stream.of(
                AnotherService::refused,
                () -> new UncheckedIOException(refused()),
                AnotherService::rejection,
                () -> new CompletionException(rejection()),
                () -> new Stackless(rejection()));
    }

    private static ConnectException refused() {
        return new ConnectException("Connection refused, by another service");
    }

    private static CallRejectedException rejection() {
        return new CallRejectedException(Reason.CIRCUIT_OPEN, "prices", "circuit-breaker", "it is open", -1, null);
    }

    /** Takes no suppressed exceptions. */
    private static final class Stackless extends RuntimeException {
        private static final long serialVersionUID = 1;

        Stackless(Throwable cause) {
            super("no prices", cause, false, false);
        }
    }

    /** Throws it, checked or not. */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    public static <E extends Exception> RuntimeException sneaky(Exception error) throws E {
        throw (E) error;
    }

    /** The last cause of this error, or itself: the same object in whatever clients put around it. */
    public static Throwable root(@Nullable Throwable error) {
        Throwable root = Objects.requireNonNull(error, "no error");
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }

    /** Three attempts, also after rejections. */
    public Pipeline pipeline() {
        return pipeline;
    }

    /** How many attempts there were since this was asked last. */
    public int attempts() {
        return attempts.getAndSet(0);
    }

    /** Where nobody listens, as long as the socket is open. */
    public static Socket deaf() throws IOException {
        Socket deaf = new Socket();
        deaf.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return deaf;
    }

    /** The address of it. */
    public static URI uri(Socket deaf) {
        return URI.create("http://127.0.0.1:" + deaf.getLocalPort() + "/pay");
    }

    @Override
    public void close() {
        pipeline.close();
    }
}
