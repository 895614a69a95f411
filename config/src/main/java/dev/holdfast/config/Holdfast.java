/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.TimeSource;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.stream.Stream;
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
     * Makes the pipelines of a file, or of several, that name nothing from code.
     *
     * @throws ConfigException if anything is wrong with a file; then nothing has been made
     */
    public static Holdfast load(Path file, Path... more) {
        return builder().load(file, more);
    }

    /** What is wrong with a file, or with several, that name nothing from code; empty if they can be loaded. */
    public static List<ConfigException.Problem> check(Path file, Path... more) {
        return builder().check(file, more);
    }

    /**
     * A JSON Schema (2020-12) of the files that may be loaded with the policies on the class path, for editors and other tools.
     * The one of Holdfast's own policies is in the jar: {@code dev/holdfast/config/holdfast.schema.json}.
     */
    public static String schema() {
        return Schema.of(Factories.loaded());
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
        private Function<String, @Nullable String> variables = System::getenv;

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

        /**
         * What the placeholders of a file stand for: {@code ${NAME}}; null for a name that stands for nothing. Default: the
         * variables of the environment.
         */
        public Builder placeholders(Function<String, @Nullable String> variables) {
            this.variables = Objects.requireNonNull(variables, "variables");
            return this;
        }

        /** Uses these factories instead of those on the class path. */
        Builder factories(Factories factories) {
            this.factories = factories;
            return this;
        }

        /**
         * Makes the pipelines of a file, or of several: a later file adds to the earlier ones, and where both say something,
         * the later one wins.
         *
         * @throws ConfigException if anything is wrong with a file, or a name is not bound; it has all problems, and
         *     nothing has been made
         */
        public Holdfast load(Path file, Path... more) {
            return load(Stream.concat(Stream.of(file), Stream.of(more))
                    .map(Source::of)
                    .toList());
        }

        /**
         * The same, of files on the class path: of the context class loader of the thread, else of this class's.
         *
         * @param resource without a slash before it: {@code holdfast.yaml}
         * @throws ConfigException as {@link #load(Path, Path...)}
         */
        public Holdfast loadResource(String resource, String... more) {
            ClassLoader context = Thread.currentThread().getContextClassLoader();
            ClassLoader loader = context == null ? Holdfast.class.getClassLoader() : context;
            return load(Stream.concat(Stream.of(resource), Stream.of(more))
                    .map(name -> Source.ofResource(name, loader))
                    .toList());
        }

        /**
         * The same, of a stream, which is read to its end and closed.
         *
         * @param name what messages call it
         * @throws ConfigException as {@link #load(Path, Path...)}
         */
        public Holdfast load(String name, InputStream yaml) {
            Objects.requireNonNull(yaml, "yaml");
            return load(List.of(new Source(Objects.requireNonNull(name, "name"), () -> yaml)));
        }

        /**
         * What is wrong with a file, or with several; empty if they can be loaded. The pipelines are made without observers and
         * closed at once. Names that code binds must be bound here, too.
         */
        public List<ConfigException.Problem> check(Path file, Path... more) {
            try {
                Problems problems = new Problems();
                List<Source> sources = Stream.concat(Stream.of(file), Stream.of(more))
                        .map(Source::of)
                        .toList();
                pipelines(plans(sources, problems), List.of(), problems)
                        .values()
                        .forEach(Pipeline::close);
                return List.of();
            } catch (ConfigException wrong) {
                return wrong.problems();
            }
        }

        private Holdfast load(List<Source> sources) {
            Problems problems = new Problems();
            return new Holdfast(pipelines(plans(sources, problems), observers, problems));
        }

        private List<PipelinePlan> plans(List<Source> sources, Problems problems) {
            Placeholders placeholders = new Placeholders(variables);
            List<Node> roots = sources.stream()
                    .map(source -> YamlFile.read(source, placeholders, problems))
                    .flatMap(Optional::stream)
                    .toList();
            PlanReader reader =
                    new PlanReader(factories == null ? Factories.loaded() : factories, new Bindings(bound), problems);
            List<PipelinePlan> plans = roots.isEmpty() ? List.of() : reader.read(roots);
            problems.throwIfAny();
            return plans;
        }

        /** All policies are made before the first pipeline: a policy is only an object, but a pipeline has threads and meters. */
        private Map<PipelinePlan, Pipeline.Builder> builders(
                List<PipelinePlan> plans, List<CallObserver> told, Problems problems) {
            Map<PipelinePlan, Pipeline.Builder> builders = new LinkedHashMap<>();
            plans.forEach(plan -> builders.put(plan, builder(plan, told, problems)));
            problems.throwIfAny();
            return builders;
        }

        private Map<String, Pipeline> pipelines(List<PipelinePlan> plans, List<CallObserver> told, Problems problems) {
            Map<String, Pipeline> built = new LinkedHashMap<>();
            try {
                builders(plans, told, problems).forEach((plan, builder) -> build(plan, builder, built, problems));
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

        private Pipeline.Builder builder(PipelinePlan plan, List<CallObserver> told, Problems problems) {
            Pipeline.Builder builder = Pipeline.builder(plan.name()).policies(plan.policies(problems));
            plan.classifier().ifPresent(builder::classifier);
            told.forEach(builder::observer);
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
