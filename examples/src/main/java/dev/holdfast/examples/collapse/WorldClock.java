/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** A world's time for libraries that take a {@link Clock}. It begins at the epoch. */
final class WorldClock extends Clock {
    private final World world;

    WorldClock(World world) {
        this.world = world;
    }

    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        throw new UnsupportedOperationException("is for libraries that ask for an instant");
    }

    @Override
    public Instant instant() {
        return Instant.EPOCH.plusNanos((long) (world.now() * 1e9));
    }
}
