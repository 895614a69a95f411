/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.CallRejectedException;
import dev.holdfast.internal.Causes;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/**
 * Tells from an error that the work was surely not done: the call was turned away locally, or no connection was made for it,
 * or TLS did not come to stand, without which nothing is sent, or a server that goes away has left the request out.
 * Everything else may have been sent, whatever it is called.
 */
public final class NotDone {
    /**
     * The message of the JDK's sockets if a connection was not made in time. A read says "Read timed out", and other libraries
     * use other words for both.
     */
    private static final String CONNECT_TIMED_OUT = "connect timed out";

    // By name, since they may not be there: one is in a module of its own, the others are Apache's clients'.
    private static final Set<String> NAMES = Set.of(
            "java.net.http.HttpConnectTimeoutException",
            "org.apache.http.conn.ConnectTimeoutException",
            "org.apache.hc.client5.http.ConnectTimeoutException",
            "org.apache.hc.core5.http.RequestNotExecutedException");

    private NotDone() {}

    /** Whether this error or one of its causes says so, and no other error that came with it says otherwise. */
    public static boolean surely(@Nullable Throwable error) {
        try {
            return isSaid(error);
        } catch (Throwable broken) {
            // A user's exception that throws when it is asked: then nothing is sure.
            return false;
        }
    }

    private static boolean isSaid(@Nullable Throwable error) {
        boolean said = false;
        Throwable cause = error;
        for (int i = 0; cause != null && i < Causes.MOST; i++, cause = Causes.of(cause)) {
            if (cameWithAnother(cause) || isOfASecondConnection(cause)) {
                return false;
            }
            said |= says(cause);
        }
        return said;
    }

    private static boolean says(Throwable error) {
        if (error instanceof CallRejectedException rejection) {
            return rejection.history().isEmpty();
        }
        return (error instanceof SocketTimeoutException && CONNECT_TIMED_OUT.equalsIgnoreCase(error.getMessage()))
                || error instanceof ConnectException
                || error instanceof UnknownHostException
                || error instanceof NoRouteToHostException
                || error instanceof UnresolvedAddressException
                || error instanceof SSLHandshakeException
                || error instanceof SSLPeerUnverifiedException
                || FullPools.isSaidBy(error)
                || Causes.isNamed(error, NAMES);
    }

    /**
     * The JDK's old client, {@code HttpURLConnection}, connects and sends again if no answer comes, even a POST, and does not
     * say so. Only the stack trace tells: if it was reading an answer, it had sent.
     */
    private static boolean isOfASecondConnection(Throwable error) {
        for (StackTraceElement frame : error.getStackTrace()) {
            if (frame.getClassName().equals("sun.net.www.http.HttpClient")
                    && frame.getMethodName().startsWith("parseHTTP")) {
                return true;
            }
        }
        return false;
    }

    /**
     * A client that retries by itself, such as OkHttp over a stale connection, adds the errors of earlier tries as suppressed.
     * The last try may not have connected, but the first may have sent everything.
     */
    private static boolean cameWithAnother(Throwable error) {
        for (Throwable other : error.getSuppressed()) {
            if (mayHaveSent(other)) {
                return true;
            }
        }
        return false;
    }

    /** Also in a wrapper, such as an {@code UncheckedIOException}. */
    private static boolean mayHaveSent(Throwable error) {
        boolean broken = false;
        Throwable cause = error;
        for (int i = 0; cause != null && i < Causes.MOST; i++, cause = Causes.of(cause)) {
            if (says(cause)) {
                return false;
            }
            broken |= cause instanceof IOException || cause instanceof TimeoutException;
        }
        return broken;
    }
}
