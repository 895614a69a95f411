/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.headers.CallHeaders;
import dev.holdfast.http.AlreadySent;
import dev.holdfast.internal.InterruptibleExchange;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.io.support.ClassicRequestBuilder;
import org.jspecify.annotations.Nullable;

/**
 * The request of one attempt, on a connection of its own. To cancel it closes that connection: reads of a socket take no notice of
 * interrupts.
 */
final class Exchange extends InterruptibleExchange implements CancellableDependency {
    private final OwnRetries ownRetries;
    private final @Nullable CallHeaders headers;

    private boolean sent;
    private boolean redirected;
    private @Nullable HttpRequest answered;
    private boolean cancelled;
    private @Nullable Cancellable connection;

    /**
     * One that tells of repetitions.
     *
     * @param headers those of the call, for requests that redirects make; null: none
     */
    Exchange(OwnRetries ownRetries, @Nullable CallHeaders headers) {
        this.ownRetries = ownRetries;
        this.headers = headers;
    }

    /** What an attempt does with a response: it belongs to the attempt. */
    interface Reading<T> {
        T read(Exchange exchange, ClassicHttpResponse response, HttpClientContext context) throws IOException;
    }

    /**
     * Sends a copy of the request, which the client's handlers change. Redirects and repetitions are made of the request itself:
     * so they have its headers, too.
     */
    <T> T execute(ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain, Reading<T> reading)
            throws IOException, HttpException {
        CountedRuntime runtime = new CountedRuntime(scope.execRuntime.fork(this), this::waits, headers);
        ExecChain.Scope own = new ExecChain.Scope(scope.exchangeId, scope.route, request, runtime, scope.clientContext);
        ClassicHttpResponse response = null;
        boolean whole = false;
        beginsHere();
        try {
            response = chain.proceed(ClassicRequestBuilder.copy(request).build(), own);
            answered = runtime.answered();
            waits();
            T read = reading.read(this, response, own.clientContext);
            AttemptContext.answered(own.clientContext);
            whole = true;
            return read;
        } catch (Throwable e) {
            if (response == null) {
                // After an Error, such as of the user's resolver of names, the client keeps the connection leased. Else
                // this
                // does nothing.
                runtime.discardEndpoint();
            }
            sent = runtime.hasSent();
            redirected = runtime.wasRedirected();
            if (e instanceof IOException && isCancelled()) {
                // No error of the network, also not as a cause: the dependency is not to blame.
                throw new CancellationException("the exchange was cancelled");
            }
            if (sent && e instanceof HttpException) {
                AlreadySent.markUnreadable(e);
            } else if (sent) {
                AlreadySent.mark(e);
            }
            throw e;
        } finally {
            if (runtime.hasRepeated()) {
                ownRetries.noticed();
            }
            ended(response, whole);
        }
    }

    /** Whether the request of one that failed was sent: this one, or where it was redirected. For the thread that has executed it. */
    boolean hasSent() {
        return sent;
    }

    /** See {@link CountedRuntime#wasRedirected}, of one that failed. For the thread that has executed it. */
    boolean wasRedirected() {
        return redirected;
    }

    /** See {@link CountedRuntime#answered}. For the thread that has executed it. */
    @Nullable
    HttpRequest answered() {
        return answered;
    }

    private void ended(@Nullable ClassicHttpResponse response, boolean whole) throws IOException {
        boolean keep = false;
        try {
            endsHere();
            keep = whole;
        } finally {
            if (!keep && response != null) {
                cancel();
                close(response);
            }
        }
    }

    private static void close(ClassicHttpResponse response) {
        try {
            response.close();
        } catch (IOException e) {
            // There is another error already.
        }
    }

    // ---- as what the client cancels

    @Override
    protected void implCloseChannel() {
        cancel();
    }

    @Override
    public void setDependency(Cancellable now) {
        boolean late;
        synchronized (this) {
            connection = now;
            late = cancelled;
        }
        if (late) {
            now.cancel();
        }
    }

    @Override
    public synchronized boolean isCancelled() {
        return cancelled;
    }

    @Override
    public boolean cancel() {
        Cancellable now;
        synchronized (this) {
            cancelled = true;
            now = connection;
        }
        return now != null && now.cancel();
    }
}
