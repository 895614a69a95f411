/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The behaviour of an action in one attempt.
 *
 * @param stubborn whether it goes on although it is interrupted or cancelled
 */
record Step(
        Duration after, @Nullable Object value, @Nullable Throwable error, boolean stubborn) {

    /** A step of this duration does not end. */
    static final Duration FOR_EVER = Duration.ofNanos(Long.MAX_VALUE);

    static Step value(@Nullable Object value) {
        return new Step(Duration.ZERO, value, null, false);
    }

    static Step error(Throwable error) {
        return new Step(Duration.ZERO, null, error, false);
    }

    Step after(Duration time) {
        if (time.isNegative()) {
            throw new IllegalArgumentException("after is " + time + " but must not be negative");
        }
        return new Step(counted(time), value, error, stubborn);
    }

    /** More than can be counted in nanoseconds, 292 years, is for ever. */
    static Duration counted(Duration time) {
        return time.compareTo(FOR_EVER) > 0 ? FOR_EVER : time;
    }

    Step stubbornly() {
        return new Step(after, value, error, true);
    }
}
