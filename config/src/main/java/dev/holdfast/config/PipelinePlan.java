/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Classifier;
import dev.holdfast.spi.CallObserver.Histograms;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

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
    // Two plans are never the same. And the JDK's own for records of Java 17 remembers the last one in the whole
    // process, and so its
    // class loader.
    @Override
    @SuppressWarnings("ReferenceEquality")
    public boolean equals(@Nullable Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }

    /**
     * Refuses pipelines of which one may get an instance with the name of the other: nobody knows the keys before.
     *
     * @param running the names of pipelines that there are already
     */
    static void refuseNamesOfInstances(List<PipelinePlan> plans, Set<String> running, Problems problems) {
        Map<String, PipelinePlan> byName = new HashMap<>();
        plans.forEach(plan -> byName.put(plan.name(), plan));
        for (PipelinePlan plan : plans) {
            prefixes(plan.name())
                    .filter(other -> byName.containsKey(other) || running.contains(other))
                    .forEach(other -> plan.refuse(plan.name(), other, byName.keySet(), problems));
        }
        for (String name : running) {
            prefixes(name)
                    .filter(other -> byName.containsKey(other) && !byName.containsKey(name))
                    .forEach(other ->
                            Objects.requireNonNull(byName.get(other)).refuse(name, other, byName.keySet(), problems));
        }
    }

    /** What stands before each slash. */
    private static Stream<String> prefixes(String name) {
        return IntStream.range(0, name.length())
                .filter(i -> name.charAt(i) == '/')
                .mapToObj(i -> name.substring(0, i));
    }

    private void refuse(String longer, String shorter, Set<String> inFiles, Problems problems) {
        String what = longer + " is also the name of the instance of " + shorter + " for a key";
        String expected = "no two pipelines NAME and NAME/…";
        Stream.of(longer, shorter)
                .filter(name -> !inFiles.contains(name))
                .findFirst()
                .ifPresentOrElse(
                        left -> problems.add(
                                place,
                                what + ", and " + left + " goes on, which is no longer in the configuration",
                                expected + ", or a restart"),
                        () -> problems.add(place, what, expected));
    }

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
