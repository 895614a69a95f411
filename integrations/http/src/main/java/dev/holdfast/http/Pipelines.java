/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.Pipeline;
import java.util.Objects;

/**
 * Which pipeline a request gets, by its authority. With one for each, a slow host never turns away calls to another one.
 *
 * <pre>{@code
 * Pipelines shops = PipelinePerAuthority.standard("shops");                        // in code
 * Pipelines shops = authority -> holdfast.pipeline("shops", authority);             // of a file
 * Pipelines one = Pipelines.one(inventory);                                         // one host, and this Pipeline for it
 * }</pre>
 */
@FunctionalInterface
public interface Pipelines {
    /**
     * The pipeline for requests to this authority, the same one each time. Called with each request, by any number of threads;
     * must be quick.
     *
     * @param authority {@code https://stock.example:443}: scheme, host and port, in lower case
     */
    Pipeline of(String authority);

    /** This pipeline for all requests: for a client of one service. */
    static Pipelines one(Pipeline pipeline) {
        Objects.requireNonNull(pipeline, "pipeline");
        return authority -> pipeline;
    }
}
