/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.Deadline;
import java.util.function.BooleanSupplier;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.jspecify.annotations.Nullable;

/**
 * The deadline, number and priority of an attempt, for threads of the asynchronous client that go on with it: code of the user's there
 * is part of the attempt.
 */
final class AttemptBinding {
    /** Changes nothing. */
    static final AttemptBinding NONE = new AttemptBinding(null);

    private final Deadline.@Nullable Binding attempt;

    private AttemptBinding(Deadline.@Nullable Binding attempt) {
        this.attempt = attempt;
    }

    /** To be called on the thread that begins the attempt. */
    static AttemptBinding ofThisThread() {
        return new AttemptBinding(Deadline.Binding.current());
    }

    interface Step<E extends Exception> {
        void run() throws E;
    }

    /** Runs this within the attempt. */
    <E extends Exception> void run(Step<E> step) throws E {
        if (attempt == null) {
            step.run();
        } else {
            with(attempt, step);
        }
    }

    /** Runs this with what holds elsewhere, null: with nothing, whatever holds on this thread. */
    static <E extends Exception> void with(Deadline.@Nullable Binding elsewhere, Step<E> step) throws E {
        Deadline.Binding before = Deadline.Binding.current();
        Deadline.Binding.set(elsewhere);
        try {
            step.run();
        } finally {
            Deadline.Binding.restore(before);
        }
    }

    /** Asks this outside of any attempt: what hangs on the answer of one is no part of it. */
    static boolean outside(BooleanSupplier completing) {
        Deadline.Binding before = Deadline.Binding.current();
        Deadline.Binding.set(null);
        try {
            return completing.getAsBoolean();
        } finally {
            Deadline.Binding.restore(before);
        }
    }

    /** The same callback, called within the attempt. */
    <T> FutureCallback<T> around(FutureCallback<T> callback) {
        return new FutureCallback<>() {
            @Override
            public void completed(T result) {
                run(() -> callback.completed(result));
            }

            @Override
            public void failed(Exception cause) {
                run(() -> callback.failed(cause));
            }

            @Override
            public void cancelled() {
                run(callback::cancelled);
            }
        };
    }
}
