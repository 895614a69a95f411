/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.util.concurrent.locks.ReentrantLock;

/**
 * A lock that is held for a few instructions only: nobody waits, reads or writes inside. So a thread that must not block may take
 * it. It has a class of its own so that BlockHound, which sees that a thread parks, can be told so in one place.
 */
public final class ShortLock extends ReentrantLock {
    private static final long serialVersionUID = 1L;

    /** This frame is what BlockHound looks for. */
    @Override
    public void lock() {
        super.lock();
    }
}
