/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.Pipeline;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Something for each pipeline, made when it is first asked for, and in it what there is for each name of an operation. Both are
 * bounded: pipelines come and go, and a name may come from outside.
 *
 * @param <P> what each pipeline has
 */
final class PerPipeline<P> {
    /** Above this many pipelines all are forgotten, since most of them are gone. */
    private static final int MOST_PIPELINES = 2_048;

    /** Names of operations are tags of meters. Above this many, all further ones are one. */
    private static final int MOST_NAMES = 100;

    private static final String OTHER = "other";

    private final Map<Pipeline, P> known = new ConcurrentHashMap<>();
    private final Function<Pipeline, P> maker;

    PerPipeline(Function<Pipeline, P> maker) {
        this.maker = maker;
    }

    P of(Pipeline pipeline) {
        P found = known.get(pipeline);
        if (found == null) {
            if (known.size() >= MOST_PIPELINES) {
                known.clear();
            }
            found = known.computeIfAbsent(pipeline, maker);
        }
        return found;
    }

    /** The names of operations of one pipeline. */
    static final class Names {
        private final Set<String> known = ConcurrentHashMap.newKeySet();

        private String of(String name) {
            if (known.size() < MOST_NAMES) {
                known.add(name);
            }
            return known.contains(name) ? name : OTHER;
        }
    }

    /** One thing for each name. */
    static final class Named<V> {
        private final Map<String, V> known = new ConcurrentHashMap<>();
        private final Names names;
        private final Function<String, V> maker;

        Named(Names names, Function<String, V> maker) {
            this.names = names;
            this.maker = maker;
        }

        V of(String name) {
            V found = known.get(name);
            return found != null ? found : known.computeIfAbsent(names.of(name), maker);
        }
    }
}
