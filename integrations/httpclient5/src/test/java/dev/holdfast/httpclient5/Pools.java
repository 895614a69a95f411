/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import java.time.Duration;
import org.apache.hc.core5.pool.ConnPoolControl;

/** Whether connections leak. */
final class Pools {
    private Pools() {}

    /** Waits, for a minute at most, until nobody has or wants a connection. */
    static boolean isIdle(ConnPoolControl<?> pool) {
        long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (pool.getTotalStats().getLeased() + pool.getTotalStats().getPending() > 0) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            Thread.onSpinWait();
        }
        return true;
    }
}
