/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.reactor;

import reactor.blockhound.BlockHound;
import reactor.blockhound.integration.BlockHoundIntegration;

/**
 * Tells BlockHound, which finds it by itself, what a pipeline may do on a thread that must not block: take a lock that is held for
 * a few instructions, and read a class once, after its first thousand calls. Your own functions are looked at as before.
 */
public final class HoldfastBlockHoundIntegration implements BlockHoundIntegration {

    /** Made by BlockHound. */
    public HoldfastBlockHoundIntegration() {}

    @Override
    public void applyTo(BlockHound.Builder builder) {
        builder.allowBlockingCallsInside("dev.holdfast.internal.ShortLock", "lock")
                .allowBlockingCallsInside("dev.holdfast.internal.engine.StraightWay", "through");
    }
}
