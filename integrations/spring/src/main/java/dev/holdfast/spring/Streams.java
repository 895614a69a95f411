/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.http.BodyLength;
import dev.holdfast.http.HttpCalls;
import java.net.ProtocolException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.http.HttpHeaders;

/** Which bodies are read within their attempt. */
final class Streams {
    private Streams() {}

    /** Whether a body is read: all of it if its length is known, else what the bound allows. */
    static boolean isSmall(HttpHeaders headers, int most) {
        long length = length(headers);
        return most > 0
                && (length < 0 ? !HttpCalls.isStream(headers.getFirst(HttpHeaders.CONTENT_TYPE)) : length <= most);
    }

    /** Less than 0: it is not known. A response without a body may say anything. */
    private static long length(HttpHeaders headers) {
        try {
            return headers.getContentLength();
        } catch (NumberFormatException malformed) {
            return -1;
        }
    }

    /**
     * Whether a body of so many bytes is whole as far as its headers say. With HTTP/2, most clients do not compare the two (RFC 9113
     * §8.1.1); whether they have decoded the body, only they know, unless the header is gone.
     */
    static boolean isWhole(String method, int status, Map<String, List<String>> headers, int bytes) {
        BodyLength length = headers.containsKey(HttpHeaders.CONTENT_ENCODING)
                ? null
                : BodyLength.of(method, status, headers.getOrDefault(HttpHeaders.CONTENT_LENGTH, List.of()));
        if (length == null) {
            return true;
        }
        length.add(bytes);
        try {
            length.end();
            return true;
        } catch (ProtocolException ofAnotherLength) {
            return false;
        }
    }

    /** All values of a header. In Framework 6 and 7, the methods for that have different signatures. */
    static List<String> all(HttpHeaders headers, String name) {
        return headers.getFirst(name) == null ? List.of() : map(headers).getOrDefault(name, List.of());
    }

    /** The headers, whatever the case of a name. */
    static Map<String, List<String>> map(HttpHeaders headers) {
        Map<String, List<String>> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        headers.forEach(all::put);
        return all;
    }
}
