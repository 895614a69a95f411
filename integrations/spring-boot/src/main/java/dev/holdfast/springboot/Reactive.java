/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Call;
import dev.holdfast.reactor.ReactiveCall;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** With Reactor. Each subscription is a call, and each attempt calls the method. */
final class Reactive implements Way {
    private final boolean isFlux;
    private final @Nullable Unseen unseen;

    /**
     * Of a method.
     *
     * @param unseen if its type does not say what it gives; else null
     */
    Reactive(boolean isFlux, @Nullable Unseen unseen) {
        this.isFlux = isFlux;
        this.unseen = unseen;
    }

    @Override
    public boolean allowsFallback() {
        // The call of a Flux ends with the first element, and so would its fallback.
        return !isFlux;
    }

    @Override
    public Object invoke(Call<Object> call, Proceeding method, @Nullable Fallback fallback) {
        if (isFlux) {
            return ReactiveCall.of(call).flux(attempt -> Flux.from(published(method)));
        }
        if (fallback == null) {
            return mono(call, method);
        }
        return Mono.deferContextual(context -> {
            Disposable.Swap asked = Disposables.swap();
            Call<Object> whole = call.fallbackAsync(error -> {
                CompletableFuture<?> answer = Mono.from(publisher(fallback.answer(error)))
                        .contextWrite(context)
                        .toFuture();
                asked.update(() -> answer.cancel(true)); // nothing if it has answered
                return answer;
            });
            // Nobody waits for it any more: the subscriber has cancelled, or a limit has struck.
            return mono(whole, method).doFinally(end -> asked.dispose());
        });
    }

    @Override
    public Object failed(RuntimeException error) {
        return isFlux ? Flux.error(error) : Mono.error(error);
    }

    private Mono<Object> mono(Call<Object> call, Proceeding method) {
        return ReactiveCall.of(call).mono(attempt -> {
            Mono<Object> result = Mono.from(published(method));
            return unseen == null ? result : result.doOnNext(unseen::look);
        });
    }

    private static Publisher<Object> published(Proceeding method) {
        try {
            return publisher(method.proceed());
        } catch (Exception e) {
            return Mono.error(e);
        }
    }

    @SuppressWarnings("unchecked") // of the method
    private static Publisher<Object> publisher(@Nullable Object result) {
        return (Publisher<Object>)
                Objects.requireNonNull(result, "the method returned null in place of a Mono or Flux");
    }
}
