/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.http.HttpClassifier;
import dev.holdfast.http.HttpMessages;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.util.ClassUtils;
import org.springframework.web.client.RestClientResponseException;
import org.springframework.web.reactive.function.client.WebClientResponseException;

/**
 * What a method with {@link Protected} throws because a client of Spring got a response: it means what HTTP says of its status. So a 404
 * is neither retried nor counted. A classifier of the pipeline's own decides alone, and its lists come first. But a class in a list
 * knows no time: if the list says that it is no success, a pushback of the status stays one.
 */
final class ThrownResponses implements Classifier {
    private static final int MOST_CAUSES = 16;
    private static final boolean HAS_REACTIVE = ClassUtils.isPresent(
            "org.springframework.web.reactive.function.client.WebClientResponseException",
            ThrownResponses.class.getClassLoader());

    private final Pipeline pipeline;
    private final Classifier http;

    private ThrownResponses(Pipeline pipeline) {
        this.pipeline = pipeline;
        http = HttpClassifier.of(new Messages(), pipeline::classifier);
    }

    /** For the errors of this pipeline; its own classifier where there is no client of Spring. */
    static Classifier of(Pipeline pipeline) {
        return ClassUtils.isPresent(
                        "org.springframework.web.client.RestClientResponseException",
                        ThrownResponses.class.getClassLoader())
                ? new ThrownResponses(pipeline)
                : pipeline.classifier();
    }

    @Override
    public Verdict classify(@Nullable Object value, @Nullable Throwable error) {
        Classifier own = pipeline.classifier();
        boolean saysNothingItself = own == DEFAULT || (own instanceof Listed listed && listed.base() == DEFAULT);
        Response response = error == null || !saysNothingItself ? null : response(error);
        Verdict listed = response != null && error != null && own instanceof Listed lists ? lists.ofError(error) : null;
        if (response == null || (listed == null && isGood(response, own))) {
            return own.classify(value, error);
        }
        if (listed != null && listed != Verdict.FAILURE && listed != Verdict.PUSHBACK) {
            return listed;
        }
        Verdict said = http.classify(response, null);
        return listed == null || said.outcome() == Outcome.PUSHBACK ? said : listed;
    }

    /** WebClient tells of a body that broke off with the status that came before it. */
    private static boolean isGood(Response response, Classifier own) {
        return response.status() < 400 && !(own instanceof Listed lists && lists.ofStatus(response.status()) != null);
    }

    private static @Nullable Response response(Throwable error) {
        Throwable cause = error;
        for (int i = 0; cause != null && i < MOST_CAUSES; i++, cause = cause.getCause()) {
            if (cause instanceof RestClientResponseException thrown) {
                return new Response(thrown.getStatusCode().value(), thrown.getResponseHeaders());
            }
            Response reactive = HAS_REACTIVE ? Reactive.response(cause) : null;
            if (reactive != null) {
                return reactive;
            }
        }
        return null;
    }

    /** Loaded only where there is a WebClient. */
    private static final class Reactive {
        static @Nullable Response response(Throwable error) {
            return error instanceof WebClientResponseException thrown
                    ? new Response(thrown.getStatusCode().value(), thrown.getHeaders())
                    : null;
        }
    }

    private record Response(int status, @Nullable HttpHeaders headers) {}

    /** Of a request nothing is known here. */
    private static final class Messages implements HttpMessages<Void, Response> {
        @Override
        public String method(Void request) {
            throw new UnsupportedOperationException();
        }

        @Override
        public URI uri(Void request) {
            throw new UnsupportedOperationException();
        }

        @Override
        public @Nullable String requestHeader(Void request, String name) {
            throw new UnsupportedOperationException();
        }

        @Override
        public List<String> requestHeaders(Void request, String name) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean canBeSentAgain(Void request) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Class<Response> responseType() {
            return Response.class;
        }

        @Override
        public int status(Response response) {
            return response.status();
        }

        @Override
        public List<String> responseHeaders(Response response, String name) {
            List<String> lines = new ArrayList<>();
            if (response.headers() != null) {
                response.headers().forEach((other, values) -> {
                    if (other.equalsIgnoreCase(name)) {
                        lines.addAll(values);
                    }
                });
            }
            return lines;
        }

        @Override
        public void close(Response response) {}
    }
}
