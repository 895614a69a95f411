/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.CallObserver;
import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.ObservationView;
import io.micrometer.tracing.Link;
import io.micrometer.tracing.Span;
import io.micrometer.tracing.handler.DefaultTracingObservationHandler;
import io.micrometer.tracing.handler.TracingObservationHandler;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes a Micrometer {@link Observation} of each call, and one of each attempt as its child. With a tracing handler in the
 * registry they are spans of OpenTelemetry or Brave; {@code docs/tracing.md} lists their names and attributes.
 *
 * <pre>{@code
 * Pipeline inventory = Pipeline.builder("inventory").standard().observer(new ObservationObserver(observations)).build();
 * }</pre>
 *
 * <p>The attempt's observation is current on the thread that runs the action, so that an instrumented client makes its spans
 * below it. The parent of a call is what is current where the call begins. One observer may serve any number of pipelines and
 * threads. Values of low cardinality are bounded: after the first 100 operations of a pipeline, further ones are {@code
 * other}.
 *
 * <p>Names and values can be changed with a {@link io.micrometer.observation.GlobalObservationConvention} for {@link
 * CallObservation} or {@link AttemptObservation}.
 */
public final class ObservationObserver implements CallObserver {
    private final ObservationRegistry registry;

    /** Makes observations in this registry. A pipeline that is built with {@link ObservationRegistry#NOOP} is not followed. */
    public ObservationObserver(ObservationRegistry registry) {
        this.registry = Objects.requireNonNull(registry, "registry");
    }

    /** A tracer follows calls by itself: the pipeline need not measure them. */
    @Override
    public boolean hearsCalls() {
        return false;
    }

    @Override
    public @Nullable Tracer tracer(String pipeline) {
        return registry == ObservationRegistry.NOOP ? null : new PipelineTracer(registry, pipeline);
    }

    /**
     * What is known of a call, for conventions, filters and handlers. The outcome and what goes with it are known at the end.
     */
    public static final class CallObservation extends Observation.Context {
        private final String pipeline;
        private final String operation;
        private final boolean background;

        @Nullable
        Outcome outcome;

        Source source = Source.LIVE;
        Duration age = Duration.ZERO;
        int attempts;

        CallObservation(String pipeline, String operation, boolean background) {
            this.pipeline = pipeline;
            this.operation = operation;
            this.background = background;
        }

        /** The name of the pipeline. */
        public String pipeline() {
            return pipeline;
        }

        /** The name of the operation; {@code none} or {@code other}, as in the metrics. */
        public String operation() {
            return operation;
        }

        /** Whether the pipeline itself makes the call, such as the refresh of a cached value. */
        public boolean background() {
            return background;
        }

        /** How the call ended; null before its end. */
        public @Nullable Outcome outcome() {
            return outcome;
        }

        /** Where the answer came from; {@link Source#LIVE} if there is none. */
        public Source source() {
            return source;
        }

        /** How old the answer is; zero unless it comes from memory. */
        public Duration age() {
            return age;
        }

        /** How many attempts were started. */
        public int attempts() {
            return attempts;
        }
    }

    /** What is known of an attempt, for conventions, filters and handlers. The outcome is known at the end. */
    public static final class AttemptObservation extends Observation.Context {
        private final CallObservation call;
        private final int number;
        private final boolean hedge;
        private final @Nullable ObservationView linked;

        @Nullable
        Outcome outcome;

        boolean left;

        AttemptObservation(CallObservation call, int number, boolean hedge, @Nullable ObservationView linked) {
            this.call = call;
            this.number = number;
            this.hedge = hedge;
            this.linked = linked;
        }

        /** The call. */
        public CallObservation call() {
            return call;
        }

        /** The number of the attempt, from 1. */
        public int number() {
            return number;
        }

        /** Whether it was started beside an attempt that was slow. */
        public boolean hedge() {
            return hedge;
        }

        /** Of a hedge: the slow attempt that it was started beside. Null for every other attempt. */
        public @Nullable ObservationView linked() {
            return linked;
        }

        /** How the attempt ended; null before its end. */
        public @Nullable Outcome outcome() {
            return outcome;
        }

        /** Whether the work went on after the attempt was given up. */
        public boolean left() {
            return left;
        }
    }

    /**
     * Makes spans of the observations of pipelines, as Micrometer's {@link DefaultTracingObservationHandler} does, with two
     * things that an observation cannot say: the link from a hedge to the slow attempt, and numbers as numbers. Needs {@code
     * io.micrometer:micrometer-tracing} on the class path, which the observer itself does not.
     *
     * <p>Comes before the default handler in a {@link
     * io.micrometer.observation.ObservationHandler.FirstMatchingCompositeObservationHandler}, so that each observation has one
     * span. It is no subclass of that one: Spring Boot would take it for a default handler, and leave its own out.
     */
    public static final class SpanHandler implements TracingObservationHandler<Observation.Context> {
        private final DefaultTracingObservationHandler plain;

        /** Makes spans with this tracer. */
        public SpanHandler(io.micrometer.tracing.Tracer tracer) {
            plain = new DefaultTracingObservationHandler(Objects.requireNonNull(tracer, "tracer"));
        }

        @Override
        public io.micrometer.tracing.Tracer getTracer() {
            return plain.getTracer();
        }

        @Override
        public boolean supportsContext(Observation.Context context) {
            return context instanceof CallObservation || context instanceof AttemptObservation;
        }

        @Override
        public void onStart(Observation.Context context) {
            Span slow = context instanceof AttemptObservation attempt ? spanOf(attempt.linked()) : null;
            if (slow == null) {
                plain.onStart(context);
                return;
            }
            // Not with setParent: the bridge to OpenTelemetry gives such a span no status OK at its end.
            io.micrometer.tracing.Tracer.SpanInScope parent = getTracer().withSpan(getParentSpan(context));
            try {
                getTracingContext(context)
                        .setSpan(getTracer()
                                .spanBuilder()
                                .name(getSpanName(context))
                                .addLink(new Link(slow))
                                .start());
            } finally {
                parent.close();
            }
        }

        private static @Nullable Span spanOf(@Nullable ObservationView observation) {
            TracingContext tracing =
                    observation == null ? null : observation.getContextView().get(TracingContext.class);
            return tracing == null ? null : tracing.getSpan();
        }

        @Override
        public void onStop(Observation.Context context) {
            Span span = getRequiredSpan(context);
            span.name(getSpanName(context));
            tagSpan(context, span);
            endSpan(context, span);
        }

        @Override
        public void tagSpan(Observation.Context context, Span span) {
            // Not with the default handler's strings as well: OpenTelemetry would keep both.
            for (KeyValue value : context.getAllKeyValues()) {
                tag(span, value.getKey(), value.getValue());
            }
        }

        private static void tag(Span span, String key, String value) {
            switch (key) {
                case Conventions.ATTEMPTS, Conventions.ATTEMPT, Conventions.RESEND_COUNT ->
                    span.tag(key, Long.parseLong(value));
                case Conventions.STALE_AGE -> span.tag(key, Double.parseDouble(value));
                default -> span.tag(key, value);
            }
        }
    }
}
