/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.reactor;

import java.util.Map;
import reactor.blockhound.BlockHound;
import reactor.blockhound.integration.BlockHoundIntegration;

/**
 * Tells BlockHound, which finds it by itself, what a pipeline may do on a thread that must not block: take a lock that is held for
 * a moment, give a task to its own threads, read a class once, after its first thousand calls, and tidy up its cache.
 * Your own functions are looked at as before.
 */
public final class HoldfastBlockHoundIntegration implements BlockHoundIntegration {
    /** Methods by their classes. */
    static final Map<String, String> ALLOWED = Map.of(
            "dev.holdfast.internal.ShortLock", "lock",
            "dev.holdfast.internal.engine.Threads$Pool", "execute",
            "dev.holdfast.internal.engine.StraightWay", "through",
            "com.github.benmanes.caffeine.cache.BoundedLocalCache", "performCleanUp");

    /** Made by BlockHound. */
    public HoldfastBlockHoundIntegration() {}

    @Override
    public void applyTo(BlockHound.Builder builder) {
        ALLOWED.forEach(builder::allowBlockingCallsInside);
    }
}
