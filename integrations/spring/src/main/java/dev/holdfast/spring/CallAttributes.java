/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import java.util.Map;

/**
 * Attributes of a request that say what its method and body do not.
 *
 * <pre>{@code
 * client.post().uri("/search").attribute(CallAttributes.IDEMPOTENT, true).body(query).retrieve();
 * }</pre>
 */
public final class CallAttributes {
    /** The request may be done twice although it is a POST or PATCH: {@code true}. */
    public static final String IDEMPOTENT = "dev.holdfast.idempotent";

    /**
     * The body can be sent only once, such as a stream: {@code true}. The request is repeated only if no connection was made. A body
     * of WebClient may be a publisher that can be subscribed to only once, which nobody sees from outside.
     */
    public static final String SENT_ONCE = "dev.holdfast.sent-once";

    private static final String KEY = "Idempotency-Key";

    private CallAttributes() {}

    static boolean isSentOnce(Map<String, Object> attributes) {
        return Boolean.TRUE.equals(attributes.get(SENT_ONCE));
    }

    /** A request with the attribute is read like one with a key: both say the same. */
    static boolean standFor(String header, Map<String, Object> attributes) {
        return header.equals(KEY) && Boolean.TRUE.equals(attributes.get(IDEMPOTENT));
    }
}
