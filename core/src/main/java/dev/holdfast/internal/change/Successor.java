/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.change;

import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.engine.AnswerTimes;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;

/** A policy in the place of another one of its kind, from which it takes over. */
public final class Successor {
    private static final SafeLog LOG = SafeLog.of("dev.holdfast");

    private Successor() {}

    /** The policy takes over what it can. If its code throws, it begins anew, which is logged. */
    public static void takeOver(String pipeline, Policy policy, Policy previous) {
        AnswerTimes.takeOver(policy, previous);
        try {
            if (policy instanceof ShadowPolicy) {
                policy.takeOver(previous);
            } else if (policy != ShadowPolicy.inside(previous)) {
                policy.takeOver(ShadowPolicy.inside(previous));
            }
        } catch (Throwable broken) { // also a checked exception of a language that has none
            LOG.warn(
                    "pipeline '" + pipeline + "': " + policy.name() + " begins anew, since it could not take over",
                    broken);
        }
    }
}
