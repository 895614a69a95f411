/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.Reason;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** Limits how many calls run at once, without a queue: a policy as a user of the library writes one. */
public final class AtMostPolicy extends Policy {
    private final int most;
    private final AtomicInteger running = new AtomicInteger();

    public AtMostPolicy(int most) {
        super("at-most", ENTER | ENDED);
        this.most = most;
    }

    /** How many calls run now. */
    public int running() {
        return running.get();
    }

    @Override
    public int enter(Passage passage) {
        if (running.incrementAndGet() <= most) {
            return PROCEED;
        }
        running.decrementAndGet();
        String pipeline = passage.pipeline();
        return passage.reject(
                Reason.OTHER, -1, () -> "at-most of '" + pipeline + "' lets " + most + " calls run", null);
    }

    @Override
    public void ended(Passage passage) {
        running.decrementAndGet();
    }

    @Override
    public Map<String, Object> settingsMap() {
        return Map.of("most", most);
    }
}
