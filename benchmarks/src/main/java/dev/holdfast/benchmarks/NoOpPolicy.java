/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.spi.Policy;

/** A policy that is asked on the way in and on the way out of every call, and has nothing to say. */
final class NoOpPolicy extends Policy {

    NoOpPolicy() {
        super("no-op", ENTER | SUCCESS | FAILURE);
    }

    /** So many policies, each an object of its own. */
    static Policy[] several(int count) {
        Policy[] policies = new Policy[count];
        for (int i = 0; i < count; i++) {
            policies[i] = new NoOpPolicy();
        }
        return policies;
    }
}
