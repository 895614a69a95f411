/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/**
 * Holdfast's figure beside that of one peer, by the fastest of its variants.
 *
 * @param ratio ours to theirs in time: below 1 Holdfast is the faster one
 */
@JsonPropertyOrder({"case", "threads", "ours_ns", "ours_bytes", "peer", "peer_ns", "peer_bytes", "ratio"})
record Ratio(
        @JsonProperty("case") String scenario,
        @JsonProperty("threads") int threads,
        @JsonProperty("ours_ns") double oursNanos,
        @JsonProperty("ours_bytes") double oursBytes,
        @JsonProperty("peer") String peer,
        @JsonProperty("peer_ns") double peerNanos,
        @JsonProperty("peer_bytes") double peerBytes,
        @JsonProperty("ratio") double ratio) {

    static Ratio of(Figure ours, Figure peer) {
        return new Ratio(
                ours.scenario().title(),
                ours.threads(),
                ours.nanos(),
                ours.bytes(),
                peer.library().title(),
                peer.nanos(),
                peer.bytes(),
                ours.nanos() / peer.nanos());
    }
}
