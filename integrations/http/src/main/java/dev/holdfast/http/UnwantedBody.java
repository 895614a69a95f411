/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/** A body that nobody reads: it is given up at once. */
final class UnwantedBody implements BodySubscriber<@Nullable Object>, Flow.Subscriber<List<ByteBuffer>> {
    private final CompletionStage<@Nullable Object> instead;

    private UnwantedBody(CompletionStage<@Nullable Object> instead) {
        this.instead = instead;
    }

    /** The response has this in its place. */
    static UnwantedBody with(@Nullable Object instead) {
        return new UnwantedBody(CompletableFuture.completedStage(instead));
    }

    /** The response fails with this. */
    @SuppressWarnings("unchecked") // there is no value
    static <T> BodySubscriber<T> failed(Throwable why) {
        return (BodySubscriber<T>) new UnwantedBody(CompletableFuture.<@Nullable Object>failedStage(why));
    }

    @Override
    public CompletionStage<@Nullable Object> getBody() {
        return instead;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        subscription.cancel();
    }

    @Override
    public void onNext(List<ByteBuffer> item) {}

    @Override
    public void onError(Throwable error) {}

    @Override
    public void onComplete() {}
}
