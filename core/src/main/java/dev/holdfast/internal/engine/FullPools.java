/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Set;

/** What HTTP clients throw where they have no connection, stream or thread to give: nothing is sent, whatever the dependency does. */
final class FullPools {
    /** By name, since they may not be there. Apache's asynchronous pool throws the third, and nothing else of Apache's does. */
    private static final Set<String> NAMES = Set.of(
            "org.apache.http.conn.ConnectionPoolTimeoutException",
            "org.apache.hc.core5.http.ConnectionRequestTimeoutException",
            "org.apache.hc.core5.util.DeadlineTimeoutException",
            "reactor.netty.internal.shaded.reactor.pool.PoolAcquireTimeoutException",
            "reactor.netty.internal.shaded.reactor.pool.PoolAcquirePendingLimitException");

    private FullPools() {}

    static boolean isSaidBy(Throwable error) {
        return NAMES.contains(error.getClass().getName()) || isOfOkHttp(error) || isOfTheJdk(error);
    }

    /** OkHttp says so where the executor of its dispatcher is shut down or refuses a request; it has no type of its own for that. */
    private static boolean isOfOkHttp(Throwable error) {
        return error instanceof InterruptedIOException && "executor rejected".equals(error.getMessage());
    }

    /** java.net.http has one connection for a host with HTTP/2, and opens no more streams there than the host allows. */
    private static boolean isOfTheJdk(Throwable error) {
        return error.getClass() == IOException.class && "too many concurrent streams".equals(error.getMessage());
    }
}
