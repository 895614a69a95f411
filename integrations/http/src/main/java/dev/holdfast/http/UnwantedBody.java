/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/** A body that nobody reads: it is given up at once, and the response has this in its place. */
final class UnwantedBody implements BodySubscriber<@Nullable Object>, Flow.Subscriber<List<ByteBuffer>> {
    private final @Nullable Object instead;

    UnwantedBody(@Nullable Object instead) {
        this.instead = instead;
    }

    @Override
    public CompletionStage<@Nullable Object> getBody() {
        return CompletableFuture.completedStage(instead);
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
