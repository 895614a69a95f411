/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.Random;

/** Calls that come at random, independently of each other and of how the earlier ones fare. */
final class Arrivals {
    private final VirtualTime time;
    private final Random random;

    Arrivals(VirtualTime time, long seed) {
        this.time = time;
        random = new Random(seed);
    }

    /** Lets so many seconds pass, and says how many calls have come in them. */
    int come(double perSecond, int seconds, Runnable call) {
        long start = time.nanos();
        long after = 0;
        int calls = 0;
        while (after < Duration.ofSeconds(seconds).toNanos()) {
            after += (long) (-Math.log(1 - random.nextDouble()) / perSecond * 1e9);
            time.schedule(after, call);
            calls++;
        }
        // In one go. If the test's thread went from call to call, it would have to be woken for each.
        time.advance(Duration.ofNanos(after - (time.nanos() - start)));
        return calls;
    }
}
