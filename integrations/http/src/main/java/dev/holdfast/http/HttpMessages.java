/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.net.URI;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How to read the requests and responses of one HTTP client. An adapter for a client implements it, and {@link HttpCalls} does the
 * rest. Called from any number of threads.
 *
 * @param <Q> a request
 * @param <R> a response
 */
public interface HttpMessages<Q, R> {
    /** The method of a request: {@code GET}. */
    String method(Q request);

    /** The address of a request, with scheme and host. */
    URI uri(Q request);

    /**
     * Scheme, host and port of the address of a request, the same for all ways to write them: {@code https://stock.example:443}. An
     * adapter whose client keeps these as parts can put them together without an URI.
     *
     * @throws IllegalArgumentException if the address has no scheme or no host
     */
    default String authority(Q request) {
        return HttpCalls.authority(uri(request));
    }

    /** The first value of a header of a request; null if it has none of this name. */
    @Nullable
    String requestHeader(Q request, String name);

    /** All values of a header of a request, in their order. */
    List<String> requestHeaders(Q request, String name);

    /** Whether the body of a request can be sent a second time; true without a body. */
    boolean canBeSentAgain(Q request);

    /** The class of the responses. */
    Class<? super R> responseType();

    /** The status of a response. */
    int status(R response);

    /** All values of a header of a response, in their order. */
    List<String> responseHeaders(R response, String name);

    /**
     * Whether a response came by a redirect. Then the server that redirected may have done the work, whatever this response says, and
     * no status allows to repeat a request that must not be done twice. Default: false, for a client that does not tell.
     */
    default boolean cameByRedirect(R response) {
        return false;
    }

    /** Closes a response that nobody gets, so that its connection is free again. Must be quick. */
    void close(R response);
}
