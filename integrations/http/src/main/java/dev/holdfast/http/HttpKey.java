/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The key of a request in a cache: method, address, partition, and the headers that responses vary with. */
final class HttpKey {
    private static final String ENCODING = "accept-encoding";
    private static final String HOST = "host";
    private static final Pattern ENCODED = Pattern.compile("%([0-9A-Fa-f]{2})");
    private static final String UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    private static final Pattern WRITTEN = Pattern.compile("(?:[A-Za-z0-9._~-]+|\\[[0-9A-Fa-f:.]+])(?::[0-9]{1,5})?");

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
     * How often the resources of a client changed, as far as its own requests say (RFC 9111 §4.4): of each, what GET keeps of it,
     * and what HEAD does; and how often one may have changed. Keys of a time before a change are asked for no more. Several share a
     * number, so that there is a bound: then a response is forgotten that was good. A change of something for which no key was made
     * has nothing to forget: clients that ask by HEAD whether something exists get many a 404 for what they never read.
     */
    static final class Changes {
        private static final int NUMBERS = 1_024;

        private final AtomicReferenceArray<Shared> ofGet = numbers();
        /** Of its own: many ask by HEAD for what is not there, and their keys would crowd out those of GET. */
        private final AtomicReferenceArray<Shared> ofHead = numbers();

        /** Whatever the method. What was kept before is not gone, but it is not as good as new. */
        private final AtomicReferenceArray<Shared> doubts = numbers();

        /** Written before a key looks at its number: without a key, there is nothing to forget. */
        private volatile boolean used;

        private static AtomicReferenceArray<Shared> numbers() {
            Shared[] all = new Shared[NUMBERS];
            Arrays.fill(all, Shared.NEW);
            return new AtomicReferenceArray<>(all);
        }

        private AtomicReferenceArray<Shared> of(String method) {
            return method.equals("HEAD") ? ofHead : ofGet;
        }

        /**
         * A number, and what had keys since it last changed.
         *
         * @param hashes of addresses; null: too many, so that it may be any
         */
        @SuppressWarnings("ArrayRecordComponent") // compared by nobody
        private record Shared(int number, int @Nullable [] hashes) {
            private static final int MOST = 64;

            static final Shared NEW = new Shared(0, new int[0]);

            boolean mayHave(int hash) {
                for (int i = 0; hashes != null && i < hashes.length; i++) {
                    if (hashes[i] == hash) {
                        return true;
                    }
                }
                return hashes == null;
            }

            Shared with(int hash) {
                if (hashes == null || hashes.length == MOST) {
                    return new Shared(number, null);
                }
                int[] more = Arrays.copyOf(hashes, hashes.length + 1);
                more[hashes.length] = hash;
                return new Shared(number, more);
            }

            Shared changed() {
                return new Shared(number + 1, NEW.hashes);
            }
        }

        /** For a key. */
        private int changes(String method, int hash) {
            if (!used) {
                used = true;
            }
            return number(of(method), hash);
        }

        /** For a key, after that. */
        private int doubts(int hash) {
            return number(doubts, hash);
        }

        private boolean isInDoubt(int hash, int since) {
            return doubts.get(index(hash)).number() != since;
        }

        private static int number(AtomicReferenceArray<Shared> shared, int hash) {
            while (true) {
                Shared known = shared.get(index(hash));
                if (known.mayHave(hash)) {
                    return known.number();
                }
                shared.compareAndSet(index(hash), known, known.with(hash));
            }
        }

        boolean isUsed() {
            return used;
        }

        void changed(URI address) {
            changed("GET", address);
            changed("HEAD", address);
        }

        /** What is kept for requests with this method alone. */
        void changed(String method, URI address) {
            count(of(method), address);
        }

        /** It may have changed, and nobody knows. */
        void mayHaveChanged(URI address) {
            count(doubts, address);
        }

        private static void count(AtomicReferenceArray<Shared> shared, URI address) {
            int hash = plain(resource(HttpCalls.authority(address), address)).hashCode();
            while (true) {
                Shared known = shared.get(index(hash));
                if (!known.mayHave(hash) || shared.compareAndSet(index(hash), known, known.changed())) {
                    return;
                }
            }
        }

        private static int index(int hash) {
            return (hash ^ hash >>> 16) & NUMBERS - 1;
        }
    }

    /** Of the client. Several may share a pipeline, and its cache: each has its own responses, and its own changes. */
    private final Changes resources;

