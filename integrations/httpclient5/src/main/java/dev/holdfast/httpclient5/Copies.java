/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.Attempt;
import dev.holdfast.Reply;
import dev.holdfast.http.CachedCall;
import dev.holdfast.http.Kept;
import java.io.IOException;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.message.BasicClassicHttpResponse;
import org.jspecify.annotations.Nullable;

/** Responses that a stale cache keeps, without a connection. */
final class Copies {
    private Copies() {}

    /** Reads what others may get, too. Any other response is the caller's own. */
    static Kept<ClassicHttpResponse> kept(
            CachedCall<ClassicHttpResponse> cached,
            Exchange exchange,
            ClassicHttpResponse response,
            HttpClientContext context,
            int mostRead)
            throws IOException {
        HttpRequest answered = exchange.answered();
        if (answered == null) {
            Bodies.read(response, mostRead, exchange);
            return cached.ofAnother(response);
        }
        Map<String, List<String>> headers = headers(response, response.getEntity());
        if (!mayKeep(cached, response.getCode(), headers, context, answered, mostRead)) {
            Bodies.read(response, mostRead, exchange);
            return cached.forOne(response, name -> Messages.all(answered, name));
        }
        byte[] body = Bodies.readUpTo(response, Math.max(mostRead, cached.maxKept()), exchange);
        return body == null || body.length > cached.maxKept()
                ? cached.forOne(response, name -> Messages.all(answered, name))
                : cached.kept(copy(response, body), headers, body);
    }

    /**
     * Whether others may get it, too.
     *
     * @param sent the request that was answered, with what the client has added: cookies, credentials; null: none was
     */
    static boolean mayKeep(
            CachedCall<?> cached,
            int status,
            Map<String, List<String>> headers,
            HttpClientContext context,
            @Nullable HttpRequest sent,
            int mostRead) {
        return mostRead > 0
                && sent != null
                && !Redirects.wereFollowed(context)
                && isTo(cached, sent)
                && cached.mayKeep(status, headers, name -> Messages.all(sent, name));
    }

    private static boolean isTo(CachedCall<?> cached, HttpRequest sent) {
        try {
            return cached.isTo(sent.getUri());
        } catch (URISyntaxException notSaid) {
            return false;
        }
    }

    /** As the caller gets them, without the encoding of a body that the client has decoded: it leaves the header as it was. */
    static Map<String, List<String>> headers(HttpResponse response, @Nullable EntityDetails body) {
        Map<String, List<String>> all = headers(response);
        if (body == null || body.getContentEncoding() == null) {
            all.remove(HttpHeaders.CONTENT_ENCODING);
        }
        return all;
    }

    static Map<String, List<String>> headers(HttpResponse response) {
        Map<String, List<String>> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        for (Header header : response.getHeaders()) {
            all.computeIfAbsent(header.getName(), name -> new ArrayList<>()).add(header.getValue());
        }
        return all;
    }

    /** The response for one caller: if others may have it, too, an object of his own. */
    static ClassicHttpResponse response(
            CachedCall<ClassicHttpResponse> cached, Reply<Kept<ClassicHttpResponse>> reply) {
        Kept<ClassicHttpResponse> kept = cached.keptOf(reply);
        byte[] body = kept.body();
        if (body == null) {
            return kept.response();
        }
        ClassicHttpResponse made = copy(kept.response(), body);
        Kept.added(reply).forEach((name, value) -> Messages.set(made, name, value));
        return made;
    }

    private static ClassicHttpResponse copy(ClassicHttpResponse of, byte[] body) {
        ClassicHttpResponse copy = head(of, new BasicClassicHttpResponse(of.getCode(), of.getReasonPhrase()));
        HttpEntity entity = of.getEntity();
        if (entity != null) {
            copy.setEntity(new ByteArrayEntity(
                    body, ContentType.parseLenient(entity.getContentType()), entity.getContentEncoding()));
        }
        return copy;
    }

    static <R extends HttpResponse> R head(HttpResponse of, R copy) {
        copy.setVersion(of.getVersion());
        copy.setHeaders(of.getHeaders());
        return copy;
    }

    static ExecChain.Scope scope(Attempt attempt, ExecChain.Scope of) {
        return new ExecChain.Scope(
                of.exchangeId,
                of.route,
                of.originalRequest,
                of.execRuntime,
                AttemptContext.of(attempt, of.clientContext));
    }
}
