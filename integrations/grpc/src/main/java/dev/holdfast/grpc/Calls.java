/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.Call;
import dev.holdfast.Pipeline;
import io.grpc.MethodDescriptor;
import java.util.Map;
import java.util.Set;
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

    /** Of one pipeline. */
    private static final class Made {
        private final Map<Kind, Call<@Nullable Object>> calls = new ConcurrentHashMap<>();
        private final Set<String> methods = ConcurrentHashMap.newKeySet();

        String name(String method) {
            if (methods.size() < MOST_METHODS) {
                methods.add(method);
            }
            return methods.contains(method) ? method : OTHER;
        }
    }

    private final Map<Pipeline, Made> known = new ConcurrentHashMap<>();
    private final GrpcOptions options;

    Calls(GrpcOptions options) {
        this.options = options;
    }

    Call<@Nullable Object> of(Pipeline pipeline, MethodDescriptor<?, ?> method, boolean idempotent) {
        Made made = known.get(pipeline);
        if (made == null) {
            if (known.size() >= MOST_PIPELINES) {
                known.clear();
            }
            made = known.computeIfAbsent(pipeline, unused -> new Made());
        }
        String name = method.getFullMethodName();
        Call<@Nullable Object> found = made.calls.get(new Kind(name, idempotent));
        return found != null
                ? found
                : made.calls.computeIfAbsent(new Kind(made.name(name), idempotent), kind -> make(pipeline, kind));
    }

    private Call<@Nullable Object> make(Pipeline pipeline, Kind kind) {
        return pipeline.<@Nullable Object>operation(
                        kind.method,
                        o -> o.idempotent(kind.idempotent)
                                .classifier(new GrpcClassifier(options.verdicts, pipeline::classifier)))
                .unkeyed();
    }
}
