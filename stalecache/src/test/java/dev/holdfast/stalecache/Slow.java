/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.util.concurrent.TimeUnit;

/** A layer further in that makes every call wait for 100 ms. */
final class Slow extends Policy {

    Slow() {
        super("slow", ENTER);
    }

    @Override
    public int enter(Passage passage) {
        return passage.pause(TimeUnit.MILLISECONDS.toNanos(100));
    }
}
