/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.Reason;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.util.concurrent.Semaphore;

/** Limits how many calls run at once by a semaphore that other code may use, too: a policy that blocks. */
public final class SemaphorePolicy extends Policy {
    private final Semaphore permits;

    public SemaphorePolicy(Semaphore permits) {
        super("semaphore", ENTER | ENDED);
        this.permits = permits;
    }

    @Override
    public int enter(Passage passage) {
        try {
            permits.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return passage.reject(Reason.INTERRUPTED, -1, () -> "interrupted in the wait for a permit", null);
        }
        passage.slot(1);
        return passage.pause(0);
    }

    @Override
    public void abandon(Passage passage) {
        giveBack(passage);
    }

    @Override
    public void ended(Passage passage) {
        giveBack(passage);
    }

    private void giveBack(Passage passage) {
        if (passage.slot() == 1) {
            passage.slot(0);
            permits.release();
        }
    }
}
