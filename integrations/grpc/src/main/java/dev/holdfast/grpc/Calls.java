/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.Call;
import dev.holdfast.Pipeline;
import io.grpc.MethodDescriptor;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The calls of each pipeline by their method, made once. Both are bounded: pipelines come and go, and so may methods. */
final class Calls {
    /** Above this many pipelines all are forgotten, since most of them are gone. */
    private static final int MOST_PIPELINES = 2_048;

    /** Names of operations are tags of meters. */
    private static final int MOST_METHODS = 100;

    private static final String OTHER = "other";

    private record Kind(String method, boolean idempotent) {}

    private final Map<Pipeline, Map<Kind, Call<@Nullable Object>>> known = new ConcurrentHashMap<>();
    private final GrpcOptions options;

    Calls(GrpcOptions options) {
        this.options = options;
    }

    Call<@Nullable Object> of(Pipeline pipeline, MethodDescriptor<?, ?> method, boolean idempotent) {
        Map<Kind, Call<@Nullable Object>> calls = known.get(pipeline);
        if (calls == null) {
            if (known.size() >= MOST_PIPELINES) {
                known.clear();
            }
            calls = known.computeIfAbsent(pipeline, unused -> new ConcurrentHashMap<>());
        }
        Kind kind = new Kind(method.getFullMethodName(), idempotent);
        Call<@Nullable Object> found = calls.get(kind);
        if (found != null) {
            return found;
        }
        return calls.computeIfAbsent(
                calls.size() < MOST_METHODS ? kind : new Kind(OTHER, idempotent), made -> make(pipeline, made));
    }

    private Call<@Nullable Object> make(Pipeline pipeline, Kind kind) {
        return pipeline.<@Nullable Object>operation(
                        kind.method,
                        o -> o.idempotent(kind.idempotent)
                                .classifier(new GrpcClassifier(options.verdicts, pipeline::classifier)))
                .unkeyed();
    }
}
