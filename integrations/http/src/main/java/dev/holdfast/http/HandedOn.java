/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.lang.ref.WeakReference;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A future that ends as another one, with another value or another error. Whatever completes it from outside, such as {@code cancel}
 * or {@code orTimeout}, cancels that one first, so that the stages which depend on this one run when its call is over. A value that
 * comes too late is handed to {@code lost}: it may hold a connection.
 */
final class HandedOn<S, T> extends CompletableFuture<T> {
    private final CompletableFuture<S> source;
    private final UnaryOperator<Throwable> errors;
    private final Consumer<? super T> lost;

    /** Whether somebody completes this, perhaps only a moment later; then nobody else does. */
    private final AtomicBoolean taken = new AtomicBoolean();

    HandedOn(
            CompletableFuture<S> source,
            Function<? super S, ? extends CompletionStage<T>> values,
            UnaryOperator<Throwable> errors,
            Consumer<? super T> lost) {
        this(source, errors, lost);
        var unused = source.whenComplete((value, error) -> {
            if (error != null) {
                fail(error);
                return;
            }
            try {
                var unusedToo = values.apply(value).whenComplete(this::end);
            } catch (Throwable broken) {
                fail(broken);
            }
        });
    }

    private HandedOn(CompletableFuture<S> source, UnaryOperator<Throwable> errors, Consumer<? super T> lost) {
        this.source = source;
        this.errors = errors;
        this.lost = lost;
    }

    /** Another form of the same response. {@code lost} gets the source's. */
    static <T> HandedOn<HttpResponse<T>, HttpResponse<T>> of(
            CompletableFuture<HttpResponse<T>> source,
            UnaryOperator<HttpResponse<T>> values,
            UnaryOperator<Throwable> errors,
            Consumer<HttpResponse<T>> lost) {
        HandedOn<HttpResponse<T>, HttpResponse<T>> same = new HandedOn<>(source, errors, lost);
        // A fallback may have another type, whatever the signature says.
        CompletableFuture<?> any = source;
        var unused = any.whenComplete((value, error) -> same.endWith(values, value, error));
        return same;
    }

    @SuppressWarnings("unchecked") // both are responses
    private void endWith(UnaryOperator<T> values, @Nullable Object value, @Nullable Throwable error) {
        if (value == null || error != null) {
            end(null, error);
        } else if (!(value instanceof HttpResponse<?>)) {
            endExceptionally(new ClassCastException("the answer is a "
                    + value.getClass().getName() + ", perhaps of a fallback; expected a java.net.http.HttpResponse"));
        } else {
            handOn(values, (T) value);
        }
    }

    private void handOn(UnaryOperator<T> values, T value) {
        T made;
        try {
            made = values.apply(value);
        } catch (Throwable broken) {
            fail(broken);
            lost.accept(value);
            return;
        }
        if (!take() || !super.complete(made)) {
            lost.accept(value);
        }
    }

    private void end(@Nullable T value, @Nullable Throwable error) {
        if (error != null) {
            fail(error);
        } else if ((!take() || !super.complete(value)) && value != null) {
            lost.accept(value);
        }
    }

    private void fail(Throwable error) {
        Throwable cause = error.getCause();
        endExceptionally(errors.apply(error instanceof CompletionException && cause != null ? cause : error));
    }

    private void endExceptionally(Throwable error) {
        if (take()) {
            super.completeExceptionally(error);
        }
    }

    private boolean take() {
        return taken.compareAndSet(false, true);
    }

    /** As with the client's own futures: to cancel what is derived from it, with an interrupt, cancels it. */
    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new Derived<>(new WeakReference<>(this));
    }

    /** Does not keep the response: a caller may keep this future for what he has made of it. */
    private static final class Derived<U> extends CompletableFuture<U> {
        private final WeakReference<HandedOn<?, ?>> from;

        Derived(WeakReference<HandedOn<?, ?>> from) {
            this.from = from;
        }

        @Override
        public boolean cancel(boolean mayInterrupt) {
            boolean cancelled = super.cancel(mayInterrupt);
            HandedOn<?, ?> exchange = from.get();
            if (cancelled && mayInterrupt && exchange != null) {
                exchange.cancel(true);
            }
            return cancelled;
        }

        @Override
        public <V> CompletableFuture<V> newIncompleteFuture() {
            return new Derived<>(from);
        }
    }

    // ---- from outside

    @Override
    public boolean cancel(boolean mayInterrupt) {
        return givingUp(mayInterrupt, () -> super.cancel(mayInterrupt));
    }

    @Override
    public boolean complete(T value) {
        return givingUp(true, () -> super.complete(value));
    }

    @Override
    public boolean completeExceptionally(Throwable error) {
        return givingUp(true, () -> super.completeExceptionally(error));
    }

    @Override
    public void obtrudeValue(T value) {
        var unused = complete(value);
        super.obtrudeValue(value);
    }

    @Override
    public void obtrudeException(Throwable error) {
        var unused = completeExceptionally(error);
        super.obtrudeException(error);
    }

    @Override
    public CompletableFuture<T> completeAsync(Supplier<? extends T> supplier, Executor executor) {
        // The JDK's own method would not call complete().
        executor.execute(() -> {
            if (isDone()) {
                return;
            }
            try {
                complete(supplier.get());
            } catch (Throwable thrown) {
                completeExceptionally(thrown);
            }
        });
        return this;
    }

    /** This one is taken before its source is cancelled: its owner sees what he has done, and not what the source makes of it. */
    private boolean givingUp(boolean mayInterrupt, BooleanSupplier completing) {
        if (isDone()) {
            return completing.getAsBoolean();
        }
        if (!take()) {
            return false;
        }
        boolean completed;
        try {
            source.cancel(mayInterrupt);
        } finally {
            completed = completing.getAsBoolean();
        }
        return completed;
    }
}
