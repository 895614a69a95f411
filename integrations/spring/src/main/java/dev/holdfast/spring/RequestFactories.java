/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.http.AlreadySent;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import org.apache.hc.client5.http.classic.HttpClient;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.client5.http.protocol.RedirectLocations;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.eclipse.jetty.client.Request;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.StreamingHttpOutputMessage;
import org.springframework.http.client.ClientHttpRequest;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.http.client.HttpComponentsClientHttpRequestFactory;
import org.springframework.http.client.JettyClientHttpRequestFactory;

/**
 * Request factories that know more of the attempt for which they send a request ({@link HoldfastInterceptor}).
 *
 * <p>All of them tell whether a request with a body was sent when something failed to connect. So a POST is repeated if no connection
 * was made, and not if only its redirect found nobody. With other factories such a POST is not repeated, nor over Jetty: Spring
 * writes the body before Jetty connects.
 *
 * <p>They also tell where interceptors have sent a request whose answer a stale cache may keep, and what they have written into it.
 * Those of Apache's client and of the JDK's tell of redirects.
 *
 * <p>Those of the clients that take no notice of interrupts cancel the request of an attempt that is given up.
 */
public final class RequestFactories {
    private RequestFactories() {}

    /**
     * This factory. To be used with clients that answer to interrupts, as the JDK's and Reactor Netty's do. {@code HttpURLConnection}
     * does not, and nothing else ends its reads: give {@code SimpleClientHttpRequestFactory} a read timeout.
     */
    public static ClientHttpRequestFactory noting(ClientHttpRequestFactory factory) {
        Objects.requireNonNull(factory, "factory");
        return (uri, method) -> noting(factory.createRequest(uri, method), null);
    }

    /**
     * For Apache's client, which takes no notice of interrupts: the request of an attempt that is given up is cancelled. Switch its
     * own retries off ({@code disableAutomaticRetries}): they would multiply with those of the pipeline.
     */
    public static HttpComponentsClientHttpRequestFactory httpComponents(HttpClient client) {
        return new Apache(client);
    }

    /**
     * For Jetty's client, whose requests Spring leaves to themselves when their caller is interrupted: that of an attempt that is
     * given up is aborted, also one that waits for a connection. Adds a listener to the client, so make one factory for a client.
     */
    public static JettyClientHttpRequestFactory jetty(org.eclipse.jetty.client.HttpClient client) {
        return new Jetty(client);
    }

    private static ClientHttpRequest noting(ClientHttpRequest request, @Nullable Apaches apaches) {
        return request instanceof StreamingHttpOutputMessage streaming
                ? new Noting(request, streaming, apaches)
                : request;
    }

    private static final class Apache extends HttpComponentsClientHttpRequestFactory {
        /** Spring makes the context of a request apart from the request. */
        private static final ThreadLocal<@Nullable Apaches> MAKING = new ThreadLocal<>();

        Apache(HttpClient client) {
            super(client);
        }

        /** Also of one that an interceptor sends to another service: the attempt waits for that, too. */
        @Override
        protected void postProcessHttpRequest(ClassicHttpRequest request) {
            Exchange exchange = Exchange.current();
            if (exchange != null && request instanceof Cancellable cancellable) {
                exchange.onCancel(cancellable::cancel);
            }
        }

        /** It tells where the request went in the end that this thread is about to make. */
        @Override
        protected @Nullable HttpContext createHttpContext(HttpMethod method, URI uri) {
            HttpContext users = super.createHttpContext(method, uri);
            if (users != null && !(users instanceof HttpClientContext)) {
                return users;
            }
            HttpClientContext context = users == null ? HttpClientContext.create() : (HttpClientContext) users;
            MAKING.set(new Apaches(method, uri, context, context.getResponse()));
            return context;
        }

        @Override
        public ClientHttpRequest createRequest(URI uri, HttpMethod method) throws IOException {
            try {
                ClientHttpRequest request = super.createRequest(uri, method);
                return noting(request, MAKING.get());
            } finally {
                MAKING.remove();
            }
        }
    }

    private static final class Jetty extends JettyClientHttpRequestFactory {
        Jetty(org.eclipse.jetty.client.HttpClient client) {
            super(client);
            client.getRequestListeners().addQueuedListener(Jetty::queued);
        }

        /** Runs on the thread that sends. A redirect is aborted together with its first request. */
        @SuppressWarnings("FutureReturnValueIgnored") // it says whether the request was over
        private static void queued(Request request) {
            Exchange exchange = Exchange.current();
            if (exchange != null) {
                exchange.onCancel(() -> request.abort(new CancellationException("given up")));
            }
        }

