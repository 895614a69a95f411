/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

/** What is the matter with the stock service. */
enum Condition {
    /** Right answers, in the usual time. */
    HEALTHY("healthy"),
    /** Right answers, each taking many times as long, so that the workers cannot keep up with the load. */
    SLOW("slow"),
    /** Each request is worked on and answered with 500. */
    FAILING("failing"),
    /** Each request is turned away with 503 and {@code Retry-After: 1}. */
    PUSHBACK("pushback"),
    /** A quarter of the requests hangs for four seconds, and keeps its worker for as long, whether or not its caller waits. */
    HANGING("hanging"),
    /** The process is gone: open connections are cut, new ones refused. */
    GONE("gone");

    private final String label;

    Condition(String label) {
        this.label = label;
    }

    String label() {
        return label;
    }

    boolean ill() {
        return this != HEALTHY;
    }
}
