/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.CallRejectedException;
import dev.holdfast.internal.Causes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the caller's handler throws, {@code send} has wrapped. To the pipeline it is what it is to {@code sendAsync}: no failure of
 * the service. To the caller it is what the client has made of it. For one call, of which several attempts may run at once.
 */
final class OfTheHandler {
    /** Of all attempts: the last one to fail need not be the one whose error the caller gets. Guarded by this. */
    private @Nullable List<IOException> wrapped;

    /**
     * Throws what the handler has thrown; does nothing if this is something else, or the rejection of another pipeline: that would say
     * that nothing was sent.
     */
    void unwrap(Exception thrown, SentRequest sent) throws IOException {
        Throwable own = thrown.getCause();
        if (thrown.getClass() == IOException.class
                && own != null
                && !(own instanceof InterruptedException) // to the pipeline, one of the caller
                && !HttpClassifier.isOfTheNetwork(own)
                && !isRejection(own)) {
            add((IOException) thrown);
            sent.mark(own);
            throw Causes.asItIs(own);
        }
    }

    /** Whether this is a rejection, also as a cause. */
    static boolean isRejection(Throwable error) {
        Throwable cause = error;
        for (int i = 0; cause != null && i < Causes.MOST; i++, cause = Causes.of(cause)) {
            if (cause instanceof CallRejectedException) {
                return true;
            }
        }
        return false;
    }

    private synchronized void add(IOException thrown) {
        if (wrapped == null) {
            wrapped = new ArrayList<>();
        }
        wrapped.add(thrown);
    }

    /** Throws what the client has made of this; does nothing if it is something else. */
    synchronized void wrap(Throwable own) throws IOException {
        for (IOException as : wrapped == null ? List.<IOException>of() : wrapped) {
            if (as.getCause() == own) {
                throw as;
            }
        }
    }
}
