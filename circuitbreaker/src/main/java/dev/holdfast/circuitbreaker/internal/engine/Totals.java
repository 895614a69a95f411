/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import dev.holdfast.internal.Checks;

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

    /**
     * Why this verdict, a sum of the bits of {@link Thresholds}: {@code 6 of 10 calls failed (60 %, limit 50 %)}.
     *
     * @param what calls, or probes
     */
    String says(int judged, Thresholds thresholds, String what) {
        boolean failing = (judged & Thresholds.FAILING) != 0;
        String failures = part(failed, calls, what + " failed", thresholds.failureRate());
        if ((judged & Thresholds.SLOW) == 0) {
            return failures;
        }
        // Running calls take the places of others, so that the numbers alone would not give the rate.
        String slowness = (slowRate < 0 ? slow + overdue + " of " + (calls + overdue) : percent(slowRate) + " % of the")
                + " " + what + " were slow (limit " + percent(thresholds.slowRate()) + " %)"
                + (overdue == 0 ? "" : ", " + overdue + " still running");
        return failing ? failures + "; " + slowness : slowness;
    }

    private static String part(int part, int of, String what, float limit) {
        String percent = of == 0 ? "" : percent(part * 100.0f / of) + " %, ";
        return part + " of " + of + " " + what + " (" + percent + "limit " + percent(limit) + " %)";
    }

    private static String percent(float rate) {
        return Checks.number(Math.round(rate * 10) / 10.0);
    }

    /** Why probes close the breaker. */
    String saysBelow() {
        return calls - failed + " of " + calls + " probes succeeded, " + slow + " were slow";
    }
}
