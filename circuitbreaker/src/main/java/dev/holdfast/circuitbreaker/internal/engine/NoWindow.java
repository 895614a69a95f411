/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

/** The window of the states that remember nothing: disabled and forced open. */
final class NoWindow extends Window {
    NoWindow(Thresholds thresholds) {
        super(thresholds);
    }

    @Override
    int good(long now) {
        return Thresholds.UNDECIDED;
    }

    @Override
    int add(int kind, long now) {
        return Thresholds.UNDECIDED;
    }

    @Override
    int judge(long now) {
        return Thresholds.UNDECIDED;
    }

    @Override
    Totals look(long now) {
        return Totals.NONE;
    }
}
