/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.CheckedSupplier;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage.Fault;
import dev.holdfast.spi.TimeSource;
import org.jspecify.annotations.Nullable;

/** A blocking action that a fault delays or replaces. Heeds interrupts, as a dependency's client should. */
final class FaultyAction implements CheckedSupplier<@Nullable Object, Exception> {
    private final Engine engine;
    private final long delayNanos;
    private final CheckedSupplier<?, ?> action;

    FaultyAction(Engine engine, Fault fault, CheckedSupplier<?, ?> action) {
        this.engine = engine;
        CheckedSupplier<?, ?> instead = fault.instead();
        this.delayNanos = fault.delayNanos();
        this.action = instead == null ? action : instead;
    }

    @Override
    public @Nullable Object get() throws Exception {
        if (delayNanos == Long.MAX_VALUE) {
            hang();
        } else if (delayNanos > 0) {
            delay();
        }
        return action.get();
    }

    private void delay() {
        TimeSource time = engine.time;
        long start = time.nanos();
        for (long left = delayNanos; left > 0; left = delayNanos - (time.nanos() - start)) {
            park(left);
        }
    }

    private void hang() {
        Thread hanging = Thread.currentThread();
        Completion closing = engine.closing;
        Completion.Waiter waiter = () -> engine.time.unpark(hanging);
        closing.register(waiter);
        try {
            while (!closing.isDone()) {
                park(Long.MAX_VALUE);
            }
        } finally {
            closing.remove(waiter);
        }
        throw engine.rejections.noThread();
    }

    private void park(long nanos) {
        if (Thread.currentThread().isInterrupted()) {
            throw engine.rejections.interrupted();
        }
        engine.time.park(this, nanos);
    }
}
