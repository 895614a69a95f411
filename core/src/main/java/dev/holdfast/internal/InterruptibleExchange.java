/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.spi.AbstractInterruptibleChannel;
import org.jspecify.annotations.Nullable;

/**
 * The request of one attempt, as a client of HTTP sends it.
 *
 * <p>It is a channel for the sake of {@link #begin} and {@link #end}: between them, an interrupt of the thread closes the channel,
 * which cancels the request. Not every client takes notice of interrupts.
 */
public abstract class InterruptibleExchange extends AbstractInterruptibleChannel {
    /** The thread that executes it now. Others read it, too, and never find themselves. */
    private @Nullable Thread caller;

    /** This thread executes it, until {@link #endsHere}. */
    protected final void beginsHere() {
        caller = Thread.currentThread();
        begin();
    }

    /**
     * To be called before a wait. A channel that was used since {@link #begin}, such as that of a file or of another pipeline's request,
     * has taken the interrupt from this one. Does nothing on another thread.
     */
    public final void waits() {
        if (Thread.currentThread() == caller) {
            begin();
        }
    }

    /**
     * An interrupt of this thread does nothing to it any more.
     *
     * @throws ClosedByInterruptException if one has cancelled it; the flag of the thread is set, which waits of clients clear
     */
    protected final void endsHere() throws ClosedByInterruptException {
        caller = null;
        try {
            end(true);
        } catch (ClosedByInterruptException e) {
            Thread.currentThread().interrupt();
            throw e;
        } catch (AsynchronousCloseException e) {
            throw new AssertionError("only for an operation that did not complete", e);
        }
    }
}
