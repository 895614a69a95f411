/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Pipeline;
import dev.holdfast.config.internal.keyed.InUse;
import dev.holdfast.spi.TimeSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * The instances of one pipeline by keys. They have the same settings, and each its own state. Their number is bounded: above
 * the bound, all further keys share one.
 */
final class Keyed {
    private static final String OTHER = "other";

    /** Of a key in the name of its pipeline: keys come from outside. */
    private static final int LONGEST = 100;

    /** An instance, and when it was seen in use last. */
    private static final class Instance {
        final InUse use;
        volatile Running running;
        private long usedAt;

        Instance(InUse use, Running running, long now) {
            this.use = use;
            this.running = running;
            usedAt = now;
        }
    }

    private final String name;
    private final TimeSource time;
    private final BiFunction<PipelinePlan, InUse, Running> maker;
    private final Map<String, Instance> instances = new ConcurrentHashMap<>();
    private PipelinePlan plan;
    private @Nullable Instance other;
    private TimeSource.@Nullable Timer timer;
    private boolean closed;

    /** Makes an instance of a plan and what counts its calls. */
    Keyed(PipelinePlan plan, TimeSource time, BiFunction<PipelinePlan, InUse, Running> maker) {
        this.plan = plan;
        this.name = plan.name();
        this.time = time;
        this.maker = maker;
    }

    /** The instance of this key, made if need be. */
    Pipeline pipeline(String key) {
        Instance known = instances.get(key);
        if (known == null) {
            known = made(key);
        }
        known.use.touch();
        return known.running.pipeline;
    }

    private synchronized Instance made(String key) {
        Instance known = instances.get(key);
        if (known != null) {
            return known;
        }
        if (instances.size() >= plan.keys().max()) {
            if (other == null) {
                other = instance(OTHER);
            }
            return other;
        }
        Instance made = instance(key);
        instances.put(key, made);
        lookLater();
        return made;
    }

    private Instance instance(String key) {
        InUse use = new InUse();
        Running running = maker.apply(plan.named(name + "/" + Shown.line(key, LONGEST)), use);
        if (closed) {
            running.pipeline.close();
        }
        return new Instance(use, running, time.nanos());
    }

    private void lookLater() {
        if (timer == null && !closed) {
            timer = time.schedule(Math.max(1, plan.keys().idle().toNanos() / 2), this::look);
        }
    }

    /** Lets go what nobody has used for long. Whoever still holds such a pipeline may use it; it is in no meter. */
    private synchronized void look() {
        timer = null;
        long now = time.nanos();
        long idle = plan.keys().idle().toNanos();
        instances.values().removeIf(instance -> {
            if (!instance.use.isIdle()) {
                instance.usedAt = now;
                return false;
            }
            boolean goes = now - instance.usedAt >= idle;
            if (goes) {
                instance.running.pipeline.retire();
            }
            return goes;
        });
        if (!instances.isEmpty()) {
            lookLater();
        }
    }

    /** Gives all instances what a later plan says. Throws if its policies can never work together; then nothing changes. */
    synchronized void change(PipelinePlan newPlan, Problems problems) {
        PipelinePlan before = plan;
        List<Instance> changed = new ArrayList<>();
        try {
            for (Instance instance : all()) {
                List<Running.Part> parts = Running.parts(newPlan, instance.running, problems, instance.use);
                Running next = instance.running.with(newPlan, parts);
                changed.add(instance);
                instance.running = next;
            }
            plan = newPlan;
        } catch (RuntimeException | Error never) {
            for (Instance instance : changed) {
                List<Running.Part> parts = Running.parts(before, instance.running, problems, instance.use);
                instance.running = instance.running.with(before, parts);
            }
            throw never;
        }
    }

    synchronized List<Pipeline> pipelines() {
        return all().stream().map(instance -> instance.running.pipeline).toList();
    }

    private List<Instance> all() {
        List<Instance> all = new ArrayList<>(instances.values());
        if (other != null) {
            all.add(other);
        }
        return all;
    }

    synchronized void close() {
        closed = true;
        if (timer != null) {
            timer.cancel();
        }
        all().forEach(instance -> instance.running.pipeline.close());
    }
}
