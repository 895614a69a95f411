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
 * Which exceptions surely mean that the dependency could not be reached, or did not answer in time, where nobody has said
 * what answers mean. All others may be answers: a 404 is thrown by most clients.
 */
final class Outage {
    /** Kinds of {@link IOException} of well-known clients that carry the status of an answer. */
    private static final Set<String> ANSWERS = Set.of("HttpResponseException", "HttpStatusException");

    /** Of java.sql. */
    private static final Set<String> DATABASES =
            Set.of("SQLTransientConnectionException", "SQLNonTransientConnectionException", "SQLRecoverableException");

    /** How the JDK's own client tells a status, in a plain {@link IOException}. */
    private static final String JDK_ANSWER = "Server returned HTTP response code: 4";

    private Outage() {}

    /** Whether the error, or what it was made of, says so. */
    static boolean isSure(@Nullable Throwable error) {
        Throwable cause = error;
        for (int depth = 0; cause != null && depth < Causes.MOST; depth++) {
            if (cause instanceof IOException io) {
                return !isAnswer(io);
            }
            if (says(cause)) {
                return true;
            }
            cause = Causes.of(cause);
        }
        return false;
    }

    private static boolean says(Throwable error) {
        return error instanceof CallRejectedException
                || error instanceof CallTimeoutException
                || error instanceof RejectedExecutionException
                || isNamedSo(error);
    }

    /** Each library has a class of its own for a timeout, and java.sql need not be there. */
    private static boolean isNamedSo(Throwable error) {
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
            // An exception of the user's that throws where it is asked something.
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
