/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.internal.Causes;
import java.io.IOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/**
 * Says of what an attempt throws that its request was sent before. A connection that was refused or the rejection of a pipeline says
 * that nothing was done, but it may be that of a redirect, or of another service that an interceptor below the adapter has called.
 * For adapters of HTTP clients: everything that an attempt throws after its request was begun on a connection goes through here,
 * and what the caller gets goes through {@link #original}.
 */
public final class AlreadySent {
    private AlreadySent() {}

    /**
     * The exception with which a future ends, with a suppressed one that says so. If neither it nor a cause takes suppressed ones, as
     * rejections do not, an exception around it. A pipeline looks through a {@code CompletionException}, and so does this.
     */
    public static Throwable marked(Throwable thrown) {
        return withMark(unwrapped(thrown));
    }

    private static Throwable unwrapped(Throwable thrown) {
        Throwable error = thrown;
        for (int i = 0; i < Causes.MOST && isOfFutures(error); i++) {
            Throwable cause = Causes.of(error);
            if (cause == null) {
                break;
            }
            error = cause;
        }
        return error;
    }

    private static boolean isOfFutures(Throwable error) {
        return error instanceof CompletionException || error instanceof ExecutionException;
    }

    private static Throwable withMark(Throwable thrown) {
        Throwable cause = thrown;
        for (int i = 0; cause != null && i < Causes.MOST; i++, cause = Causes.of(cause)) {
            if (takesMark(cause)) {
                return thrown;
            }
        }
        // What nobody takes for a sign that nothing was done stays as it is.
        boolean needsMark = OfTheHandler.isRejection(thrown) || HttpClassifier.isOfTheNetwork(thrown);
        return needsMark ? new Around(thrown) : thrown;
    }

    /** The same of an exception that is thrown: throws that around it, if it needs one. */
    public static void mark(Throwable thrown) throws IOException {
        if (withMark(thrown) instanceof Around around) {
            throw around;
        }
    }

    /**
     * As {@link #marked}, of what a client says of an answer that it cannot read. Whatever its type is, to {@link HttpClassifier}
     * it is an exception of the network, unless it tells of a circle of redirects.
     */
    public static Throwable unreadable(Throwable thrown) {
        Throwable error = unwrapped(thrown);
        if (!HttpClassifier.isOfTheNetwork(error) && !isUnreadable(error)) {
            error.addSuppressed(new Unreadable());
            if (!isUnreadable(error)) {
                return new Around(error);
            }
        }
        return withMark(error);
    }

    /** The same of an exception that is thrown: throws that around it, if it needs one. */
    public static void markUnreadable(Throwable thrown) throws IOException {
        if (unreadable(thrown) instanceof Around around) {
            throw around;
        }
    }

    /** What was thrown in the attempt. */
    public static Throwable original(Throwable thrown) {
        return thrown instanceof Around around ? around.thrown : thrown;
    }

    /** One mark is enough: an interceptor may throw the same exception each time. */
    private static boolean takesMark(Throwable error) {
        if (!isMarked(error)) {
            error.addSuppressed(new Mark());
        }
        return isMarked(error);
    }

    private static boolean isMarked(Throwable error) {
        return has(error, Mark.class);
    }

    /** Whether this is what a client says of an answer that it cannot read. */
    static boolean isUnreadable(Throwable error) {
        return has(error, Unreadable.class);
    }

    private static boolean has(Throwable error, Class<? extends Mark> mark) {
        for (Throwable other : error.getSuppressed()) {
            if (mark.isInstance(other)) {
                return true;
            }
        }
        return false;
    }

    private static class Mark extends IOException {
        private static final long serialVersionUID = 1;

        Mark() {
            this("the request was sent before this happened, or may have been");
        }

        Mark(String message) {
            super(message);
        }
    }

    private static final class Unreadable extends Mark {
        private static final long serialVersionUID = 1;

        Unreadable() {
            super("the client could not read the answer");
        }
    }

    private static final class Around extends IOException {
        private static final long serialVersionUID = 1;

        private final Throwable thrown;

        Around(Throwable thrown) {
            super(thrown.getMessage(), thrown);
            this.thrown = thrown;
            addSuppressed(new Mark());
        }
    }
}