        @Override
        public ClientHttpRequest createRequest(URI uri, HttpMethod method) throws IOException {
            return noting(super.createRequest(uri, method), null);
        }
    }

    /**
     * Where Apache's client has sent a request.
     *
     * @param before what the context had of another request
     */
    private record Apaches(
            HttpMethod method,
            URI uri,
            HttpClientContext context,
            @Nullable HttpResponse before) {
        /** See {@link Exchange#telling}. */
        @Nullable
        List<Step> steps(int status) {
            if (status != Step.UNANSWERED) {
                return all(status);
            }
            return wasRedirected() ? all(Step.FOLLOWED) : null;
        }

        /** Whether the client has begun to send the request, and has no answer yet: what it throws then is its own. */
        boolean isAwaiting() {
            return context.getEndpointDetails() != null && context.getResponse() == null;
        }

        /** Also where the client has followed none, since it could not read the first one. */
        private boolean wasRedirected() {
            HttpResponse last = context.getResponse();
            return !locations().isEmpty() || (last != null && last != before && last.getCode() / 100 == 3);
        }

        private List<URI> locations() {
            RedirectLocations redirects = context.getRedirectLocations();
            return redirects == null ? List.of() : redirects.getAll();
        }

        /** Of redirects between the first and the last, the method is not known. Null if the client's own code has answered. */
        private @Nullable List<Step> all(int status) {
            List<URI> locations = locations();
            HttpRequest last = context.getRequest();
            URI address = last == null ? null : address(last);
            if (address == null) {
                return null;
            }
            List<Step> steps = new ArrayList<>();
            if (locations.isEmpty()) {
                steps.add(new Step(last.getMethod(), address, status));
                return steps;
            }
            int end = locations.size() - 1;
            steps.add(new Step(last.getMethod(), locations.get(end), status));
            locations.subList(0, end).forEach(via -> steps.add(new Step(method.name(), via, Step.FOLLOWED)));
            steps.add(new Step(method.name(), uri, Step.FOLLOWED));
            return steps;
        }

        private static @Nullable URI address(HttpRequest request) {
            try {
                return request.getUri();
            } catch (URISyntaxException ofAnInterceptor) {
                return null;
            }
        }
    }

    /** Notes that the client asks for the body: it does so once there is a connection. */
    private record Noting(
            ClientHttpRequest request,
            StreamingHttpOutputMessage streaming,
            @Nullable Apaches apaches) implements ClientHttpRequest, StreamingHttpOutputMessage {
        @Override
        public void setBody(Body body) {
            Exchange exchange = Exchange.of(this);
            if (exchange == null) {
                streaming.setBody(body);
                return;
            }
            exchange.notSent();
            streaming.setBody(new Body() {
                @Override
                public void writeTo(OutputStream out) throws IOException {
                    exchange.sending();
                    body.writeTo(out);
                    exchange.waits();
                }

                @Override
                public boolean repeatable() {
                    return body.repeatable();
                }
            });
        }

        @Override
        public OutputStream getBody() throws IOException {
            return request.getBody();
        }

        @Override
        public ClientHttpResponse execute() throws IOException {
            Exchange exchange = Exchange.perhapsOf(this);
            if (exchange == null) {
                tellPerhaps();
                return request.execute();
            }
            if (apaches != null) {
                exchange.telling(apaches::steps);
            }
            exchange.writing(request.getHeaders(), getURI());
            exchange.waits();
            try {
                ClientHttpResponse response = request.execute();
                exchange.answeredBy(response);
                return response;
            } catch (RuntimeException e) {
                // The JDK's client does not say otherwise that a length is malformed.
                if (e instanceof NumberFormatException || (apaches != null && apaches.isAwaiting())) {
                    AlreadySent.markUnreadable(e);
                }
                throw e;
            }
        }

        /** An interceptor may have changed the path of the attempt's request. */
        private void tellPerhaps() {
            Exchange here = Exchange.current();
            if (here != null && apaches != null) {
                here.perhapsTelling(apaches::steps);
            }
        }

        @Override
        public HttpMethod getMethod() {
            return request.getMethod();
        }

        @Override
        public URI getURI() {
            return request.getURI();
        }

        @Override
        public Map<String, Object> getAttributes() {
            return request.getAttributes();
        }

        @Override
        public HttpHeaders getHeaders() {
            return request.getHeaders();
        }
    }
}
