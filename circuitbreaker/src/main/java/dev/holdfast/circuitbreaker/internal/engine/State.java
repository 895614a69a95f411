/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import java.util.Locale;

/** The states, with the same names as for users and in resilience4j. */
public enum State {
    CLOSED,
    OPEN,
    HALF_OPEN,
    FORCED_OPEN,
    DISABLED,
    METRICS_ONLY;

    /** The name in metrics: {@code half_open}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether every call is allowed. */
    boolean admitsAll() {
        return this == CLOSED || this == DISABLED || this == METRICS_ONLY;
    }

    /**
     * Whether a manual change is allowed. As in resilience4j, METRICS_ONLY cannot become OPEN or HALF_OPEN, nor CLOSED
     * HALF_OPEN.
     */
    public boolean allows(State to) {
        return switch (to) {
            case OPEN -> this != METRICS_ONLY;
            case HALF_OPEN -> this != METRICS_ONLY && this != CLOSED;
            case CLOSED, DISABLED, FORCED_OPEN, METRICS_ONLY -> true;
        };
    }
}
