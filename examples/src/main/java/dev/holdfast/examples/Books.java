/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

/** What was counted of one side. */
interface Books {
    /** What its customers saw. */
    Scoreboard answers();

    /** What reached its stock service. */
    CallLog calls();
}
