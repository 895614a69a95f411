/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.Pipeline;
import io.grpc.MethodDescriptor;
import java.util.Objects;

/**
 * Which pipeline a call gets, by the authority of its channel and by its method.
 *
 * <pre>{@code
 * GrpcPipelines shops = PipelinePerService.standard("shops");                                         // in code
 * GrpcPipelines shops = (authority, method) -> holdfast.pipeline("shops", method.getServiceName());   // of a file
 * GrpcPipelines stock = GrpcPipelines.one(stock);                                                     // one service
 * }</pre>
 */
@FunctionalInterface
public interface GrpcPipelines {
    /**
     * The pipeline for calls of this method, the same one each time. Called with each call, by any number of threads; must be quick.
     *
     * @param authority of the channel: {@code stock.example:443}
     */
    Pipeline of(String authority, MethodDescriptor<?, ?> method);

    /** This pipeline for all calls: for a channel to one service. */
    static GrpcPipelines one(Pipeline pipeline) {
        Objects.requireNonNull(pipeline, "pipeline");
        return (authority, method) -> pipeline;
    }
}
