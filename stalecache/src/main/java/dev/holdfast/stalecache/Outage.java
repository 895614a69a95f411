/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.internal.Causes;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Finds exceptions that surely mean that the dependency could not be reached, or did not answer in time. For pipelines
 * without a classifier. All other exceptions may be answers: most clients throw a 404.
 */
final class Outage {
    /** Kinds of {@link IOException} of well-known clients that carry the status of an answer. */
    private static final Set<String> ANSWERS = Set.of("HttpResponseException", "HttpStatusException");

    /** Outages in java.sql. */
    private static final Set<String> DATABASES =
            Set.of("SQLTransientConnectionException", "SQLNonTransientConnectionException", "SQLRecoverableException");

    /** How the JDK's own client tells a status, in a plain {@link IOException}. */
    private static final String JDK_ANSWER = "Server returned HTTP response code: 4";

    private Outage() {}

    /** Whether the error or one of its causes is surely an outage. */
    static boolean isSure(@Nullable Throwable error) {
        Throwable cause = error;
        for (int depth = 0; cause != null && depth < Causes.MOST; depth++) {
            if (cause instanceof IOException io) {
                return !isAnswer(io);
            }
            if (isOutage(cause)) {
                return true;
            }
            cause = Causes.of(cause);
        }
        return false;
    }

    private static boolean isOutage(Throwable error) {
        return error instanceof CallRejectedException
                || error instanceof CallTimeoutException
                || error instanceof RejectedExecutionException
                || isNamedLikeOne(error);
    }

    /** By name, because each library has its own class for a timeout, and java.sql may be missing. */
    private static boolean isNamedLikeOne(Throwable error) {
        for (Class<?> kind = error.getClass(); kind != null; kind = kind.getSuperclass()) {
            String name = kind.getSimpleName();
            if (name.endsWith("TimeoutException") || DATABASES.contains(name)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isStatus(IOException error) {
        try {
            String message = error.getMessage();
            return message != null && message.startsWith(JDK_ANSWER);
        } catch (Throwable broken) {
            // A user's exception may throw when its message is read.
            return false;
        }
    }

    private static boolean isAnswer(IOException error) {
        return error instanceof FileNotFoundException
                || error instanceof FileSystemException
                || ANSWERS.contains(error.getClass().getSimpleName())
                || isStatus(error);
    }
}
