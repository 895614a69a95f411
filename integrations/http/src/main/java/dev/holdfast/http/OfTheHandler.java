/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What the caller's handler throws, {@code send} has wrapped. To the pipeline it is what it is to {@code sendAsync}: no failure of
 * the service. To the caller it is what the client has made of it. For one call.
 */
final class OfTheHandler {
    private volatile @Nullable IOException wrapped;

    /** Throws what the handler has thrown; does nothing if this is something else. */
    void unwrap(Exception thrown) {
        if (thrown.getClass() == IOException.class
                && thrown.getCause() instanceof RuntimeException own
                && !HttpClassifier.isOfTheNetwork(own)) {
            wrapped = (IOException) thrown;
            throw own;
        }
    }

    /** Throws what the client has made of this; does nothing if it is something else. */
    void wrap(RuntimeException own) throws IOException {
        IOException as = wrapped;
        if (as != null && as.getCause() == own) {
            throw as;
        }
    }
}
