/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.Pipeline;
import dev.holdfast.internal.keyed.InUse;
import dev.holdfast.internal.keyed.Instances;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import io.grpc.MethodDescriptor;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * A pipeline for each service of each authority, all of one template, each with its own state: {@code
 * shops/stock.example:443/shop.Stock}. Above 1,000, all further ones share one, called {@code other}. Safe for any number of threads.
 */
public final class PipelinePerService implements GrpcPipelines, AutoCloseable {
    /** Services are those of the stubs. Somebody may make names of what comes from outside. */
    private static final int MOST = 1_000;

    private static final int LONGEST = 200;

    /** None goes: the number of services is bounded, and calls need not be counted. */
    private final Instances<Pipeline> pipelines;

    private PipelinePerService(String name, UnaryOperator<Pipeline.Builder> template) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(template, "template");
        pipelines = new Instances<>(name, TimeSource.system()) {
            @Override
            public int max() {
                return MOST;
            }

            @Override
            protected long idleNanos() {
                return Long.MAX_VALUE;
            }

            @Override
            protected List<Policy> policies(Pipeline pipeline) {
                return pipeline.policies();
            }

            @Override
            protected Pipeline make(String service, InUse counting) {
                return template.apply(Pipeline.builder(name + "/" + shown(service, LONGEST)))
                        .build();
            }

            @Override
            protected void letGo(Pipeline pipeline) {}

            @Override
            protected void retire(Pipeline pipeline) {}

            @Override
            protected void close(Pipeline pipeline) {
                pipeline.close();
            }
        };
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
        return pipelines.of(authority + "/" + method.getServiceName());
    }

    /** The pipelines of now. */
    public List<Pipeline> pipelines() {
        return pipelines.all();
    }

    /** Closes all pipelines, and those that are made later. */
    @Override
    public void close() {
        pipelines.close();
    }
}
