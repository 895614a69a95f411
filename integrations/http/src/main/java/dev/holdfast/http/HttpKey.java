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
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The key of a request in a cache: method, address, partition, and the headers that responses vary with. */
final class HttpKey {
    private static final String ENCODING = "accept-encoding";
    private static final String HOST = "host";

    /**
     * The headers that responses of one pipeline vary with, in lower case. Grows as responses say so; those that came before one
     * said so are not kept under a key that lacks it.
     */
    static final class Varying {
        private static final int MOST = 16;

        private volatile List<String> names = List.of("accept", ENCODING, "accept-language", HOST);

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

        /** Written before a key looks at its number: without a key, there is nothing to forget. */
        private volatile boolean used;

        private int of(String uri) {
            if (!used) {
                used = true;
            }
            return counts.get(index(uri));
        }

        boolean isUsed() {
            return used;
        }

        void changed(URI address) {
            counts.incrementAndGet(index(resource(address)));
        }

        private static int index(String uri) {
            int hash = uri.hashCode();
            return (hash ^ hash >>> 16) & NUMBERS - 1;
        }
    }

    /** Of the client. Several may share a pipeline, and its cache: each has its own responses, and its own changes. */
    private final Changes resources;

    private final String method;
    private final String authority;
    private final String uri;
    private final int changes;
    private final @Nullable Object partition;
    private final List<String> names;
    private final List<List<String>> values;
    private final Varying varying;

    /** Of a request with these messages. */
    <Q> HttpKey(
            HttpMessages<Q, ?> messages, Q request, @Nullable Object partition, Varying varying, Changes resources) {
        this.resources = resources;
        method = messages.method(request);
        authority = HttpCalls.authority(messages.uri(request));
        uri = resource(messages.uri(request));
        changes = resources.of(uri);
        this.partition = partition;
        this.varying = varying;
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

    boolean isHead() {
        return method.equals("HEAD");
    }

    @Nullable
    Object partition() {
        return partition;
    }

    /**
     * Whether a response that varies with these headers belongs to this key alone. If not, later keys heed them. What the client
     * itself has put into the request, the key does not know.
     *
     * @param sent the first value of a header of the request as it was sent
     * @param encoded whether the client has left the response in an encoding
     */
    boolean heeds(@Nullable String vary, Function<String, @Nullable String> sent, boolean encoded) {
        if (vary == null) {
            return true;
        }
        Set<String> missing = new TreeSet<>();
        for (String name : vary.toLowerCase(Locale.ROOT).split(",", -1)) {
            missing.add(name.strip());
        }
        missing.remove("");
        Set<String> known = new TreeSet<>(missing);
        known.retainAll(names);
        missing.removeAll(names);
        if (missing.isEmpty()) {
            return known.stream()
                    .allMatch(name -> wasSent(name, sent.apply(name))
                            || (name.equals(ENCODING) && !encoded && isOfTheClient(sent.apply(name))));
        }
        if (!missing.contains("*")) {
            varying.add(missing);
        }
        return false;
    }

    /** Clients ask for gzip by themselves, with each request, and decode it: then the body is as it is without. */
    private static boolean isOfTheClient(@Nullable String encodings) {
        return encodings != null && encodings.contains("gzip");
    }

    /** Whether this host of a request as it was sent, or none, is the one that the caller has asked. */
    boolean isOfHost(@Nullable String sent) {
        if (sent == null || wasSent(HOST, sent)) {
            return true;
        }
        try {
            String scheme = authority.substring(0, authority.indexOf(':'));
            return values.get(names.indexOf(HOST)).isEmpty()
                    && HttpCalls.authority(URI.create(scheme + "://" + sent)).equals(authority);
        } catch (IllegalArgumentException malformed) {
            return false;
        }
    }

    private boolean wasSent(String name, @Nullable String value) {
        List<String> own = values.get(names.indexOf(name));
        return Objects.equals(own.isEmpty() ? null : own.get(0), value);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof HttpKey key
                && resources == key.resources
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
