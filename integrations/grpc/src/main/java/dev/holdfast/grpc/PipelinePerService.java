/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.Pipeline;
import dev.holdfast.internal.ShortLock;
import io.grpc.MethodDescriptor;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/**
 * A pipeline for each service of each authority, all of one template, each with its own state: {@code
 * shops/stock.example:443/shop.Stock}. Above 1,000, all further ones share one, called {@code other}. Safe for any number of threads.
 */
public final class PipelinePerService implements GrpcPipelines, AutoCloseable {
    /** Services are those of the stubs. Somebody may make names of what comes from outside. */
    private static final int MOST = 1_000;

    private static final int LONGEST = 200;
    private static final String OTHER = "other";

    private final Map<String, Pipeline> pipelines = new ConcurrentHashMap<>();
    // Not within computeIfAbsent, which has a monitor: a virtual thread that waits would keep its carrier.
    private final ShortLock making = new ShortLock();
    private final String name;
    private final UnaryOperator<Pipeline.Builder> template;

    private PipelinePerService(String name, UnaryOperator<Pipeline.Builder> template) {
        this.name = Objects.requireNonNull(name, "name");
        this.template = Objects.requireNonNull(template, "template");
    }

    /** Of the {@linkplain Pipeline#standard standard pipeline}. */
    public static PipelinePerService standard(String name) {
        return of(name, Pipeline.Builder::standard);
    }

    /**
     * Of a template.
     *
     * @param name of the pipelines, before authority and service
     * @param template what each pipeline is made of. Must make new policies each time: shared ones would be one limit for all
     */
    public static PipelinePerService of(String name, UnaryOperator<Pipeline.Builder> template) {
        return new PipelinePerService(name, template);
    }

    @Override
    public Pipeline of(String authority, MethodDescriptor<?, ?> method) {
        String service = authority + "/" + method.getServiceName();
        Pipeline known = pipelines.get(service);
        if (known == null && pipelines.size() >= MOST) {
            known = pipelines.get(OTHER);
        }
        return known != null ? known : made(service);
    }

    private Pipeline made(String service) {
        making.lock();
        try {
            String key = pipelines.containsKey(service) || pipelines.size() < MOST ? service : OTHER;
            Pipeline known = pipelines.get(key);
            if (known == null) {
                known = make(key);
                pipelines.put(key, known);
            }
            return known;
        } finally {
            making.unlock();
        }
    }

    private Pipeline make(String key) {
        String shown = key.substring(0, Math.min(LONGEST, key.length()));
        return template.apply(Pipeline.builder(name + "/" + shown)).build();
    }

    /** The pipelines of now. */
    public List<Pipeline> pipelines() {
        return List.copyOf(pipelines.values());
    }

    /** Closes the pipelines of now. */
    @Override
    public void close() {
        pipelines.values().forEach(Pipeline::close);
    }
}
