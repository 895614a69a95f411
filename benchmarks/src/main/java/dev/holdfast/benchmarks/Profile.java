/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

/**
 * What the JVM has seen before the measurement. A JVM that has run one pipeline only inlines it whole, which no service's
 * JVM does: POLLUTED has run eight, each in another order, some of whose calls fail.
 */
public enum Profile {
    CLEAN,
    POLLUTED
}
