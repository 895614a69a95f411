/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.factories;

import dev.holdfast.deadline.DeadlinePolicy;
import java.time.Duration;

/** Makes the {@code deadline} of a configuration file. */
public final class DeadlinePolicyFactory extends LimitPolicyFactory {
    /** For the service loader. */
    public DeadlinePolicyFactory() {
        super("deadline", 100, Duration.ofSeconds(10), DeadlinePolicy::of, "time of the whole call");
    }
}
