/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import static org.assertj.core.api.Assertions.assertThat;

/** What is asked of every client with Holdfast's defaults. */
final class Recovered {
    private static final int WITHIN_SECONDS = 20;
    private static final double MOST_ATTEMPTS = 1.2;

    private Recovered() {}

    static void check(String run, Trial trial) {
        String told = run + ": " + trial;
        assertThat(trial.before()).as(told).isGreaterThan(Trial.BACK);
        assertThat(trial.recovery()).as(told).isPresent();
        assertThat(trial.recovery().getAsInt()).as(told).isLessThanOrEqualTo(WITHIN_SECONDS);
        assertThat(trial.amplification()).as(told).isLessThanOrEqualTo(MOST_ATTEMPTS);
    }
}
