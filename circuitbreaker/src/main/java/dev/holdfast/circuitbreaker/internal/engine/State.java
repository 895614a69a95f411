/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import java.util.Locale;

/** The states, under the names that users and resilience4j have for them. */
public enum State {
    CLOSED,
    OPEN,
    HALF_OPEN,
    FORCED_OPEN,
    DISABLED,
    METRICS_ONLY;

    /** As it is called in metrics: {@code half_open}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether a call is let through without being asked anything. */
    boolean admitsAll() {
        return this == CLOSED || this == DISABLED || this == METRICS_ONLY;
    }

    /** By hand, as in resilience4j: METRICS_ONLY cannot become OPEN or HALF_OPEN; CLOSED cannot become HALF_OPEN. */
    public boolean allows(State to) {
        return switch (to) {
            case OPEN -> this != METRICS_ONLY;
            case HALF_OPEN -> this != METRICS_ONLY && this != CLOSED;
            case CLOSED, DISABLED, FORCED_OPEN, METRICS_ONLY -> true;
        };
    }
}
