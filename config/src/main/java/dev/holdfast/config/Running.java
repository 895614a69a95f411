/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Pipeline;
import dev.holdfast.internal.change.Exchange;
import dev.holdfast.internal.keyed.InUse;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
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
            // Not by equals: see KeySettings.
            same.ifPresent(found -> left.removeIf(part -> part.policy() == found.policy()));
            same.or(() -> layer.policy(problems).map(policy -> new Part(madeOf, policy)))
                    .ifPresent(parts::add);
        }
        if (counting != null) {
            parts.add(InUse.place(policies(parts)), new Part(counting, counting));
        }
        try {
            // Of a pipeline whose problems are told with those of the others.
            List<Policy> policies = policies(parts);
            Pipeline.Builder unused = Pipeline.builder(plan.name())
                    .policies(before == null ? policies : before.asByHand(policies, before.pipeline.policies()));
        } catch (IllegalArgumentException never) {
            problems.add(plan.place(), String.valueOf(never.getMessage()));
        }
        return parts;
    }

    /** The same pipeline with what a later plan says. Throws if these policies can never work together. */
    Change with(PipelinePlan newPlan, List<Part> newParts) {
        List<Policy> policies = policies(newParts);
        return new Change(
                new Running(pipeline, newPlan, newParts),
                policies.equals(policies(parts)) ? null : Exchange.of(pipeline, present -> asByHand(policies, present)),
                !newPlan.histograms().equals(plan.histograms()));
    }

    /** What a later plan changes in a pipeline. */
    static final class Change extends Exchange {
        final Running after;
        private final @Nullable Exchange policies;
        private final boolean withHistograms;

        private Change(Running after, @Nullable Exchange policies, boolean withHistograms) {
            this.after = after;
            this.policies = policies;
            this.withHistograms = withHistograms;
        }

        @Override
        protected void change() {
            if (policies != null) {
                policies.make();
            }
            if (withHistograms) {
                after.pipeline.replaceHistograms(after.plan.histograms().orElse(null));
            }
            after.pipeline.replaceClassifier(after.plan.classifier());
        }

        @Override
        public void close() {
            if (policies != null) {
                policies.close();
            }
        }
    }

    /** A policy that stays, and that somebody has put into shadow or out of it, stays so. */
    private List<Policy> asByHand(List<Policy> policies, List<Policy> present) {
        List<Policy> told = policies(parts);
        return policies.stream()
                .map(policy -> present.stream()
                        .filter(one -> told.contains(policy) && ShadowPolicy.inside(one) == ShadowPolicy.inside(policy))
                        .findFirst()
                        .orElse(policy))
                .toList();
    }

    boolean isAs(PipelinePlan other, List<Part> others) {
        return other.classifier().equals(plan.classifier())
                && other.keys().equals(plan.keys())
                && other.histograms().equals(plan.histograms())
                && policies(others).equals(policies(parts));
    }

    /**
     * What a later plan does although it may not say so: {@code max-concurrent-calls} alone makes a limit fixed that has adapted.
     */
    List<String> limitsFixedBy(List<Part> others) {
        List<Map<String, Object>> before = bulkheads(parts);
        List<Map<String, Object>> after = bulkheads(others);
        return IntStream.range(0, Math.min(before.size(), after.size()))
                .filter(at -> !isFixed(before.get(at)) && isFixed(after.get(at)))
                .mapToObj(at -> "pipeline '" + plan.name() + "': the limit of the bulkhead was "
                        + before.get(at).get("limit") + " and is fixed, at "
                        + after.get(at).get("max-concurrent-calls") + "; with limit: losses it adapts")
                .toList();
    }

    /** The settings of those that have a limit: not of existing ones of another library, and not of those in shadow. */
    private static List<Map<String, Object>> bulkheads(List<Part> parts) {
        return policies(parts).stream()
                .filter(policy -> policy.name().equals("bulkhead"))
                .map(Policy::settingsMap)
                .filter(settings -> settings.containsKey("limit"))
                .toList();
    }

    private static boolean isFixed(Map<String, Object> bulkhead) {
        return "fixed".equals(String.valueOf(bulkhead.get("limit")));
    }

    boolean has(Policy policy) {
        return policies(parts).contains(policy);
    }

    static List<Policy> policies(List<Part> parts) {
        return parts.stream().map(Part::policy).toList();
    }
}
