/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.TimeSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The pipelines of a configuration file.
 *
 * <pre>{@code
 * try (Holdfast holdfast = Holdfast.builder().bind("http-status", classifier).load(Path.of("holdfast.yaml"))) {
 *     Pipeline inventory = holdfast.pipeline("inventory");
 *     ...
 * }
 * }</pre>
 *
 * <p>Immutable, and safe for any number of threads. It owns the pipelines that it made, and nothing that it was given.
 */
public final class Holdfast implements AutoCloseable {
    private final Map<String, Pipeline> pipelines;

    private Holdfast(Map<String, Pipeline> pipelines) {
        this.pipelines = pipelines;
    }

    /**
     * Makes the pipelines of a file that names nothing from code.
     *
     * @throws ConfigException if anything is wrong with the file; then nothing has been made
     */
    public static Holdfast load(Path file) {
        return builder().load(file);
    }

    /** A builder for the settings that only code can give. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The pipeline of this name; always the same one.
     *
     * @throws IllegalArgumentException if the file has no such pipeline; the message has the nearest name
     */
    public Pipeline pipeline(String name) {
        Pipeline pipeline = pipelines.get(name);
        if (pipeline == null) {
            String nearest = Nearest.to(name, pipelines.keySet())
                    .map(near -> "did you mean '" + near + "'?")
                    .orElse("there are " + String.join(", ", pipelines.keySet()));
            throw new IllegalArgumentException("no pipeline '" + name + "'; " + nearest);
        }
        return pipeline;
    }

    /** All pipelines, in the order of the file. */
    public List<Pipeline> pipelines() {
        return List.copyOf(pipelines.values());
    }

    /** Closes every pipeline: calls in flight end, new ones are rejected. Once is enough. */
    @Override
    public void close() {
        pipelines.values().forEach(Pipeline::close);
    }

    @Override
    public String toString() {
        return String.join(
                System.lineSeparator(),
                pipelines.values().stream().map(Pipeline::toString).toList());
    }

    /** The settings that only code can give, for every pipeline of a file. For one thread at a time. */
    public static final class Builder {
        private final Map<String, Object> bound = new LinkedHashMap<>();
        private final List<CallObserver> observers = new ArrayList<>();
        private @Nullable TimeSource time;
        private @Nullable Executor executor;
        private CallContext @Nullable [] contexts;
        private @Nullable Factories factories;

        private Builder() {}

        /**
         * Gives a name to a classifier, a function or another object that an option needs, for use in the file. The file need
         * not use it.
         *
         * @throws IllegalArgumentException if the name is blank or bound already
         */
        public Builder bind(String name, Object value) {
            Objects.requireNonNull(value, "value");
            if (name.isBlank()) {
                throw new IllegalArgumentException("a name to bind must not be blank");
            }
            if (bound.putIfAbsent(name, value) != null) {
                throw new IllegalArgumentException("the name '" + name + "' is bound already");
            }
            return this;
        }

        /**
         * The same for a lambda, which needs its type: {@code bind("last-resort", Function.class, error -> EMPTY)}.
         *
         * @throws IllegalArgumentException if the name is blank or bound already
         */
        public <T> Builder bind(String name, Class<T> type, T value) {
            return bind(name, type.cast(value));
        }

        /** Tells this observer what happens in every pipeline; may be repeated. Default: none. */
        public Builder observer(CallObserver observer) {
            observers.add(Objects.requireNonNull(observer, "observer"));
            return this;
        }

        /** The source of time of the pipelines. Default: {@link TimeSource#system()}. */
        public Builder time(TimeSource time) {
            this.time = Objects.requireNonNull(time, "time");
            return this;
        }

        /** The executor of the pipelines' continuations; it is not closed. Default: each pipeline makes one. */
        public Builder executor(Executor executor) {
            this.executor = Objects.requireNonNull(executor, "executor");
            return this;
        }

        /**
         * The contexts that go with the calls to other threads, and no others; without arguments none. Default: the contexts
         * on the class path, as {@link Pipeline.Builder#context} says.
         */
        public Builder context(CallContext... contexts) {
            this.contexts = contexts.clone();
            return this;
        }

        /** Uses these factories instead of those on the class path. */
        Builder factories(Factories factories) {
            this.factories = factories;
            return this;
        }

        /**
         * Makes the pipelines of a file.
         *
         * @throws ConfigException if anything is wrong with the file, or a name is not bound; it has all problems, and
         *     nothing has been made
         */
        public Holdfast load(Path file) {
            Problems problems = new Problems(file.toString());
            Bindings bindings = new Bindings(bound);
            PlanReader reader = new PlanReader(factories == null ? Factories.loaded() : factories, bindings, problems);
            List<PipelinePlan> plans =
                    YamlFile.read(file, problems).map(reader::read).orElse(List.of());
            problems.throwIfAny();
            return new Holdfast(pipelines(plans, problems));
        }

        private Map<String, Pipeline> pipelines(List<PipelinePlan> plans, Problems problems) {
            // All policies are made before the first pipeline: a policy is only an object, but a pipeline has
            // threads and meters.
            Map<PipelinePlan, Pipeline.Builder> builders = new LinkedHashMap<>();
            plans.forEach(plan -> builders.put(plan, builder(plan, problems)));
            problems.throwIfAny();
            Map<String, Pipeline> built = new LinkedHashMap<>();
            try {
                builders.forEach((plan, builder) -> build(plan, builder, built, problems));
                problems.throwIfAny();
                return built;
            } catch (RuntimeException | Error e) {
                built.values().forEach(Pipeline::close);
                throw e;
            }
        }

        private static void build(
                PipelinePlan plan, Pipeline.Builder builder, Map<String, Pipeline> built, Problems problems) {
            try {
                built.put(plan.name(), builder.build());
            } catch (IllegalArgumentException e) {
                problems.add(plan.place(), String.valueOf(e.getMessage()));
            }
        }

        private Pipeline.Builder builder(PipelinePlan plan, Problems problems) {
            Pipeline.Builder builder = Pipeline.builder(plan.name()).policies(plan.policies(problems));
            plan.classifier().ifPresent(builder::classifier);
            observers.forEach(builder::observer);
            if (time != null) {
                builder.time(time);
            }
            if (executor != null) {
                builder.executor(executor);
            }
            if (contexts != null) {
                builder.context(contexts);
            }
            return builder;
        }
    }
}
