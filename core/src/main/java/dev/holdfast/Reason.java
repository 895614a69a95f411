/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

/** Why a call was turned away locally. */
public enum Reason {
    /** The circuit breaker lets nothing through just now. */
    CIRCUIT_OPEN,
    /** All permits of the bulkhead are out, and its queue is full or was waited in for too long. */
    BULKHEAD_FULL,
    /** Another call loads the same key already, and too many wait for its answer. */
    FLIGHT_FULL,
    /** The throttle would have to hold the call for longer than it may. */
    THROTTLED,
    /** The time of the call had passed, or would have passed before the dependency could be asked. */
    DEADLINE_EXCEEDED,
    /** The calling thread was interrupted while it waited. Its interrupt flag is set. */
    INTERRUPTED,
    /** The executor that the call had to go on with refused it. */
    EXECUTOR_FULL,
    /** The pipeline is closed. */
    CLOSED,
    /** Anything else, such as a policy that is not part of Holdfast; its message says why. */
    OTHER
}
