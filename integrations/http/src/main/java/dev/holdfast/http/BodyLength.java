/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.net.ProtocolException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Counts the bytes of a body, and says at its end whether they are as many as its {@code Content-Length} says. With HTTP/2 and later the
 * end of a stream is the end of the body, and clients do not compare the two: a body that breaks off then looks like a whole one (RFC
 * 9113 §8.1.1). HTTP/1.1 needs none of this: there the client itself ends a body by its length, or the body has none that counts.
 * For adapters of HTTP clients, which count what comes from the network, before anything is decoded. For one body; not safe for
 * threads at the same time.
 */
public final class BodyLength {
    private static final int NO_CONTENT = 204;
    private static final int NOT_MODIFIED = 304;

    private final List<String> said;
    private long came;

    private BodyLength(List<String> said) {
        this.said = said;
    }

    /**
     * For the body of this response; null if it may have any length. The length of a response to {@code HEAD} and of a 304 is that of
     * another one's body, and a 204 has none.
     *
     * @param contentLength all lines of the header
     */
    public static @Nullable BodyLength of(String method, int status, List<String> contentLength) {
        boolean counts =
                !contentLength.isEmpty() && status != NO_CONTENT && status != NOT_MODIFIED && !method.equals("HEAD");
        return counts ? new BodyLength(contentLength) : null;
    }

    /** So many bytes more have come. */
    public void add(long bytes) {
        came += bytes;
    }

    /**
     * The body is at its end. What is no number is for the client to judge.
     *
     * @throws ProtocolException if the body is shorter or longer than the header says, or than one of its values if there are several
     */
    public void end() throws ProtocolException {
        for (String line : said) {
            for (String written : line.split(",", -1)) {
                if (!isRight(written.strip())) {
                    throw new ProtocolException(came + " bytes came of a body with Content-Length " + line);
                }
            }
        }
    }

    private boolean isRight(String length) {
        try {
            return Long.parseLong(length) == came;
        } catch (NumberFormatException malformed) {
            return true;
        }
    }
}
