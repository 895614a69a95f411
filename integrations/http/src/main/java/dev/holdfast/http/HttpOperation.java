/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.Call;
import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one pipeline that have one name: how they are sent, and how a stale cache answers them. For adapters of HTTP
 * clients; {@link HttpCalls#operation} has it. Safe for any number of threads.
 *
 * @param <Q> a request
 * @param <R> a response
 */
public final class HttpOperation<Q, R> {
    private static final String STALE_CACHE = "stale-cache";

    private final HttpMessages<Q, R> messages;
    private final HttpOptions<? super Q> options;
    private final HttpKey.Changes changes;
    private final HttpKey.Varying varying = new HttpKey.Varying();
    private final Pipeline pipeline;
    private final Operation<R> sent;

    /** Null: its requests may not be done twice. */
    private final @Nullable Operation<Kept<R>> kept;

    private Known known = new Known(List.of(), false);

    HttpOperation(
            HttpMessages<Q, R> messages,
            HttpOptions<? super Q> options,
            HttpKey.Changes changes,
            Pipeline pipeline,
            String name,
            boolean areIdempotent) {
        this.messages = messages;
        this.options = options;
        this.changes = changes;
        this.pipeline = pipeline;
        Classifier meaning = new HttpClassifier(messages, pipeline::classifier, areIdempotent);
        sent = pipeline.operation(
                name, o -> o.idempotent(areIdempotent).classifier(meaning).discard(messages::close));
        kept = areIdempotent && options.maxKept() > 0 ? kept(name, meaning) : null;
    }

    private Operation<Kept<R>> kept(String name, Classifier ofResponses) {
        return pipeline.operation(
                name,
                o -> o.type(Kept.class)
                        .classifier((value, error) ->
                                ofResponses.classify(value instanceof Kept<?> held ? held.response() : value, error))
                        .discard(held -> {
                            if (held.body() == null) {
                                messages.close(held.response());
                            }
                        }));
    }

    /** The call that sends this request. */
    public Call<R> call(Q request) {
        return messages.canBeSentAgain(request)
                ? sent.unkeyed()
                : sent.unkeyed().sentOnce();
    }

    /**
     * The call that a stale cache of the pipeline may answer; null if there is no cache, or HTTP does not allow this request to use
     * it. To be asked only for a request without a body, because a body is no part of the key. Without a cache, it costs next to
     * nothing.
     */
    public @Nullable CachedCall<R> cached(Q request) {
        Operation<Kept<R>> operation = kept;
        if (operation == null || !hasCache() || !HttpCaching.mayAsk(messages, request)) {
            return null;
        }
        HttpKey key = new HttpKey(messages, request, options.partitionOf(request), varying, changes);
        return new CachedCall<>(messages::status, operation.key(key).refreshable(), key, options.maxKept());
    }

    /** Policies of a pipeline, and whether one of them is a cache. */
    private record Known(List<Policy> policies, boolean hasCache) {}

    /**
     * Asked each time, since a reload may bring one. Any thread may write what it has found: it is immutable. One in shadow does not
     * count: the bodies that it keeps would have to be read within the attempts.
     */
    private boolean hasCache() {
        List<Policy> policies = pipeline.policies();
        Known now = known;
        if (now.policies() != policies) {
            now = new Known(
                    policies, policies.stream().anyMatch(policy -> policy.name().equals(STALE_CACHE)));
            known = now;
        }
        return now.hasCache();
    }
}
