/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.spi.AbstractInterruptibleChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpRequest;
import org.springframework.http.client.ClientHttpRequestExecution;

/**
 * The request of one blocking attempt.
 *
 * <p>It is a channel for the sake of {@link #begin} and {@link #end}: between them, an interrupt of the thread cancels the
 * exchange. Not every client takes notice of interrupts.
 */
final class Exchange extends AbstractInterruptibleChannel {
    private static final ThreadLocal<@Nullable Exchange> CURRENT = new ThreadLocal<>();

    /** Guarded by this. */
    private final List<Runnable> hooks = new ArrayList<>();

    private static final long EARLY_NANOS = 100_000;
    private static final long LONGEST_EARLY_NANOS = 1_000_000_000;

    private boolean cancelled;

    private @Nullable InputStream body;

    /** Unless a factory says that it is not: a client that follows redirects may fail to connect after it has sent. */
    private volatile boolean mayHaveSent = true;

    private @Nullable HttpHeaders written;

    /** The one whose request this thread sends; null if none. For request factories. */
    static @Nullable Exchange current() {
        return CURRENT.get();
    }

    /** What an attempt does with a response: it belongs to the attempt. */
    interface Reading<T> {
        T read(Exchange exchange, Received received) throws IOException;
    }

    <T> T execute(ClientHttpRequestExecution rest, HttpRequest request, byte[] body, Reading<T> reading)
            throws IOException {
        Exchange before = CURRENT.get();
        CURRENT.set(this);
        Received received = null;
        boolean whole = false;
        begin();
        try {
            received = new Received(rest.execute(request, body), this);
            T read = reading.read(this, received);
            whole = true;
            return read;
        } catch (IOException e) {
            throw isInterrupt(e) ? interrupted(e) : marked(e, request);
        } finally {
            CURRENT.set(before);
            ended(received, whole);
        }
    }

    private void ended(@Nullable Received received, boolean whole) throws IOException {
        boolean keep = false;
        try {
            end(true);
            keep = whole;
        } catch (ClosedByInterruptException e) {
            Thread.currentThread().interrupt();
            throw e;
        } catch (AsynchronousCloseException e) {
            throw new AssertionError("only for an operation that did not complete", e);
        } finally {
            if (!keep && received != null) {
                received.discard();
            }
        }
    }

    /** A client that has used a channel of its own on this thread has taken the interrupt from this one. */
    private static boolean isInterrupt(IOException e) {
        return Thread.currentThread().isInterrupted() && e.getCause() instanceof InterruptedException;
    }

    private static IOException interrupted(IOException e) {
        IOException interrupted = new ClosedByInterruptException();
        interrupted.initCause(e);
        return interrupted;
    }

    /** What fails to connect may have been sent already. Nobody asks this of a request that may be done twice. */
    private IOException marked(IOException e, HttpRequest request) {
        boolean mayBeDoneTwice = switch (request.getMethod().name()) {
            case "GET", "HEAD", "OPTIONS", "TRACE", "DELETE" -> true;
            default -> false;
        };
        if (mayHaveSent && !mayBeDoneTwice) {
            e.addSuppressed(new IOException("the request may have been sent before this happened"));
        }
        return e;
    }

    /** From now on {@link #sending} tells when something is sent. */
    void notSent() {
        mayHaveSent = false;
    }

    void sending() {
        mayHaveSent = true;
    }

    /** With these headers, which interceptors do not change any more. */
    void writing(HttpHeaders headers) {
        written = headers;
    }

    /** The headers that were sent, as far as anybody knows. */
    HttpHeaders sent(HttpRequest request) {
        return written == null ? request.getHeaders() : written;
    }

    // ---- to cancel it

    /** Runs when the exchange is cancelled; at once if it is. Must be quick: it may run on the thread that interrupts this one. */
    void onCancel(Runnable hook) {
        synchronized (this) {
            if (!cancelled) {
                hooks.add(hook);
                return;
            }
        }
        hook.run();
    }

    /** What a cancelled exchange closes, too. */
    void reading(InputStream content) {
        synchronized (this) {
            body = content;
            if (!cancelled) {
                return;
            }
        }
        close(content);
    }

    /** To close a body may take long: some clients read the rest. So it is not done where only the thread is interrupted. */
    void cancel() {
        implCloseChannel();
        InputStream content;
        synchronized (this) {
            content = body;
        }
        if (content != null) {
            close(content);
        }
    }

    private static void close(InputStream content) {
        long start = System.nanoTime();
        while (true) {
            try {
                content.close();
                return;
            } catch (IOException e) {
                return; // nobody reads it
            } catch (IllegalStateException early) {
                // That of Reactor Netty has no subscription yet, which another thread is about to make. Without one it
                // cannot be
                // closed, and its connection would never come back to the pool.
                if (System.nanoTime() - start > LONGEST_EARLY_NANOS) {
                    throw early;
                }
                LockSupport.parkNanos(EARLY_NANOS);
            }
        }
    }

    @Override
    protected void implCloseChannel() {
        List<Runnable> now;
        synchronized (this) {
            cancelled = true;
            now = List.copyOf(hooks);
            hooks.clear();
        }
        now.forEach(Runnable::run);
    }
}
