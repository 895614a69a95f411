/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.Pipeline;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.keyed.InUse;
import dev.holdfast.internal.keyed.Instances;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * A pipeline for each authority, all of one template, each with its own state. One that nobody has used for long goes, with its
 * meters; none goes while a call is in it. Above the bound, all further authorities share one. The first caller for an authority makes
 * its pipeline; others for this one wait for that, and nobody else; if it fails, it fails for them. Safe for any number of threads.
 */
public final class PipelinePerAuthority implements Pipelines, AutoCloseable {
    /** Addresses may come from outside. */
    private static final int LONGEST = 100;

    private static final int MOST = 1_000_000;

    private final Instances<Pipeline> instances;

    private PipelinePerAuthority(String name, Builder builder) {
        instances = new Instances<>(name, builder.time) {
            /** Somebody may hold them. */
            private final Set<Pipeline> gone =
                    Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

            @Override
            public int max() {
                return builder.max;
            }

            @Override
            protected long idleNanos() {
                return builder.idle.toNanos();
            }

            @Override
            protected List<Policy> policies(Pipeline pipeline) {
                return pipeline.policies();
            }

            @Override
            protected Pipeline make(String authority, InUse counting) {
                return pipeline(builder, name + "/" + shown(authority, LONGEST), counting);
            }

            @Override
            protected void letGo(Pipeline pipeline) {
                gone.add(pipeline);
            }

            @Override
            protected void retire(Pipeline pipeline) {
                pipeline.retire();
            }

            @Override
            protected void close(Pipeline pipeline) {
                pipeline.close();
            }

            @Override
            public void close() {
                super.close();
                // What goes meanwhile is here before it is no longer there.
                new ArrayList<>(gone).forEach(Pipeline::close);
            }
        };
    }

    private static Pipeline pipeline(Builder builder, String name, InUse counting) {
        Pipeline made = builder.template
                .apply(Pipeline.builder(name))
                .time(builder.time)
                .build();
        List<Policy> policies = new ArrayList<>(made.policies());
        policies.add(InUse.place(policies), counting);
        made.replace(policies.toArray(Policy[]::new));
        return made;
    }

    /** Of the {@linkplain Pipeline#standard standard pipeline}. */
    public static PipelinePerAuthority standard(String name) {
        return of(name, options -> {});
    }

    /**
     * Of a template.
     *
     * <pre>{@code
     * PipelinePerAuthority.of("shops", p -> p.template(b -> b.standard().observer(metrics)))
     * }</pre>
     *
     * @param name of the pipelines, before the authority: {@code shops/https://a.example:443}
     * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of range
     */
    public static PipelinePerAuthority of(String name, Consumer<? super Builder> configure) {
        Builder own = new Builder();
        configure.accept(own);
        Builder copy = new Builder(own);
        copy.check();
        return new PipelinePerAuthority(Objects.requireNonNull(name, "name"), copy);
    }

    /** Collects the options; they are checked together. */
    public static final class Builder {
        private UnaryOperator<Pipeline.Builder> template = Pipeline.Builder::standard;
        private int max = 1_000;
        private Duration idle = Duration.ofMinutes(10);
        private TimeSource time = TimeSource.system();

        private Builder() {}

        private Builder(Builder other) {
            template = other.template;
            max = other.max;
            idle = other.idle;
            time = other.time;
        }

        private void check() {
            new Checks("pipeline per authority")
                    .range("max", max, 1, MOST)
                    .range("idle", idle, Duration.ofSeconds(1), Duration.ofDays(365))
                    .done();
        }

        /**
         * What each pipeline is made of; default: {@link Pipeline.Builder#standard}. Called once for each authority, by several
         * threads at once, and must make new policies each time: shared ones would be one limit for all. It must not ask for the
         * pipeline of the authority that it is called for, nor may two ask for each other's: {@code IllegalStateException}.
         */
        public Builder template(UnaryOperator<Pipeline.Builder> value) {
            template = Objects.requireNonNull(value, "template");
            return this;
        }

        /** The most pipelines, 1 to 1,000,000; default 1,000. All further authorities share one, called {@code other}. */
        public Builder max(int value) {
            max = value;
            return this;
        }

        /** After what time without calls a pipeline goes, 1 s to 365 days; default 10 minutes. */
        public Builder idle(Duration value) {
            idle = Objects.requireNonNull(value, "idle");
            return this;
        }

        /** The source of time; default the system's. */
        public Builder time(TimeSource value) {
            time = Objects.requireNonNull(value, "time");
            return this;
        }
    }

    @Override
    public Pipeline of(String authority) {
        return instances.of(authority);
    }

    /** The pipelines of now, with the shared one. */
    public List<Pipeline> pipelines() {
        return instances.all();
    }

    /** Closes all pipelines, also those that have gone. */
    @Override
    public void close() {
        instances.close();
    }
}
