/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import java.time.Duration;

/**
 * What a dependency does in one attempt.
 *
 * @param value what it answers, unless {@code error} is there
 * @param stubborn whether it goes on although it is interrupted or its future is cancelled
 */
public record Step(Duration after, Object value, Throwable error, boolean stubborn) {

    public static Step value(Object value) {
        return new Step(Duration.ZERO, value, null, false);
    }

    public static Step error(Throwable error) {
        return new Step(Duration.ZERO, null, error, false);
    }

    public Step after(long millis) {
        return new Step(Duration.ofMillis(millis), value, error, stubborn);
    }

    public Step stubbornly() {
        return new Step(after, value, error, true);
    }
}
