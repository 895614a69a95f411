/* SPDX-License-Identifier: Apache-2.0 */
/** Names the modules as the jars' manifests do. */
module consumer {
    requires dev.holdfast;
    requires dev.holdfast.circuitbreaker;
    requires dev.holdfast.bulkhead;
    requires dev.holdfast.throttling;
    requires dev.holdfast.stalecache;
    requires dev.holdfast.config;
    requires dev.holdfast.testing;
    requires io.github.resilience4j.circuitbreaker;
    requires io.github.resilience4j.bulkhead;

    // Jars with a descriptor, which Holdfast's jars need and, having none, cannot ask for.
    requires com.github.benmanes.caffeine;
    requires org.slf4j;
    requires org.yaml.snakeyaml;
}
