/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

import dev.holdfast.matrix.Ending.Event;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * One case: pipelines one inside the other, the outermost first, how each is called, and how the call ends. Its text can be
 * {@linkplain #parse read again}.
 *
 * @param layers all layers of all levels, the outermost first; an index into it is a layer's number
 * @param spied whether a spy stands in the place of each policy
 */
record Cell(List<Level> levels, List<Layer> layers, Ending ending, boolean spied, long seed) {

    /** How a pipeline is called. */
    enum Way {
        CALL,
        ASYNC
    }

    /** One pipeline. */
    record Level(Way way, List<Layer> layers) {
        boolean has(Layer layer) {
            return layers.contains(layer);
        }

        @Override
        public String toString() {
            String policies = layers.isEmpty()
                    ? "-"
                    : layers.stream().map(Layer::toString).collect(Collectors.joining(">"));
            return way.name().toLowerCase(Locale.ROOT) + "(" + policies + ")";
        }

        static Level parse(String text) {
            String policies = text.substring(text.indexOf('(') + 1, text.indexOf(')'));
            List<Layer> layers = new ArrayList<>();
            for (String policy : policies.equals("-") ? new String[0] : policies.split(">", -1)) {
                layers.add(Layer.valueOf(policy.toUpperCase(Locale.ROOT)));
            }
            return new Level(Way.valueOf(text.substring(0, text.indexOf('(')).toUpperCase(Locale.ROOT)), layers);
        }
    }

    /** The same seed and spies for the same case, whatever else is in the matrix. */
    static Cell of(Ending ending, Level... levels) {
        long hash = (Arrays.toString(levels) + ending).hashCode() & 0xffff;
        List<Layer> layers =
                Arrays.stream(levels).flatMap(level -> level.layers().stream()).toList();
        return new Cell(List.of(levels), layers, ending, hash % 2 == 1, hash);
    }

    static Cell parse(String text) {
        String[] parts = text.trim().split(" +", -1);
        Level[] levels =
                Arrays.stream(parts[0].split("/", -1)).map(Level::parse).toArray(Level[]::new);
        return of(Ending.valueOf(parts[1]), levels);
    }

    @Override
    public String toString() {
        return levels.stream().map(Level::toString).collect(Collectors.joining("/")) + " " + ending;
    }

    Level level(int index) {
        return levels.get(index);
    }

    int last() {
        return levels.size() - 1;
    }

    Ending.Spec spec() {
        return ending.spec;
    }

    /** The number of a level's first layer. */
    int first(int level) {
        int first = 0;
        for (int i = 0; i < level; i++) {
            first += level(i).layers().size();
        }
        return first;
    }

    /** The layer that the trouble is for; -1 if there is none. */
    int met() {
        List<Layer> layers = layers();
        for (int i = 0; i < layers.size(); i++) {
            if (spec().trouble().meets(layers.get(i))) {
                return i;
            }
        }
        return -1;
    }

    /** The limit of a layer, which is longer than all further in, so that no two strike at one time. */
    long limit(int number) {
        List<Layer> layers = layers();
        if (spec().outerIsShort() && layers.subList(0, number).stream().noneMatch(Layer::limits)) {
            return Ending.SHORT;
        }
        long further = layers.subList(number + 1, layers.size()).stream()
                .filter(Layer::limits)
                .count();
        return (layers.get(number) == Layer.DEADLINE ? 250 : 100) + 35 * further;
    }

    boolean any(Way way) {
        return levels.stream().anyMatch(level -> level.way() == way);
    }

    /** Whether this ending can come about in these pipelines. */
    boolean makesSense() {
        Ending.Spec spec = spec();
        List<Layer> layers = layers();
        return (!spec.limited() || layers.stream().anyMatch(Layer::limits))
                && (spec.script() != Script.REFLAG || level(last()).way() == Way.CALL)
                && (!ending.isBy(Event.CANCEL) || level(0).way() == Way.ASYNC)
                && (!ending.isBy(Event.INTERRUPT) || any(Way.CALL))
                && (spec.trouble() == Trouble.NONE || met() >= 0)
                && (ending != Ending.STAGE_AT_LIMIT || layers.contains(Layer.STAGE));
    }
}
