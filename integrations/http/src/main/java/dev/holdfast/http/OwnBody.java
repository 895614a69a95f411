/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * What the handler of one caller makes of a body. What that handler throws is for its caller alone: the response has it in place of a
 * body, and means what its status says. Nobody can tell an {@code IOException} of a handler from one of the network: it stays an error.
 */
final class OwnBody implements BodySubscriber<@Nullable Object> {
    /** In place of a body. */
    record Broken(Throwable by) {}

    private final BodySubscriber<?> inside;
    private final CompletableFuture<@Nullable Object> body = new CompletableFuture<>();
    private Flow.@Nullable Subscription source;
    private boolean broken;
    private volatile boolean brokenOutside;

    private OwnBody(BodySubscriber<?> inside) {
        this.inside = inside;
    }

    /** What this handler makes. Throws nothing but what may be an error of the network. */
    static BodySubscriber<@Nullable Object> of(BodyHandler<?> handler, ResponseInfo info) {
        try {
            return new OwnBody(Objects.requireNonNull(handler.apply(info), "the body handler returned null"));
        } catch (Throwable thrown) {
            if (HttpClassifier.isOfTheNetwork(thrown)) {
                throw thrown;
            }
            return UnwantedBody.with(new Broken(thrown));
        }
    }

    @Override
    public CompletionStage<@Nullable Object> getBody() {
        try {
            var unused = inside.getBody().whenComplete((value, error) -> {
                if (error == null) {
                    body.complete(value);
                } else {
                    failed(error);
                }
            });
        } catch (Throwable thrown) {
            failed(thrown);
        }
        return body;
    }

    private void failed(Throwable error) {
        Throwable cause = error.getCause();
        Throwable by = error instanceof CompletionException && cause != null ? cause : error;
        if (brokenOutside || HttpClassifier.isOfTheNetwork(by)) {
            body.completeExceptionally(error);
        } else {
            body.complete(new Broken(by));
        }
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        source = subscription;
        guarded(() -> inside.onSubscribe(subscription));
    }

    @Override
    public void onNext(List<ByteBuffer> item) {
        guarded(() -> inside.onNext(item));
    }

    @Override
    public void onError(Throwable error) {
        if (!broken) {
            brokenOutside = true;
            inside.onError(error);
        }
    }

    @Override
    public void onComplete() {
        guarded(inside::onComplete);
    }

    /** To the client, what was thrown would be an error of the exchange. Once the caller has his body, it is that. */
    private void guarded(Runnable telling) {
        if (broken) {
            return;
        }
        try {
            telling.run();
        } catch (Throwable thrown) {
            if (HttpClassifier.isOfTheNetwork(thrown) || !body.complete(new Broken(thrown))) {
                throw thrown;
            }
            broken = true;
            Objects.requireNonNull(source).cancel();
            // It may have something to close.
            inside.onError(thrown);
        }
    }
}
