/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.headers.CallHeaders;
import dev.holdfast.http.AlreadySent;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.hc.client5.http.EndpointInfo;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.classic.ExecRuntime;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpStatus;
import org.apache.hc.core5.http.Method;
import org.apache.hc.core5.http.io.HttpResponseInformationCallback;
import org.apache.hc.core5.http.io.entity.HttpEntityWrapper;
import org.apache.hc.core5.util.TimeValue;
import org.jspecify.annotations.Nullable;

/** What sends the requests of one attempt. Sees whether one was sent, and whether the client repeats it, as its own retries do. */
final class CountedRuntime implements ExecRuntime {
    private final ExecRuntime runtime;
    private final Runnable waits;
    private final @Nullable CallHeaders headers;
    /** Whether there was an end after which the client sends nothing more, unless it repeats the request. */
    private boolean ended;

    private boolean repeated;

    private boolean sent;

    private @Nullable HttpRequest answered;

    private boolean redirected;

    /** Whether there was a redirect before. */
    private boolean follows;

    /**
     * Around the client's own.
     *
     * @param waits what is done before it waits for the network
     * @param headers those of the call; null: none
     */
    CountedRuntime(ExecRuntime runtime, Runnable waits, @Nullable CallHeaders headers) {
        this.runtime = runtime;
        this.waits = waits;
        this.headers = headers;
    }

    /** A redirect and an answer to 401 are none. */
    boolean hasRepeated() {
        return repeated;
    }

    /** Whether a request was begun on a connection: this one, or where it was redirected. */
    boolean hasSent() {
        return sent;
    }

    /** The request that got the last answer, as it was sent. Null if a proxy refused the tunnel, or if a handler answered by itself. */
    @Nullable
    HttpRequest answered() {
        return answered;
    }

    /** Whether the last answer to a request was a redirect. */
    boolean wasRedirected() {
        return redirected;
    }

    @Override
    public ClassicHttpResponse execute(String id, ClassicHttpRequest request, HttpClientContext context)
            throws IOException, HttpException {
        return executed(request, begun(request), sending -> sending.execute(id, request, context));
    }

    @Override
    public ClassicHttpResponse execute(
            String id,
            ClassicHttpRequest request,
            @Nullable HttpResponseInformationCallback information,
            HttpClientContext context)
            throws IOException, HttpException {
        return executed(request, begun(request), sending -> sending.execute(id, request, information, context));
    }

    private interface Executing {
        ClassicHttpResponse execute(ExecRuntime runtime) throws IOException, HttpException;
    }

    /** Here are no handlers of the user's any more: what his body has not thrown, the client says of the answer. */
    private ClassicHttpResponse executed(ClassicHttpRequest request, ExecRuntime sending, Executing executing)
            throws IOException, HttpException {
        HttpEntity entity = request.getEntity();
        answered = null;
        Body body = entity == null ? null : new Body(entity);
        request.setEntity(body);
        waits.run();
        try {
            return noted(request, executing.execute(sending));
        } catch (RuntimeException e) {
            if (!isOfTheProxy(request) && (body == null || e != body.thrown)) {
                AlreadySent.markUnreadable(e);
            }
            throw e;
        } finally {
            request.setEntity(entity);
        }
    }

    /** Notes what is thrown when it is written. */
    private final class Body extends HttpEntityWrapper {
        private @Nullable Throwable thrown;

        Body(HttpEntity entity) {
            super(entity);
        }

        @Override
        public void writeTo(OutputStream out) throws IOException {
            try {
                super.writeTo(out);
            } catch (Throwable e) {
                thrown = e;
                throw e;
            } finally {
                waits.run(); // it may be read of a file
            }
        }
    }

    private ExecRuntime begun(ClassicHttpRequest request) {
        if (isOfTheProxy(request)) {
            return runtime;
        }
        sent = true;
        if (follows) {
            Messages.complete(request, headers);
        }
        return begun();
    }

    private ExecRuntime begun() {
        repeated |= ended;
        ended = true; // unless a response asks for more
        return runtime;
    }

    /** A tunnel is no request of the user's. */
    private static boolean isOfTheProxy(ClassicHttpRequest request) {
        return Method.CONNECT.isSame(request.getMethod());
    }

    private ClassicHttpResponse noted(ClassicHttpRequest request, ClassicHttpResponse response) {
        if (isOfTheProxy(request)) {
            return response;
        }
        answered = request;
        int status = response.getCode();
        redirected = status / 100 == 3;
        follows |= redirected;
        ended = !redirected
                && status != HttpStatus.SC_UNAUTHORIZED
                && status != HttpStatus.SC_PROXY_AUTHENTICATION_REQUIRED;
        return response;
    }

    @Override
    public boolean isExecutionAborted() {
        return runtime.isExecutionAborted();
    }

    @Override
    public boolean isEndpointAcquired() {
        return runtime.isEndpointAcquired();
    }

    @Override
    public void acquireEndpoint(String id, HttpRoute route, Object state, HttpClientContext context)
            throws IOException {
        runtime.acquireEndpoint(id, route, state, context);
    }

    @Override
    public void releaseEndpoint() {
        runtime.releaseEndpoint();
    }

    @Override
    public void discardEndpoint() {
        runtime.discardEndpoint();
    }

    @Override
    public boolean isEndpointConnected() {
        return runtime.isEndpointConnected();
    }

    @Override
    public void disconnectEndpoint() throws IOException {
        runtime.disconnectEndpoint();
    }

    @Override
    public void connectEndpoint(HttpClientContext context) throws IOException {
        waits.run();
        begun().connectEndpoint(context);
        ended = false;
    }

    @Override
    public void upgradeTls(HttpClientContext context) throws IOException {
        runtime.upgradeTls(context);
    }

    @Override
    public EndpointInfo getEndpointInfo() {
        return runtime.getEndpointInfo();
    }

    @Override
    public boolean isConnectionReusable() {
        return runtime.isConnectionReusable();
    }

    @Override
    public void markConnectionReusable(Object state, TimeValue validity) {
        runtime.markConnectionReusable(state, validity);
    }

    @Override
    public void markConnectionNonReusable() {
        runtime.markConnectionNonReusable();
    }

    @Override
    public ExecRuntime fork(CancellableDependency dependency) {
        return runtime.fork(dependency);
    }
}
