/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

/**
 * A stretch of the run in which the stock service is in one condition.
 *
 * @param startNanos since the start of the run, inclusive
 * @param endNanos since the start of the run, exclusive
 */
record Phase(String name, Condition condition, long startNanos, long endNanos) {
    boolean ill() {
        return condition.ill();
    }

    long nanos() {
        return endNanos - startNanos;
    }
}
