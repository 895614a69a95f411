/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;

/**
 * The key of a request in a cache: method, address, partition, and the headers that responses vary with. It carries the request
 * itself, so that the cache can send it again.
 */
final class HttpKey<Q> {
    /**
     * The headers that responses of one pipeline vary with, in lower case. Grows as responses say so; those that came before one
     * said so are not kept under a key that lacks it.
     */
    static final class Varying {
        private static final int MOST = 16;

        private volatile List<String> names = List.of("accept", "accept-encoding", "accept-language");

        List<String> names() {
            return names;
        }

        private synchronized void add(Set<String> more) {
            Set<String> all = new TreeSet<>(names);
            all.addAll(more);
            if (all.size() <= MOST) {
                names = List.copyOf(all);
            }
        }
    }

    /**
     * How often the resources of a client changed, as far as its own requests say (RFC 9111 §4.4). Keys of a time before a change are
     * asked for no more. Several addresses share a number, so that there is a bound: then a response is forgotten that was good.
     */
    static final class Changes {
        private static final int NUMBERS = 1_024;

        private final AtomicIntegerArray counts = new AtomicIntegerArray(NUMBERS);

        private int of(String uri) {
            return counts.get(index(uri));
        }

        void changed(URI address) {
            counts.incrementAndGet(index(resource(address)));
        }

        private static int index(String uri) {
            int hash = uri.hashCode();
            return (hash ^ hash >>> 16) & NUMBERS - 1;
        }
    }

    private final String method;
    private final String uri;
    private final int changes;
    private final @Nullable Object partition;
    private final List<String> names;
    private final List<List<String>> values;
    private final Varying varying;
    private final Q request;

    /** Of a request with these messages. */
    HttpKey(HttpMessages<Q, ?> messages, Q request, @Nullable Object partition, Varying varying, Changes resources) {
        method = messages.method(request);
        uri = resource(messages.uri(request));
        changes = resources.of(uri);
        this.partition = partition;
        this.varying = varying;
        this.request = request;
        names = varying.names();
        values = new ArrayList<>(names.size());
        for (String name : names) {
            values.add(messages.requestHeaders(request, name));
        }
    }

    /** A fragment is the caller's own. Several hosts may share a pipeline, and its cache. */
    private static String resource(URI address) {
        String query = address.getRawQuery();
        return HttpCalls.authority(address) + address.getRawPath() + (query == null ? "" : "?" + query);
    }

    Q request() {
        return request;
    }

    @Nullable
    Object partition() {
        return partition;
    }

    /** Whether a response that varies with these headers belongs to this key alone. If not, later keys heed them. */
    boolean heeds(@Nullable String vary) {
        if (vary == null) {
            return true;
        }
        Set<String> missing = new TreeSet<>();
        for (String name : vary.toLowerCase(Locale.ROOT).split(",", -1)) {
            missing.add(name.strip());
        }
        missing.remove("");
        missing.removeAll(names);
        if (missing.isEmpty()) {
            return true;
        }
        if (!missing.contains("*")) {
            varying.add(missing);
        }
        return false;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof HttpKey<?> key
                && method.equals(key.method)
                && uri.equals(key.uri)
                && changes == key.changes
                && Objects.equals(partition, key.partition)
                && names.equals(key.names)
                && values.equals(key.values);
    }

    @Override
    public int hashCode() {
        return Objects.hash(method, uri, changes, partition, values);
    }

    @Override
    public String toString() {
        return method + " " + uri;
    }
}
