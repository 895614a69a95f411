/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import java.io.IOException;
import org.apache.hc.client5.http.EndpointInfo;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.classic.ExecRuntime;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.io.HttpResponseInformationCallback;
import org.apache.hc.core5.util.TimeValue;
import org.jspecify.annotations.Nullable;

/** What sends the requests of one attempt. Sees whether the client repeats one that has failed, as its own retries do. */
final class CountedRuntime implements ExecRuntime {
    private static final int TOO_MANY_REQUESTS = 429;

    private final ExecRuntime runtime;
    private boolean failed;
    private boolean repeated;

    CountedRuntime(ExecRuntime runtime) {
        this.runtime = runtime;
    }

    /** A redirect and an answer to 401 are none. */
    boolean hasRepeated() {
        return repeated;
    }

    @Override
    public ClassicHttpResponse execute(String id, ClassicHttpRequest request, HttpClientContext context)
            throws IOException, HttpException {
        return noted(begun().execute(id, request, context));
    }

    @Override
    public ClassicHttpResponse execute(
            String id,
            ClassicHttpRequest request,
            @Nullable HttpResponseInformationCallback information,
            HttpClientContext context)
            throws IOException, HttpException {
        return noted(begun().execute(id, request, information, context));
    }

    private ExecRuntime begun() {
        repeated |= failed;
        failed = true; // unless a response comes
        return runtime;
    }

    private ClassicHttpResponse noted(ClassicHttpResponse response) {
        failed = response.getCode() >= 500 || response.getCode() == TOO_MANY_REQUESTS;
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
        runtime.connectEndpoint(context);
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
