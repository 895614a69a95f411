/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.io.InterruptedIOException;
import java.util.Set;
import java.util.concurrent.TimeoutException;

/** The errors of clients that say that a time is over. */
public final class Timeouts {
    // By name, since they may not be there. java.net.http has one of its own for connections, which extends the other.
    private static final Set<String> NAMES = Set.of(
            "java.net.http.HttpTimeoutException",
            "java.sql.SQLTimeoutException",
            "org.apache.http.conn.ConnectTimeoutException",
            "org.apache.hc.core5.http.ConnectionRequestTimeoutException",
            "io.netty.handler.timeout.TimeoutException",
            "io.netty.channel.ConnectTimeoutException");

    private Timeouts() {}

    /** Whether this error is a timeout; its causes are not asked. */
    public static boolean isOne(Throwable error) {
        return error instanceof InterruptedIOException // SocketTimeoutException is one
                || error instanceof TimeoutException
                || Causes.isNamed(error, NAMES);
    }
}
