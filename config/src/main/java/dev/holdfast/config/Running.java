/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.internal.keyed.InUse;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.CallObserver.Histograms;
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

    private final List<Part> parts;
    final Pipeline pipeline;
    final PipelinePlan plan;
    /** False if a change could not be taken back: the pipeline has others than these policies until a reload that is not refused. */
    private boolean isAsTold = true;

    Running(Pipeline pipeline, PipelinePlan plan, List<Part> parts) {
        this.plan = plan;
        this.pipeline = pipeline;
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
            Optional<Part> same = left.stream()
                    .filter(part -> layer.isOwn() && part.madeOf().equals(madeOf))
                    .findFirst();
            same.ifPresent(left::remove);
            same.or(() -> layer.policy(problems).map(policy -> new Part(madeOf, policy)))
                    .ifPresent(parts::add);
        }
        if (counting != null) {
            parts.add(InUse.place(policies(parts)), new Part(counting, counting));
        }
        try {
            // Before any pipeline is changed: what a policy takes over in a change that is taken back may be lost.
            List<Policy> policies = policies(parts);
            Pipeline.Builder unused =
                    Pipeline.builder(plan.name()).policies(before == null ? policies : before.asByHand(policies));
        } catch (IllegalArgumentException never) {
            problems.add(plan.place(), String.valueOf(never.getMessage()));
        }
        return parts;
    }

    /** The same pipeline with what a later plan says. Throws if these policies can never work together; then nothing changes. */
    Running with(PipelinePlan newPlan, List<Part> newParts) {
        if (!isAsTold || !policies(newParts).equals(policies(parts))) {
            pipeline.replace(asByHand(policies(newParts)).toArray(new Policy[0]));
        }
        if (!isAsTold || !newPlan.histograms().equals(plan.histograms())) {
            pipeline.replaceHistograms(newPlan.histograms().orElse(null));
        }
        pipeline.replaceClassifier(newPlan.classifier());
        return new Running(pipeline, newPlan, newParts);
    }

    /** A policy that stays, and that somebody has put into shadow or out of it, stays so. */
    List<Policy> asByHand(List<Policy> policies) {
        List<Policy> present = pipeline.policies();
        List<Policy> told = policies(parts);
        return policies.stream()
                .map(policy -> present.stream()
                        .filter(one -> told.contains(policy) && ShadowPolicy.inside(one) == ShadowPolicy.inside(policy))
                        .findFirst()
                        .orElse(policy))
                .toList();
    }

    boolean isAs(PipelinePlan other, List<Part> others) {
        return isAsTold
                && other.classifier().equals(plan.classifier())
                && other.keys().equals(plan.keys())
                && other.histograms().equals(plan.histograms())
                && policies(others).equals(policies(parts));
    }

    /** Takes a change that comes now back. To be asked for before it: somebody may have changed the pipeline by hand. */
    Runnable back() {
        List<Policy> policies = pipeline.policies();
        Classifier classifier = pipeline.classifier();
        Optional<Histograms> histograms = pipeline.histograms();
        boolean wasAsTold = isAsTold;
        return () -> {
            isAsTold = false;
            pipeline.replaceClassifier(classifier);
            if (!pipeline.histograms().equals(histograms)) {
                pipeline.replaceHistograms(histograms.orElse(null));
            }
            if (!pipeline.policies().equals(policies)) {
                pipeline.replace(policies.toArray(new Policy[0]));
            }
            isAsTold = wasAsTold;
        };
    }

    boolean has(Policy policy) {
        return policies(parts).contains(policy);
    }

    static List<Policy> policies(List<Part> parts) {
        return parts.stream().map(Part::policy).toList();
    }
}
