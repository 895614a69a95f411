/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.Policy;
import java.util.List;

/** A policy around another one. What a pipeline knows of the other one, it knows of both. */
public interface AroundPolicy {
    Policy policy();

    /** Whether it does in each call what the other one does, as a spy. Then the pipeline takes it for the other one. */
    default boolean onlyLooks() {
        return false;
    }

    /** The policy that somebody only looks at, or this one itself. */
    static Policy behind(Policy policy) {
        Policy found = policy;
        while (found instanceof AroundPolicy around && around.onlyLooks()) {
            found = around.policy();
        }
        return found;
    }

    /** The policy inside all that are around it, also if it is in shadow; or this one itself. */
    static Policy innermost(Policy policy) {
        Policy found = policy;
        while (found instanceof AroundPolicy around) {
            found = around.policy();
        }
        return found;
    }

    /** {@link #behind(Policy)} for all policies of a pipeline. */
    static List<Policy> behind(List<Policy> policies) {
        return policies.stream().map(AroundPolicy::behind).toList();
    }
}
