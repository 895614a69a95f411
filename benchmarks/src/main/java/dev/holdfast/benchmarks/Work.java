/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

/** What is put around a call. Each library builds it from its own parts; the settings are those of {@link Policies}. */
enum Work {
    RETRY,
    BREAKER,
    /** The circuit breaker with a time window. */
    TIMED_BREAKER,
    /** A circuit breaker that has opened: what is measured is its refusal. */
    OPEN_BREAKER,
    THROTTLE,
    BULKHEAD,
    /** A timeout for the attempt and a deadline for the call. */
    LIMITS,
    /** A call in a thread's deadline. */
    INHERITED,
    /** A call inside the call of another pipeline, which has a deadline. */
    NESTED,
    /** Retry, circuit breaker, throttle, bulkhead. */
    FOUR,
    /** The four around a future. */
    FOUR_ASYNC,
    /** The four, a timeout inside and a deadline around them. */
    SIX
}
