/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.reactor;

import dev.holdfast.Attempt;
import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.internal.context.Carried;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.reactivestreams.Publisher;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/**
 * Puts a pipeline around a {@link Mono} or a {@link Flux}. Never blocks. Immutable; safe for any number of threads.
 *
 * <pre>{@code
 * Operation<String> stock = inventory.operation("stock");
 * Mono<String> answer = ReactiveCall.of(stock.key("sku-1")).mono(attempt -> client.stock("sku-1"));
 * Mono<String> other = client.stock("sku-2").transform(ReactiveCall.of(stock));
 * }</pre>
 *
 * <p>Each subscription is a call of the pipeline; nothing happens before. Each attempt subscribes to the source anew, with the
 * subscriber's {@link Context}. The first attempt is subscribed on the subscribing thread; a later one on the thread on which the
 * attempt before it ended, or, after a wait, on the pipeline's executor.
 *
 * <p>The subscriber gets the source's own error as it is, a {@link CallRejectedException} or a {@link CallTimeoutException}. If it
 * cancels, the call is given up, and the attempts that run are cancelled. So are an attempt that a limit strikes, and the loser of a
 * hedge. Values that nobody gets go to {@link Mono#doOnDiscard} and to {@link Operation.Options#discard}; elements after the first
 * one of a {@link Flux} to the former alone.
 *
 * <p>A deadline that is bound to the subscribing thread ({@link Deadline}) limits the call, and so does one in the subscriber's
 * {@link Context} ({@link #capture}). The source's {@link Context} has the deadline and the number of the attempt, so that pipelines
 * inside the source inherit both, on whichever thread they are subscribed.
 *
 * @param <T> the type of the elements
 */
public final class ReactiveCall<T> implements UnaryOperator<Publisher<T>> {
    private final Call<T> call;

    private ReactiveCall(Call<T> call) {
        this.call = call;
    }

    /** For subscriptions that are calls of this pipeline, and of no operation. */
    public static <T> ReactiveCall<T> of(Pipeline pipeline) {
        return new ReactiveCall<>(pipeline.unkeyed());
    }

    /** For subscriptions that are calls of this operation, without a key. */
    public static <T> ReactiveCall<T> of(Operation<T> operation) {
        return new ReactiveCall<>(operation.unkeyed());
    }

    /** For subscriptions that are calls like this one, with its key and its options. */
    public static <T> ReactiveCall<T> of(Call<T> call) {
        return new ReactiveCall<>(Objects.requireNonNull(call, "call"));
    }

    /**
     * Makes a {@link Mono} that has the pipeline around a source. An empty source is a success: classifier and cache see null. A
     * fallback with the value null is an empty answer.
     *
     * @param source gives what an attempt subscribes to; called for each attempt
     */
    public Mono<T> mono(Function<? super Attempt, ? extends Mono<? extends T>> source) {
        return ProtectedMono.of(call, Objects.requireNonNull(source, "source"));
    }

    /**
     * Makes a {@link Flux} that has the pipeline around the beginning of a source: the time until its first element, its error or its
     * end. With the first element the call is over, permits are back, and limits no longer hold. The other elements, and an error
     * after the first one, come as they are, and nothing is retried. The first element is requested before the subscriber asks; all
     * others when it does. Classifier, breaker and observers see the first element; null for an empty source.
     *
     * <p>Caches do not use it, even with a key. A fallback is the only element.
     *
     * @param source gives what an attempt subscribes to; called for each attempt
     */
    public Flux<T> flux(Function<? super Attempt, ? extends Publisher<? extends T>> source) {
        return ProtectedFlux.of(call.unkeyed(), Objects.requireNonNull(source, "source"));
    }

    /**
     * Puts the pipeline around a source that is there already, as {@link #mono} for a {@link Mono} and as {@link #flux} for anything
     * else. For {@link Mono#transform} and {@link Flux#transform}. What the source did when it was made is in no attempt.
     */
    @Override
    public Publisher<T> apply(Publisher<T> source) {
        return source instanceof Mono<T> mono ? mono(attempt -> mono) : flux(attempt -> source);
    }

    /**
     * Adds the deadline, the number of the attempt and the priority that hold on this thread to a {@link Context}; the same as {@link
     * Mono#contextCapture} does where Micrometer's context-propagation is on the class path. Calls of subscribers that have this
     * context inherit both.
     *
     * <pre>{@code
     * mono.contextWrite(context -> Deadline.within(ofMillis(900), () -> ReactiveCall.capture(context)))
     * }</pre>
     *
     * @return the context itself if nothing holds
     */
    public static Context capture(Context context) {
        Deadline.Binding here = Deadline.Binding.current();
        return here == null ? context : context.put(Carried.KEY, here);
    }

    private static final class ProtectedMono<T> extends Mono<T> {
        private final Call<T> call;
        private final Function<? super Attempt, ? extends Publisher<? extends T>> source;

        private ProtectedMono(Call<T> call, Function<? super Attempt, ? extends Publisher<? extends T>> source) {
            this.call = call;
            this.source = source;
        }

        static <T> Mono<T> of(Call<T> call, Function<? super Attempt, ? extends Publisher<? extends T>> source) {
            return onAssembly(new ProtectedMono<>(call, source));
        }

        @Override
        public void subscribe(CoreSubscriber<? super T> actual) {
            new Answer<T>(actual, source, false).begin(call);
        }
    }

    private static final class ProtectedFlux<T> extends Flux<T> {
        private final Call<T> call;
        private final Function<? super Attempt, ? extends Publisher<? extends T>> source;

        private ProtectedFlux(Call<T> call, Function<? super Attempt, ? extends Publisher<? extends T>> source) {
            this.call = call;
            this.source = source;
        }

        static <T> Flux<T> of(Call<T> call, Function<? super Attempt, ? extends Publisher<? extends T>> source) {
            return onAssembly(new ProtectedFlux<>(call, source));
        }

        @Override
        public void subscribe(CoreSubscriber<? super T> actual) {
            new Answer<T>(actual, source, true).begin(call);
        }
    }
}
