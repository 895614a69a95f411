/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.hc.core5.concurrent.Cancellable;

/** What a user cancels: all attempts of a request, and the waits between them. */
final class Cancellation implements Cancellable {
    private final List<Exchange> exchanges = new CopyOnWriteArrayList<>();
    private final Thread caller = Thread.currentThread();
    private volatile boolean cancelled;

    /** Guarded by this. */
    private boolean interrupted;

    private boolean over;

    void add(Exchange exchange) {
        exchanges.add(exchange);
        if (cancelled) {
            exchange.cancel();
        }
    }

    boolean isCancelled() {
        return cancelled;
    }

    /** The thread has left the pipeline. An interrupt that was meant for this request must not reach what it does next. */
    synchronized void over() {
        over = true;
        if (interrupted) {
            Thread.interrupted();
        }
    }

    /** Afterwards, too: then it ends a body that is still read. */
    @Override
    public boolean cancel() {
        synchronized (this) {
            cancelled = true;
            if (!over && !interrupted) {
                interrupted = true;
                caller.interrupt();
            }
        }
        exchanges.forEach(Exchange::cancel);
        return true;
    }
}
