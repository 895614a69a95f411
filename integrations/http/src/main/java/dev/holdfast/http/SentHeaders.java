/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.net.http.HttpHeaders;
import java.util.AbstractMap;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * The headers of a request and those of its call, which replace the request's. {@link HttpHeaders#of} copies a map and asks it with
 * {@code forEach}: so this one holds no map of its own. For one thread.
 */
final class SentHeaders extends AbstractMap<String, List<String>> {
    private final HttpHeaders own;

    /** Names and values in turn. No list: each call pays for it. */
    private String[] ofCall = new String[6];

    private int length;

    SentHeaders(HttpHeaders own) {
        this.own = own;
    }

    /** Adds one of the call. Names differ. */
    void set(String name, String value) {
        if (length == ofCall.length) {
            ofCall = Arrays.copyOf(ofCall, 2 * length);
        }
        ofCall[length++] = name;
        ofCall[length++] = value;
    }

    HttpHeaders headers() {
        return length == 0 ? own : HttpHeaders.of(this, (name, value) -> true);
    }

    @Override
    public void forEach(BiConsumer<? super String, ? super List<String>> action) {
        for (int i = 0; i < length; i += 2) {
            // Asked with forEach, this list makes no iterator.
            action.accept(ofCall[i], Collections.singletonList(ofCall[i + 1]));
        }
        own.map().forEach((name, values) -> {
            if (!isOfCall(name)) {
                action.accept(name, values);
            }
        });
    }

    private boolean isOfCall(String name) {
        for (int i = 0; i < length; i += 2) {
            if (ofCall[i].equalsIgnoreCase(name)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public Set<Map.Entry<String, List<String>>> entrySet() {
        Map<String, List<String>> all = new TreeMap<>();
        forEach(all::put);
        return all.entrySet();
    }
}
