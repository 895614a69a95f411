/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Classifier;
import dev.holdfast.spi.CallObserver.Histograms;
import java.util.List;
import java.util.Optional;

/**
 * A pipeline of the file, before its policies are made.
 *
 * @param place where it stands
 * @param layers outermost first; a section that the order names twice is there twice
 * @param keys how many instances it has, if it has keys
 * @param histograms what observers show of latencies
 * @param advised whether it measures its traffic, to give advice
 * @param silenced the rules whose warnings and advice are left out
 */
record PipelinePlan(
        String name,
        Place place,
        Classifier classifier,
        List<Layer> layers,
        KeySettings keys,
        Optional<Histograms> histograms,
        boolean advised,
        List<String> silenced) {
    /** The same, for an instance. */
    PipelinePlan named(String newName) {
        return new PipelinePlan(newName, place, classifier, layers, keys, histograms, advised, silenced);
    }

    /**
     * The same, for the instance that several keys share: without a cache, since callers of one key would get the values of another
     * one.
     */
    PipelinePlan forSeveralKeys() {
        List<Layer> kept = layers.stream()
                .filter(layer -> !layer.key().equals("stale-cache"))
                .toList();
        return new PipelinePlan(name, place, classifier, kept, keys, histograms, advised, silenced);
    }
}