    private final String method;
    private final String authority;
    private final String uri;
    private final int changes;
    private final int hash;
    private final int doubts;
    private final @Nullable Object partition;
    private final List<String> names;
    private final List<List<String>> values;
    private final Varying varying;

    /** Of a request with these messages. */
    <Q> HttpKey(
            HttpMessages<Q, ?> messages, Q request, @Nullable Object partition, Varying varying, Changes resources) {
        this.resources = resources;
        method = messages.method(request);
        URI address = messages.uri(request);
        authority = HttpCalls.authority(address);
        uri = resource(authority, address);
        hash = plain(uri).hashCode();
        changes = resources.changes(method, hash);
        doubts = resources.doubts(hash);
        this.partition = partition;
        this.varying = varying;
        names = varying.names();
        values = new ArrayList<>(names.size());
        for (String name : names) {
            values.add(messages.requestHeaders(request, name));
        }
    }

    /** A fragment is the caller's own. Several hosts may share a pipeline, and its cache. */
    private static String resource(String authority, URI address) {
        String path = address.getRawPath();
        String query = address.getRawQuery();
        return authority + (path.isEmpty() ? "/" : path) + (query == null ? "" : "?" + query);
    }

    /** The same for all ways to write one address (RFC 3986 §6.2.2); also without a query that is empty, as clients send it. */
    private static String plain(String resource) {
        String written = resource.endsWith("?") ? resource.substring(0, resource.length() - 1) : resource;
        return written.indexOf('%') < 0
                ? written
                : ENCODED.matcher(written).replaceAll(found -> {
                    char decoded = (char) Integer.parseInt(found.group(1), 16);
                    return UNRESERVED.indexOf(decoded) >= 0
                            ? String.valueOf(decoded)
                            : found.group().toUpperCase(Locale.ROOT);
                });
    }

    /** Whether this is the address of the key, however it is written. */
    boolean isOf(URI address) {
        return address.getScheme() != null && plain(uri).equals(plain(resource(HttpCalls.authority(address), address)));
    }

    /** Whether the resource may have changed since this key was made, so that the response to its request may be older than that. */
    boolean isInDoubt() {
        return resources.isInDoubt(hash, doubts);
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
     * @param vary the lines of the response
     * @param sent all values of a header of the request as it was sent
     * @param encoded whether the client has left the response in an encoding
     */
    boolean heeds(List<String> vary, Function<String, List<String>> sent, boolean encoded) {
        Set<String> named = new TreeSet<>();
        for (String line : vary) {
            for (String name : line.toLowerCase(Locale.ROOT).split(",", -1)) {
                named.add(stripped(name));
            }
        }
        named.remove("");
        if (!named.stream().allMatch(name -> Tokens.isToken(name) && !name.equals("*"))) {
            return false;
        }
        if (names.containsAll(named)) {
            return named.stream()
                    .allMatch(name -> wasSent(name, sent.apply(name))
                            || (name.equals(ENCODING) && !encoded && isOfTheClient(sent.apply(name))));
        }
        varying.add(named);
        return false;
    }

    /** Of blanks as HTTP knows them: another white space is a part of a name, and no token. */
    private static String stripped(String name) {
        int begin = 0;
        int end = name.length();
        while (begin < end && (name.charAt(begin) == ' ' || name.charAt(begin) == '\t')) {
            begin++;
        }
        while (begin < end && (name.charAt(end - 1) == ' ' || name.charAt(end - 1) == '\t')) {
            end--;
        }
        return name.substring(begin, end);
    }

    /** Clients ask for gzip by themselves, with each request, and decode it: then the body is as it is without. */
    private static boolean isOfTheClient(List<String> encodings) {
        return encodings.stream().anyMatch(value -> value.contains("gzip"));
    }

    /** Whether this host of a request as it was sent, or none, is the one that the caller has asked. */
    boolean isOfHost(List<String> sent) {
        if (sent.isEmpty() || wasSent(HOST, sent)) {
            return true;
        }
        if (sent.size() > 1
                || !values.get(names.indexOf(HOST)).isEmpty()
                || !WRITTEN.matcher(sent.get(0)).matches()) {
            return false;
        }
        String scheme = authority.substring(0, authority.indexOf(':'));
        return HttpCalls.authority(URI.create(scheme + "://" + sent.get(0))).equals(authority);
    }

    private boolean wasSent(String name, List<String> all) {
        return values.get(names.indexOf(name)).equals(all);
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
