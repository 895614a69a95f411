/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/** The messages of {@code java.net.http}. */
final class JdkMessages implements HttpMessages<HttpRequest, HttpResponse<?>> {
    static final JdkMessages INSTANCE = new JdkMessages();

    /**
     * The JDK's publishers that give the same bytes each time. One of a stream asks its supplier again, which may have only the one
     * stream, and one of an {@code Iterable} may have only the one iterator; one of another publisher depends on that one.
     */
    private static final Set<Class<?>> AGAIN = Set.of(
            HttpRequest.BodyPublishers.noBody().getClass(),
            HttpRequest.BodyPublishers.ofString("").getClass(),
            HttpRequest.BodyPublishers.ofByteArray(new byte[0]).getClass());

    private static final String OF_FILE = "jdk.internal.net.http.RequestPublishers$FilePublisher";

    /** The JDK's handlers that give each body to the same target of the caller's: two bodies would mix there. */
    private static final Set<Class<?>> INTO_A_TARGET = Set.copyOf(List.of(
            BodyHandlers.ofFile(Path.of("target")).getClass(),
            BodyHandlers.ofByteArrayConsumer(part -> {}).getClass(),
            BodyHandlers.fromSubscriber(new Cancelling<>()).getClass(),
            BodyHandlers.fromSubscriber(new Cancelling<>(), any -> any).getClass(),
            BodyHandlers.fromLineSubscriber(new Cancelling<>()).getClass(),
            BodyHandlers.fromLineSubscriber(new Cancelling<>(), any -> any, null)
                    .getClass()));

    private static final String OF_FILE_DOWNLOAD = "jdk.internal.net.http.ResponseBodyHandlers$FileDownloadBodyHandler";

    private JdkMessages() {}

    @Override
    public String method(HttpRequest request) {
        return request.method();
    }

    @Override
    public URI uri(HttpRequest request) {
        return request.uri();
    }

    @Override
    public @Nullable String requestHeader(HttpRequest request, String name) {
        return first(request.headers(), name);
    }

    @Override
    public List<String> requestHeaders(HttpRequest request, String name) {
        return request.headers().allValues(name);
    }

    @Override
    public boolean canBeSentAgain(HttpRequest request) {
        BodyPublisher body = SentRequest.ownBody(request);
        return body == null
                || AGAIN.contains(body.getClass())
                || body.getClass().getName().equals(OF_FILE);
    }

    /** Whether the bodies of several attempts would go to one place. A handler of the caller's own is asked for each attempt. */
    static boolean hasTarget(BodyHandler<?> handler) {
        Class<?> type = HandlerAround.innermost(handler).getClass();
        return INTO_A_TARGET.contains(type) || type.getName().equals(OF_FILE_DOWNLOAD);
    }

    @Override
    public Class<? super HttpResponse<?>> responseType() {
        return HttpResponse.class;
    }

    @Override
    public int status(HttpResponse<?> response) {
        return response.statusCode();
    }

    @Override
    public List<String> responseHeaders(HttpResponse<?> response, String name) {
        return response.headers().allValues(name);
    }

    /** A response before it may also be one that asked for a password. */
    @Override
    public boolean cameByRedirect(HttpResponse<?> response) {
        HttpResponse<?> before = response.previousResponse().orElse(null);
        while (before != null) {
            if (before.statusCode() / 100 == 3) {
                return true;
            }
            before = before.previousResponse().orElse(null);
        }
        return false;
    }

    /** As {@code firstValue}, without its stream. */
    private static @Nullable String first(HttpHeaders headers, String name) {
        List<String> values = headers.map().get(name);
        return values == null || values.isEmpty() ? null : values.get(0);
    }

    /** A body that is still on its way holds a connection. */
    @Override
    public void close(HttpResponse<?> response) {
        Object body = response.body();
        if (response instanceof Answer<?> answer) {
            answer.giveUp();
        }
        if (body instanceof Flow.Publisher<?> publisher) {
            publisher.subscribe(new Cancelling<>());
        } else if (body instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (Exception e) {
                // Nobody gets this response, and so nobody misses the rest of it.
            }
        }
    }

    /** Wants nothing of a body. */
    private static final class Cancelling<T> implements Flow.Subscriber<T> {
        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            subscription.cancel();
        }

        @Override
        public void onNext(T item) {}

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onComplete() {}
    }
}
