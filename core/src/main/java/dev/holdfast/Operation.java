/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
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
    final @Nullable String name;
    final boolean idempotent;
    final Classifier classifier;
    private final @Nullable Consumer<Object> discard;
    private final Call<T> unkeyed;

    @SuppressWarnings("unchecked") // values of this operation are of its type
    Operation(Pipeline pipeline, @Nullable String name, Classifier classifier, Options<T> options) {
        this.pipeline = pipeline;
        this.name = name;
        this.idempotent = options.idempotent;
        this.classifier = options.classifier == null ? classifier : options.classifier;
        this.discard = (Consumer<Object>) options.discard;
        this.unkeyed = new Call<>(this, null, null, Long.MAX_VALUE, idempotent);
    }

    /** What an operation can be told. */
    public static final class Options<T extends @Nullable Object> {
        private boolean idempotent = true;
        private @Nullable Classifier classifier;
        private @Nullable Consumer<? super T> discard;

        Options() {}

        /** Whether the work may be done twice without harm; default true. If not, it is not retried after a timeout or a broken connection. */
        public Options<T> idempotent(boolean value) {
            this.idempotent = value;
            return this;
        }

        /** What the answers of this operation mean; default: as the pipeline says. */
        public Options<T> classifier(Classifier value) {
            this.classifier = Objects.requireNonNull(value, "classifier");
            return this;
        }

        /** What is done with a value that nobody gets, so that it can be closed: of a retried attempt, or one that came too late. */
        public Options<T> discard(Consumer<? super T> value) {
            this.discard = Objects.requireNonNull(value, "discard");
            return this;
        }
    }

    /** The name, as in metrics. */
    public String name() {
        return name == null ? "" : name;
    }

    /** Nobody gets this value. */
    void discard(@Nullable Object lost) {
        if (lost != null && discard != null) {
            try {
                discard.accept(lost);
            } catch (Throwable thrown) {
                Interpreter.log("discarding a value of '" + pipeline.name() + "' threw", thrown);
            }
        }
    }

    /** A call for this key: one that has it in common with others may share their answer. */
    public Call<T> key(Object key) {
        return unkeyed.key(key);
    }

    /** A call without a key; caches pass it by. */
    public Call<T> unkeyed() {
        return unkeyed;
    }

    /**
     * The function with the pipeline around it, keyed by its argument. It may be run again in the background, to refresh a
     * cached answer, so it holds nothing of a single request.
     */
    public <K, E extends Exception> CheckedFunction<K, T, E> decorate(
            CheckedFunction<? super K, ? extends T, ? extends E> function) {
        Objects.requireNonNull(function, "function");
        return argument -> pipeline.blocking.call(key(argument), function, CallState.KEYED, argument, false);
    }

    /** As {@link #decorate}, for a function that returns a stage. The returned function never throws. */
    public <K> Function<K, CompletableFuture<T>> decorateAsync(
            Function<? super K, ? extends CompletionStage<T>> function) {
        Objects.requireNonNull(function, "function");
        return argument -> pipeline.async.call(key(argument), function, CallState.KEYED, argument, false);
    }
}
