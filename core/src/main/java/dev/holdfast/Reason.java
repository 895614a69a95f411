/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

/** Why a call was rejected locally. */
public enum Reason {
    /** The circuit breaker is open, or half-open with enough probes. */
    CIRCUIT_OPEN,
    /**
     * The bulkhead has no permit: all are in use, or its adaptive limit makes a pause because nothing but losses came back. The
     * message says which.
     */
    BULKHEAD_FULL,
    /** Another call loads the same key, and too many calls wait for its answer. */
    FLIGHT_FULL,
    /**
     * The throttle would have to delay the call for too long, or the gate, because the dependency has asked for time; or the adaptive
     * throttle rejects a share of the calls, because too few were accepted.
     */
    THROTTLED,
    /** The time of the call was over, or would have been over before the dependency could be called. */
    DEADLINE_EXCEEDED,
    /** The calling thread was interrupted while it waited. Its interrupt flag is set if the call blocks. */
    INTERRUPTED,
    /**
     * The decorated function would have run on a thread where its partition differs. Register what the partition is read from as
     * a {@link dev.holdfast.spi.CallContext}.
     */
    WRONG_PARTITION,
    /** The executor on which the call had to continue refused it. */
    EXECUTOR_FULL,
    /** The pipeline is closed. */
    CLOSED,
    /** Anything else, such as a policy that is not part of Holdfast. The message says why. */
    OTHER
}
