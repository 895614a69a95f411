/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Reason;
import dev.holdfast.internal.Causes;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;

/** Tells from an error that the thread was interrupted. */
final class Interruption {
    private Interruption() {}

    /** Whether the error says so itself, on whatever thread it is looked at. */
    static boolean isItself(Throwable error) {
        return error instanceof InterruptedException || isOfAWait(error);
    }

    /**
     * Whether the action ended because its thread was interrupted. Clients wrap that in exceptions of theirs, and set the
     * flag again.
     */
    static boolean is(Throwable error) {
        return error instanceof InterruptedException
                || (Thread.currentThread().isInterrupted() && isCausedByInterrupt(error));
    }

    private static boolean isCausedByInterrupt(Throwable error) {
        Throwable cause = error;
        for (int i = 0; cause != null && i < Causes.MOST; i++, cause = Causes.of(cause)) {
            if (isItself(cause)
                    || cause instanceof ClosedByInterruptException
                    || (cause instanceof InterruptedIOException && !(cause instanceof SocketTimeoutException))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isOfAWait(Throwable cause) {
        return cause instanceof CallRejectedException rejection && rejection.reason() == Reason.INTERRUPTED;
    }
}
