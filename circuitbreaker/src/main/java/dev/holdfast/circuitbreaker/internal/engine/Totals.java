/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

/**
 * The numbers of a window at one moment. Immutable.
 *
 * @param calls all calls
 * @param failed failed calls, slow or not
 * @param slow slow calls, failed or not
 * @param slowFailed calls that were both
 * @param overdue running calls that are slow already; not in the other numbers
 * @param failureRate percentage of failed calls; -1 while there are too few
 * @param slowRate percentage of slow calls, overdue ones included; -1 while there are too few
 */
public record Totals(int calls, int failed, int slow, int slowFailed, int overdue, float failureRate, float slowRate) {
    static final Totals NONE = new Totals(0, 0, 0, 0, 0, -1, -1);
}
