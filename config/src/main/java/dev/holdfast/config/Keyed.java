/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Pipeline;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.change.Exchange;
import dev.holdfast.internal.keyed.InUse;
import dev.holdfast.internal.keyed.Instances;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The instances of one pipeline by keys. They have the same settings, which a reload changes in all, and each its own state. */
final class Keyed extends Instances<Keyed.Instance> implements CallObserver.Keys {
    /** Of a key in the name of its pipeline: keys come from outside. */
    private static final int LONGEST = 100;

    private static final SafeLog LOG = SafeLog.of("dev.holdfast");

    /** A pipeline, and what its calls are counted by. */
    static final class Instance {
        private final InUse use;
        private final boolean hasSeveralKeys;

        /** That of all keys. Changed while the instance is made, by the thread that makes it; then nobody asks any more. */
        private PipelinePlan madeOf;

        private volatile Running running;

        Instance(InUse use, boolean hasSeveralKeys, PipelinePlan madeOf, Running running) {
            this.use = use;
            this.hasSeveralKeys = hasSeveralKeys;
            this.madeOf = madeOf;
            this.running = running;
        }

        Pipeline pipeline() {
            return running.pipeline;
        }

        Running.Change change(PipelinePlan newPlan, Problems problems) {
            PipelinePlan own = hasSeveralKeys ? newPlan.forSeveralKeys() : newPlan;
            return running.with(own, Running.parts(own, running, problems, use));
        }

        void become(Running.Change change) {
            change.make();
            running = change.after;
        }
    }

    private final String name;
    private final BiFunction<PipelinePlan, InUse, Running> maker;
    private final Consumer<Keyed> whenClosed;
    private volatile PipelinePlan plan;
    private volatile boolean allAreClosed;
    /** Whoever still holds one may use it; it is in no meter. */
    private final Set<Pipeline> gone = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    /** With what makes an instance of a plan and what counts its calls, and what hears that all are closed. */
    Keyed(
            PipelinePlan plan,
            TimeSource time,
            BiFunction<PipelinePlan, InUse, Running> maker,
            Consumer<Keyed> whenClosed) {
        super(plan.name(), time);
        this.whenClosed = whenClosed;
        this.plan = plan;
        this.name = plan.name();
        this.maker = maker;
    }

    @Override
    protected CallObserver.Keys keys() {
        return this;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int max() {
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
        boolean hasSeveralKeys = key.equals(OTHER);
        PipelinePlan present = plan;
        PipelinePlan own =
                (hasSeveralKeys ? present.forSeveralKeys() : present).named(name + "/" + shown(key, LONGEST));
        return new Instance(counting, hasSeveralKeys, present, maker.apply(own, counting));
    }

    /** A reload that came while it was made. */
    @Override
    @SuppressWarnings("ReferenceEquality") // the very plan: one that says the same may name other shared policies
    protected @Nullable Runnable missed(Instance instance) {
        PipelinePlan present = plan;
        if (instance.madeOf == present) {
            return null;
        }
        return () -> {
            instance.madeOf = present;
            changeLate(instance, present);
        };
    }

    @Override
    protected void letGo(Instance instance) {
        gone.add(instance.pipeline());
    }

    @Override
    protected void retire(Instance instance) {
        instance.pipeline().retire();
    }

    @Override
    protected void close(Instance instance) {
        instance.pipeline().close();
        if (allAreClosed) {
            // But this one, which was made meanwhile: whoever heard that all are closed has seen another one.
            whenClosed.accept(this);
        }
    }

    @Override
    public void close() {
        super.close();
        // What goes meanwhile is in the one or the other: it is here before it is no longer there.
        new ArrayList<>(gone).forEach(Pipeline::close);
        allAreClosed = true;
        whenClosed.accept(this);
    }

    /**
     * Gives all instances what a later plan says. Throws if its policies can never work together. Instances are made and closed
     * meanwhile: foreign code runs here, and may take long.
     */
    Exchange change(PipelinePlan newPlan, Problems problems) {
        Map<Instance, Running.Change> changes = new LinkedHashMap<>();
        Exchange change = new Exchange() {
            @Override
            protected void change() {
                // Those that were made since then are changed one by one: it is known that the new policies fit
                // together.
                List<Instance> all = use(newPlan);
                changes.forEach((instance, one) -> instance.become(one));
                all.stream()
                        .filter(instance -> !changes.containsKey(instance))
                        .forEach(instance -> changeLate(instance, newPlan));
                lookSooner();
            }

            @Override
            public void close() {
                changes.values().forEach(Exchange::close);
            }
        };
        boolean isAgreed = false;
        try {
            all().forEach(instance -> changes.put(instance, instance.change(newPlan, problems)));
            isAgreed = true;
            return change;
        } finally {
            if (!isAgreed) {
                change.close();
            }
        }
    }

    private static void changeLate(Instance instance, PipelinePlan newPlan) {
        Problems problems = new Problems();
        try (Running.Change change = instance.change(newPlan, problems)) {
            problems.throwIfAny();
            instance.become(change);
        } catch (Throwable refused) {
            LOG.warn("pipeline '" + instance.pipeline().name() + "' stays as it was before a reload", refused);
        }
    }

    /** From now on instances are made of this plan. Returns those that were made of the one before. */
    private List<Instance> use(PipelinePlan next) {
        lock.lock();
        try {
            plan = next;
            return all();
        } finally {
            lock.unlock();
        }
    }

    List<Pipeline> pipelines() {
        return all().stream().map(Instance::pipeline).toList();
    }
}
