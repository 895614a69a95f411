/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.CheckedFunction.WithAttempt;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.engine.Asker;
import dev.holdfast.internal.engine.Bound;
import dev.holdfast.internal.engine.CallSpec;
import dev.holdfast.internal.engine.Engine;
import dev.holdfast.internal.engine.Family;
import dev.holdfast.internal.engine.Meaning;
import dev.holdfast.internal.engine.OperationSpec;
import dev.holdfast.internal.engine.OwnFallback;
import dev.holdfast.spi.CallKey;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
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
    private static final int HEAVIEST = 1_000_000;

    final Pipeline pipeline;
    private final OperationSpec spec;
    private final Call<T> unkeyed;
    /** With which other operations its answers are shared. */
    final Family family;

    @SuppressWarnings("unchecked") // values of this operation are of its type
    Operation(Pipeline pipeline, @Nullable String name, Meaning ofPipeline, Options<T> options) {
        this.pipeline = pipeline;
        Meaning meaning = options.classifier == null ? ofPipeline : new Meaning(options.classifier);
        this.spec =
                new OperationSpec(name, meaning, (Consumer<Object>) options.discard, options.weight, options.priority);
        this.family = new Family(pipeline.identity, name, options.type);
        this.unkeyed = new Call<>(
                this,
                null,
                new CallSpec(spec, null, Long.MAX_VALUE, options.idempotent, false, options.fallback, null));
    }

    /** The options of an operation. */
    public static final class Options<T extends @Nullable Object> {
        private boolean idempotent = true;
        private int weight = 1;
        private int priority = Bound.UNSAID;
        private @Nullable Classifier classifier;
        private @Nullable Consumer<? super T> discard;
        private @Nullable Class<? super T> type;

        @Nullable
        OwnFallback fallback;

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

        /**
         * How many usual calls one of this operation counts as in a throttle of the pipeline: 1 to 1,000,000; default 1.
         *
         * @see Call#weight
         * @throws IllegalArgumentException if the value is out of range
         */
        public Options<T> weight(int value) {
            this.weight = checkedWeight(value);
            return this;
        }

        /**
         * The priority of its calls, unless what is around them is less important; default: as what is around them, which is
         * {@link Call.Priority#DEFAULT} if nothing is said.
         */
        public Options<T> priority(Call.Priority value) {
            this.priority = Objects.requireNonNull(value, "priority").rank;
            return this;
        }

        /**
         * Answers calls that failed, for the pipeline's {@link dev.holdfast.fallback.FallbackPolicy} and in place of its own answer.
         *
         * @param function from the error (null if the failure was a value) to the answer; must be quick. If it throws, the call
         *     ends with that exception
         */
        public Options<T> fallback(Function<? super @Nullable Throwable, ? extends T> function) {
            this.fallback = new OwnFallback(Objects.requireNonNull(function, "fallback"), null);
            return this;
        }

        /**
         * As {@link #fallback}, for a function that returns a stage. When the call's time is over, only a stage that is complete at
         * once answers.
         */
        public Options<T> fallbackAsync(
                Function<? super @Nullable Throwable, ? extends CompletionStage<? extends T>> function) {
            this.fallback = new OwnFallback(null, Objects.requireNonNull(function, "fallbackAsync"));
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
     * <pre>{@code
     * Operation.Decorated<String, Order, IOException> orders = pipeline.<Order>operation("order").decorate(client::order);
     * Order order = orders.apply("4711");
     * Reply<Order> reply = orders.reply("4711"); // says where the answer came from
     * }</pre>
     *
     * <p>In a pipeline with a stale cache, all calls with equal arguments get the same answer. If the answer depends on anything
     * else, such as the user's token in a thread-local, use {@link #decorate(CheckedFunction, Supplier)}.
     */
    public <K, E extends Exception> Decorated<K, T, E> decorate(
            CheckedFunction<? super K, ? extends T, ? extends E> function) {
        return new Blocking<>(this, decorable(function), Engine.KEYED, null);
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
    public <K, E extends Exception> Decorated<K, T, E> decorate(
            CheckedFunction<? super K, ? extends T, ? extends E> function, Supplier<?> partition) {
        return new Blocking<>(this, decorable(function), Engine.KEYED, Objects.requireNonNull(partition, "partition"));
    }

    /** As {@link #decorate(CheckedFunction)}, for a function that is told which attempt it is. */
    public <K, E extends Exception> Decorated<K, T, E> decorateWithAttempt(
            WithAttempt<? super K, ? extends T, ? extends E> function) {
        return new Blocking<>(this, decorable(function), Engine.KEYED_ATTEMPT, null);
    }

    /** As {@link #decorate(CheckedFunction, Supplier)}, for a function that is told which attempt it is. */
    public <K, E extends Exception> Decorated<K, T, E> decorateWithAttempt(
            WithAttempt<? super K, ? extends T, ? extends E> function, Supplier<?> partition) {
        return new Blocking<>(
                this, decorable(function), Engine.KEYED_ATTEMPT, Objects.requireNonNull(partition, "partition"));
    }

    /**
     * As {@link #decorate(CheckedFunction)}, for a function that throws {@link InterruptedException} beside another checked exception,
     * as {@code java.net.http} does.
     */
    public <K, E extends Exception> InterruptiblyDecorated<K, T, E> decorateInterruptibly(
            CheckedFunction.Interruptible<? super K, ? extends T, ? extends E> function) {
        return new Blocking<>(this, interruptible(function), Engine.KEYED, null);
    }

    /** As {@link #decorateInterruptibly(CheckedFunction.Interruptible)}, for answers that depend on the user. */
    public <K, E extends Exception> InterruptiblyDecorated<K, T, E> decorateInterruptibly(
            CheckedFunction.Interruptible<? super K, ? extends T, ? extends E> function, Supplier<?> partition) {
        return new Blocking<>(
                this, interruptible(function), Engine.KEYED, Objects.requireNonNull(partition, "partition"));
    }

    private <K> Object interruptible(CheckedFunction.Interruptible<? super K, ? extends T, ?> function) {
        decorable(function);
        CheckedFunction<K, T, Exception> any = function::apply;
        return any;
    }

    /** As {@link #decorate(CheckedFunction)}, for a function that returns a stage. The returned function never throws. */
    public <K> DecoratedAsync<K, T> decorateAsync(
            Function<? super K, ? extends CompletionStage<? extends T>> function) {
        return new Async<>(this, decorable(function), Engine.KEYED, null);
    }

    /**
     * As {@link #decorate(CheckedFunction, Supplier)}, for a function that returns a stage. The returned function never
     * throws.
     */
    public <K> DecoratedAsync<K, T> decorateAsync(
            Function<? super K, ? extends CompletionStage<? extends T>> function, Supplier<?> partition) {
        return new Async<>(this, decorable(function), Engine.KEYED, Objects.requireNonNull(partition, "partition"));
    }

    /** As {@link #decorateAsync(Function)}, for a function that is told which attempt it is. */
    public <K> DecoratedAsync<K, T> decorateAsyncWithAttempt(
            BiFunction<? super K, ? super Attempt, ? extends CompletionStage<? extends T>> function) {
        return new Async<>(this, decorable(function), Engine.KEYED_ATTEMPT, null);
    }

    /** As {@link #decorateAsync(Function, Supplier)}, for a function that is told which attempt it is. */
    public <K> DecoratedAsync<K, T> decorateAsyncWithAttempt(
            BiFunction<? super K, ? super Attempt, ? extends CompletionStage<? extends T>> function,
            Supplier<?> partition) {
        return new Async<>(
                this, decorable(function), Engine.KEYED_ATTEMPT, Objects.requireNonNull(partition, "partition"));
    }

    /**
     * A function with the pipeline around it. Safe for any number of threads if the function is.
     *
     * @param <K> its argument, the key
     * @param <T> the type of the answer
     * @param <E> what the function may throw
     */
    public interface Decorated<K, T extends @Nullable Object, E extends Exception> extends CheckedFunction<K, T, E> {
        /** As {@link #apply}, and says where the answer came from. */
        Reply<T> reply(K argument) throws E;
    }

    /**
     * As {@link Decorated}, of a function that also throws {@link InterruptedException}.
     *
     * @param <K> its argument, the key
     * @param <T> the type of the answer
     * @param <E> what else the function may throw
     */
    public interface InterruptiblyDecorated<K, T extends @Nullable Object, E extends Exception>
            extends CheckedFunction.Interruptible<K, T, E> {
        /** As {@link #apply}, and says where the answer came from. */
        Reply<T> reply(K argument) throws E, InterruptedException;
    }

    /**
     * A function that returns a stage, with the pipeline around it. Reports every problem in the future.
     *
     * @param <K> its argument, the key
     * @param <T> the type of the answer
     */
    public interface DecoratedAsync<K, T extends @Nullable Object> extends Function<K, CompletableFuture<T>> {
        /** As {@link #apply}, and says where the answer came from. */
        CompletableFuture<Reply<T>> reply(K argument);
    }

    static int checkedWeight(int value) {
        if (value < 1 || value > HEAVIEST) {
            throw new IllegalArgumentException(
                    "weight is " + Checks.number(value) + " but must be 1 to " + Checks.number(HEAVIEST));
        }
        return value;
    }

    private Object decorable(Object function) {
        family.runs(Objects.requireNonNull(function, "function"));
        return function;
    }

    private CallSpec keyed(Object argument, @Nullable Supplier<?> partition) {
        Objects.requireNonNull(argument, "key");
        Asker asker = partition == null ? null : new Asker(pipeline.engine, partition);
        return spec(argument, asker == null ? null : asker.who, unkeyed.spec, asker);
    }

    /** As this one, for another key and partition. */
    CallSpec spec(@Nullable Object given, @Nullable Object partition, CallSpec as, @Nullable Asker asker) {
        if (given != null && !as.idempotent()) {
            pipeline.warnings.keyedInVain(name());
        }
        CallKey key = given == null ? null : new CallKey(family, partition, given);
        return new CallSpec(
                as.operation(), key, as.deadlineNanos(), as.idempotent(), as.sentOnce(), as.fallback(), asker);
    }

    // No lambdas, which could not tell what they run; and a frame less in every stack trace of the user's.
    private record Blocking<K, T extends @Nullable Object, E extends Exception>(
            Operation<T> operation,
            Object function,
            int mode,
            @Nullable Supplier<?> partition)
            implements Decorated<K, T, E>, InterruptiblyDecorated<K, T, E>, Family.Decorated {
        @Override
        public Family family() {
            return operation.family;
        }

        @Override
        public T apply(K argument) throws E {
            return operation.pipeline.engine.blocking.call(
                    operation.keyed(argument, partition), function, mode, argument, false);
        }

        @Override
        public Reply<T> reply(K argument) throws E {
            return operation.pipeline.engine.blocking.call(
                    operation.keyed(argument, partition), function, mode, argument, true);
        }
    }

    private record Async<K, T extends @Nullable Object>(
            Operation<T> operation,
            Object function,
            int mode,
            @Nullable Supplier<?> partition) implements DecoratedAsync<K, T>, Family.Decorated {
        @Override
        public Family family() {
            return operation.family;
        }

        @Override
        public CompletableFuture<T> apply(K argument) {
            return called(argument, false);
        }

        @Override
        public CompletableFuture<Reply<T>> reply(K argument) {
            return called(argument, true);
        }

        private <R extends @Nullable Object> CompletableFuture<R> called(K argument, boolean asReply) {
            CallSpec call;
            try {
                call = operation.keyed(argument, partition);
            } catch (Throwable thrown) {
                return CompletableFuture.failedFuture(thrown);
            }
            return operation.pipeline.engine.async.call(call, function, mode, argument, asReply);
        }
    }
}
