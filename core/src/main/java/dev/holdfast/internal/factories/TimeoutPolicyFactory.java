/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.factories;

import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;

/** Makes the {@code timeout} of a configuration file. */
public final class TimeoutPolicyFactory extends LimitPolicyFactory {
    /** For the service loader. */
    public TimeoutPolicyFactory() {
        super("timeout", 800, Duration.ofSeconds(3), TimeoutPolicy::of, "time of everything inside this policy");
    }
}
