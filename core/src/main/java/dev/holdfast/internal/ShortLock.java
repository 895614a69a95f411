/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.util.concurrent.locks.ReentrantLock;

/**
 * A lock that is held for a moment: our own code does not wait, read or write inside. So a thread that must not block may take it.
 * Inside some of them, something of the user's is made or told: a pipeline, a meter, a span. It has a class of its own so that
 * BlockHound, which sees that a thread parks, can be told so in one place.
 */
public final class ShortLock extends ReentrantLock {
    private static final long serialVersionUID = 1L;

    /** This frame is what BlockHound looks for. */
    @Override
    public void lock() {
        try {
            super.lock();
        } catch (OutOfMemoryError none) {
            // Before Java 21 a thread that waits needs memory. What is done under the lock may be what gives a permit
            // back.
            while (!tryLock()) {
                Thread.onSpinWait();
            }
        }
    }
}
