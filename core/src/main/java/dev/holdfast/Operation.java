/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.internal.engine.Asker;
import dev.holdfast.internal.engine.CallSpec;
import dev.holdfast.internal.engine.Engine;
import dev.holdfast.internal.engine.Family;
import dev.holdfast.internal.engine.OperationSpec;
import dev.holdfast.spi.CallKey;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A named kind of call on a pipeline, with one type of answer: owns the keys under which answers are cached, and says
 * whether the work may be done twice, what its answers mean and what happens to those that nobody gets. Immutable; made
 * once, used by any number of threads.
 *
 * @param <T> the type of the answer
 */
public final class Operation<T extends @Nullable Object> {
    final Pipeline pipeline;
    private final OperationSpec spec;
    private final boolean idempotent;
    private final Call<T> unkeyed;
    /** With which other operations its answers are shared. */
    final Family family;

    @SuppressWarnings("unchecked") // values of this operation are of its type
    Operation(Pipeline pipeline, @Nullable String name, Classifier classifier, Options<T> options) {
        this.pipeline = pipeline;
        this.idempotent = options.idempotent;
        this.spec = new OperationSpec(
                name, options.classifier == null ? classifier : options.classifier, (Consumer<Object>) options.discard);
        this.family = new Family(pipeline.identity, name, options.type);
        this.unkeyed = new Call<>(this, null, new CallSpec(spec, null, Long.MAX_VALUE, idempotent, null));
    }

    /** The options of an operation. */
    public static final class Options<T extends @Nullable Object> {
        private boolean idempotent = true;
        private @Nullable Classifier classifier;
        private @Nullable Consumer<? super T> discard;
        private @Nullable Class<? super T> type;

        Options() {}

        /**
         * The type of the answers. Operations with the same name and type on a pipeline share cached answers and single flights.
         *
         * <p>Default: unknown. Then an operation shares with itself, and with operations of its name that run the same lambda or
         * method reference of the source code. Others may have another type. A lambda in a method that takes a function is one
         * lambda for all functions: give the type there.
         */
        public Options<T> type(Class<? super T> value) {
            this.type = Objects.requireNonNull(value, "type");
            return this;
        }

        /**
         * Whether the work may be done twice without harm; default true. If not, a call is retried only if the work was surely not
         * done: it was rejected locally, pushed back, or no connection was made. Caches do not use it: it is neither joined with
         * another call nor answered from memory.
         */
        public Options<T> idempotent(boolean value) {
            this.idempotent = value;
            return this;
        }

        /** Says what the answers of this operation mean; default: the pipeline's classifier. */
        public Options<T> classifier(Classifier value) {
            this.classifier = Objects.requireNonNull(value, "classifier");
            return this;
        }

        /**
         * Called with a value that nobody gets, so that it can be closed: the value of a retried attempt, or one that came too
         * late. Not called with a value that several calls share, or that a cache keeps.
         */
        public Options<T> discard(Consumer<? super T> value) {
            this.discard = Objects.requireNonNull(value, "discard");
            return this;
        }
    }

    /** The name, as in metrics. */
    public String name() {
        return spec.name() == null ? "" : spec.name();
    }

    /**
     * Makes a call for this key. Concurrent calls for the same key may share an answer.
     *
     * @see Call#key
     */
    public Call<T> key(Object key) {
        return unkeyed.key(key);
    }

    /** Makes a call without a key; caches do not use it. */
    public Call<T> unkeyed() {
        return unkeyed;
    }

    /**
     * Puts the pipeline around a function; its argument is the key. The function may run again in the background to refresh a
     * cached answer, so it must not hold anything of a single request.
     *
     * <p>In a pipeline with a stale cache, all calls with equal arguments get the same answer. If the answer depends on anything
     * else, such as the user's token in a thread-local, use {@link #decorate(CheckedFunction, Supplier)}.
     */
    public <K, E extends Exception> CheckedFunction<K, T, E> decorate(
            CheckedFunction<? super K, ? extends T, ? extends E> function) {
        family.runs(Objects.requireNonNull(function, "function"));
        return new Decorated<>(this, function, null);
    }

