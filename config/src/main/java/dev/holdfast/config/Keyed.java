/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Pipeline;
import dev.holdfast.internal.Shown;
import dev.holdfast.internal.keyed.InUse;
import dev.holdfast.internal.keyed.Instances;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.BiFunction;

/** The instances of one pipeline by keys. They have the same settings, which a reload changes in all, and each its own state. */
final class Keyed extends Instances<Keyed.Instance> {
    /** Of a key in the name of its pipeline: keys come from outside. */
    private static final int LONGEST = 100;

    /** A pipeline, and what its calls are counted by. */
    static final class Instance {
        private final InUse use;
        private volatile Running running;

        Instance(InUse use, Running running) {
            this.use = use;
            this.running = running;
        }

        Pipeline pipeline() {
            return running.pipeline;
        }
    }

    private final String name;
    private final BiFunction<PipelinePlan, InUse, Running> maker;
    private volatile PipelinePlan plan;
    /** Whoever still holds one may use it; it is in no meter. */
    private final Set<Pipeline> gone = Collections.newSetFromMap(new WeakHashMap<>());

    /** Makes an instance of a plan and what counts its calls. */
    Keyed(PipelinePlan plan, TimeSource time, BiFunction<PipelinePlan, InUse, Running> maker) {
        super(time);
        this.plan = plan;
        this.name = plan.name();
        this.maker = maker;
    }

    @Override
    protected int max() {
        return plan.keys().max();
    }

    @Override
    protected long idleNanos() {
        return plan.keys().idle().toNanos();
    }

    @Override
    protected List<Policy> policies(Instance instance) {
        return instance.pipeline().policies();
    }

    @Override
    protected Instance make(String key, InUse counting) {
        return new Instance(counting, maker.apply(plan.named(name + "/" + Shown.line(key, LONGEST)), counting));
    }

    @Override
    protected void letGo(Instance instance) {
        gone.add(instance.pipeline());
        instance.pipeline().retire();
    }

    @Override
    protected void close(Instance instance) {
        instance.pipeline().close();
    }

    @Override
    public synchronized void close() {
        super.close();
        gone.forEach(Pipeline::close);
    }

    /**
     * Gives all instances what a later plan says. Throws if its policies can never work together; then nothing changes.
     *
     * @return takes the change back
     */
    synchronized Runnable change(PipelinePlan newPlan, Problems problems) {
        PipelinePlan planBefore = plan;
        Map<Instance, Running> before = new HashMap<>();
        Runnable back = () -> back(planBefore, before);
        try {
            for (Instance instance : all()) {
                List<Running.Part> parts = Running.parts(newPlan, instance.running, problems, instance.use);
                Running next = instance.running.with(newPlan, parts);
                before.put(instance, instance.running);
                instance.running = next;
            }
            plan = newPlan;
        } catch (RuntimeException | Error never) {
            back.run();
            throw never;
        }
        lookSooner();
        return back;
    }

    private synchronized void back(PipelinePlan planBefore, Map<Instance, Running> before) {
        plan = planBefore;
        for (Instance instance : all()) {
            Running known = before.get(instance);
            if (known != null) {
                known.again();
                instance.running = known;
            } else {
                // Made since; or not changed yet, and then this does nothing.
                List<Running.Part> parts = Running.parts(planBefore, instance.running, new Problems(), instance.use);
                instance.running = instance.running.with(planBefore, parts);
            }
        }
    }

    List<Pipeline> pipelines() {
        return all().stream().map(Instance::pipeline).toList();
    }
}
