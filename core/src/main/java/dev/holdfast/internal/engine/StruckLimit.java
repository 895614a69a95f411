/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.Causes;
import dev.holdfast.internal.Timeouts;
import dev.holdfast.spi.TimeSource;
import java.util.Set;

/**
 * A limit that ended a call and was not set by a policy of its pipeline. An outer call looks for it in the error of an inner
 * call. So it knows whether its own limit was the cause, and reports that.
 *
 * @param at when it struck
 * @param reserve by how much that is before the limit of the outer call
 */
record StruckLimit(TimeSource time, long at, long reserve) {
    /** Clients count in milliseconds, and round. */
    private static final long CLOSE_NANOS = 2_000_000;

    // By name, since they may not be there.
    private static final Set<String> GRPC = Set.of("io.grpc.StatusRuntimeException", "io.grpc.StatusException");

    /** Whether this error, or one that caused it, comes from the limit of this call. */
    static boolean of(CallState call, Throwable error) {
        Throwable cause = error;
        for (int i = 0; cause != null && i < Causes.MOST; i++, cause = Causes.of(cause)) {
            AttemptEnds ends = AttemptEnds.of(cause);
            if (ends != null && ends.limit != null && ends.limit.isOf(call)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether a client has given up at the limit of this call by itself. It does so if it takes the remaining time as its
     * timeout.
     */
    static boolean isReachedBy(CallState call, Throwable error) {
        return call.limited
                && call.limitAt - call.now() <= Math.max(CLOSE_NANOS, call.actionNanos / 10)
                && isTimeout(error);
    }

    private static boolean isTimeout(Throwable error) {
        Throwable cause = error;
        for (int i = 0; cause != null && i < Causes.MOST; i++, cause = Causes.of(cause)) {
            if (Timeouts.isOne(cause) || (Causes.isNamed(cause, GRPC) && saysItsDeadline(cause))) {
                return true;
            }
        }
        return false;
    }

    /** gRPC's message begins with its status. */
    private static boolean saysItsDeadline(Throwable error) {
        try {
            return String.valueOf(error.getMessage()).startsWith("DEADLINE_EXCEEDED");
        } catch (Throwable broken) {
            return false;
        }
    }

    private boolean isOf(CallState call) {
        return call.limited && call.limitAt == at + reserve && call.time() == time && call.now() - at >= 0;
    }
}
