/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.config.internal.keyed.InUse;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A pipeline of a file, and what its policies were made of. Changed by one thread at a time. */
final class Running {
    /**
     * A policy in its place.
     *
     * @param madeOf what its section said
     */
    record Part(Object madeOf, Policy policy) {}

    private final Switch classifies;
    private final Classifier classifier;
    private final List<Part> parts;
    final Pipeline pipeline;
    final PipelinePlan plan;

    /** A classifier that can be exchanged: a pipeline has one for its life. */
    static final class Switch implements Classifier {
        private volatile Classifier present;

        Switch(Classifier first) {
            present = first;
        }

        @Override
        public Verdict classify(@Nullable Object value, @Nullable Throwable error) {
            return present.classify(value, error);
        }
    }

    Running(Pipeline pipeline, PipelinePlan plan, Switch classifies, List<Part> parts) {
        this.plan = plan;
        this.pipeline = pipeline;
        this.classifies = classifies;
        this.classifier = classifies.present;
        this.parts = parts;
    }

    /**
     * The policies of a plan. One that is made of the same as before is the one before, with its state.
     *
     * @param counting of an instance with a key; null: it has none
     */
    static List<Part> parts(PipelinePlan plan, @Nullable Running before, Problems problems, @Nullable InUse counting) {
        List<Part> left = before == null ? new ArrayList<>() : new ArrayList<>(before.parts);
        List<Part> parts = new ArrayList<>();
        for (Layer layer : plan.layers()) {
            Object madeOf = layer.madeOf();
            Optional<Part> same =
                    left.stream().filter(part -> part.madeOf().equals(madeOf)).findFirst();
            same.ifPresent(left::remove);
            same.or(() -> layer.policy(problems).map(policy -> new Part(madeOf, policy)))
                    .ifPresent(parts::add);
        }
        if (counting != null) {
            // A deadline stays outermost.
            int inside = 0;
            while (inside < parts.size()
                    && ShadowPolicy.inside(parts.get(inside).policy()).name().equals("deadline")) {
                inside++;
            }
            parts.add(inside, new Part(counting, counting));
        }
        return parts;
    }

    /** The same pipeline with what a later plan says. Throws if these policies can never work together; then nothing changes. */
    Running with(PipelinePlan newPlan, List<Part> newParts) {
        if (!policies(newParts).equals(policies(parts))) {
            pipeline.replace(policies(newParts).toArray(new Policy[0]));
        }
        if (!newPlan.histograms().equals(plan.histograms())) {
            pipeline.replaceHistograms(newPlan.histograms().orElse(null));
        }
        classifies.present = newPlan.classifier();
        return new Running(pipeline, newPlan, classifies, newParts);
    }

    boolean isAs(PipelinePlan other, List<Part> others) {
        return other.classifier().equals(classifier)
                && other.histograms().equals(plan.histograms())
                && policies(others).equals(policies(parts));
    }

    /** Takes a change back. */
    void again() {
        classifies.present = classifier;
        pipeline.replace(policies(parts).toArray(new Policy[0]));
        pipeline.replaceHistograms(plan.histograms().orElse(null));
    }

    private static List<Policy> policies(List<Part> parts) {
        return parts.stream().map(Part::policy).toList();
    }
}