    /**
     * As {@link #decorate(CheckedFunction)}, for answers that depend on the user. Calls of different partitions never share an
     * answer.
     *
     * <pre>{@code
     * orders.decorate(client::orders, CurrentUser::id)
     * }</pre>
     *
     * <p>The partition is read again on the thread on which the function is about to run, which may be another one (a refresh, a
     * hedge, a dedicated thread). If it differs, the function does not run ({@link Reason#WRONG_PARTITION}), because it would ask
     * for another user. Register what the partition is read from as a {@link dev.holdfast.spi.CallContext}.
     *
     * @param partition read with every call, on the caller's thread; must not return null. If it throws there, the caller gets
     *     that exception
     */
    public <K, E extends Exception> CheckedFunction<K, T, E> decorate(
            CheckedFunction<? super K, ? extends T, ? extends E> function, Supplier<?> partition) {
        Objects.requireNonNull(partition, "partition");
        family.runs(Objects.requireNonNull(function, "function"));
        return new Decorated<>(this, function, partition);
    }

    /** As {@link #decorate(CheckedFunction)}, for a function that returns a stage. The returned function never throws. */
    public <K> Function<K, CompletableFuture<T>> decorateAsync(
            Function<? super K, ? extends CompletionStage<T>> function) {
        family.runs(Objects.requireNonNull(function, "function"));
        return new DecoratedAsync<>(family, argument -> calledAsync(() -> keyed(argument, null), function, argument));
    }

    /**
     * As {@link #decorate(CheckedFunction, Supplier)}, for a function that returns a stage. The returned function never
     * throws.
     */
    public <K> Function<K, CompletableFuture<T>> decorateAsync(
            Function<? super K, ? extends CompletionStage<T>> function, Supplier<?> partition) {
        Objects.requireNonNull(partition, "partition");
        family.runs(Objects.requireNonNull(function, "function"));
        return new DecoratedAsync<>(family, argument -> {
            Asker asker;
            try {
                asker = new Asker(pipeline.engine, partition);
            } catch (Throwable thrown) {
                return CompletableFuture.failedFuture(thrown);
            }
            Function<K, CompletionStage<T>> forAsker = key -> {
                asker.check();
                return function.apply(key);
            };
            return calledAsync(() -> keyed(argument, asker), forAsker, argument);
        });
    }

    private <K> CompletableFuture<T> calledAsync(
            Supplier<CallSpec> key, Function<? super K, ? extends CompletionStage<T>> function, K argument) {
        CallSpec call;
        try {
            call = key.get();
        } catch (Throwable thrown) {
            return CompletableFuture.failedFuture(thrown);
        }
        return pipeline.engine.async.call(call, function, Engine.KEYED, argument, false);
    }

    private CallSpec keyed(Object argument, @Nullable Asker asker) {
        Objects.requireNonNull(argument, "key");
        return spec(argument, asker == null ? null : asker.who, Long.MAX_VALUE, idempotent, asker);
    }

    CallSpec spec(
            @Nullable Object given,
            @Nullable Object partition,
            long deadlineNanos,
            boolean mayRunTwice,
            @Nullable Asker asker) {
        if (given != null && !mayRunTwice) {
            pipeline.keyedInVain(this);
        }
        CallKey key = given == null ? null : new CallKey(family, partition, given);
        return new CallSpec(spec, key, deadlineNanos, mayRunTwice, asker);
    }

    // Not a lambda, which could not tell what it runs; and a frame less in every stack trace of the user's than one
    // around it.
    private record Decorated<K, T extends @Nullable Object, E extends Exception>(
            Operation<T> operation,
            CheckedFunction<? super K, ? extends T, ? extends E> function,
            @Nullable Supplier<?> partition)
            implements CheckedFunction<K, T, E>, Family.Decorated {
        @Override
        public Family family() {
            return operation.family;
        }

        @Override
        public T apply(K argument) throws E {
            if (partition == null) {
                return operation.pipeline.engine.blocking.call(
                        operation.keyed(argument, null), function, Engine.KEYED, argument, false);
            }
            Asker asker = new Asker(operation.pipeline.engine, partition);
            CheckedFunction<K, T, E> forAsker = key -> {
                asker.check();
                return function.apply(key);
            };
            return operation.pipeline.engine.blocking.call(
                    operation.keyed(argument, asker), forAsker, Engine.KEYED, argument, false);
        }
    }

    private record DecoratedAsync<K, T extends @Nullable Object>(Family family, Function<K, CompletableFuture<T>> calls)
            implements Function<K, CompletableFuture<T>>, Family.Decorated {
        @Override
        public CompletableFuture<T> apply(K argument) {
            return calls.apply(argument);
        }
    }
}
