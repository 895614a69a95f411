/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import dev.holdfast.Attempt;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** A dependency that does one step an attempt, the last one again and again; the same for both ways. */
public final class Script {
    private final VirtualTime time;
    private final List<Step> steps;
    private final AtomicInteger started = new AtomicInteger();

    public Script(VirtualTime time, Step... steps) {
        this.time = time;
        this.steps = List.of(steps);
    }

    /** How many attempts have begun. */
    public int started() {
        return started.get();
    }

    private Step next() {
        return steps.get(Math.min(started.getAndIncrement(), steps.size() - 1));
    }

    public Object act(Attempt attempt) throws Exception {
        Step step = next();
        work(step);
        return outcome(step);
    }

    public CompletionStage<Object> actAsync(Attempt attempt) {
        Step step = next();
        if (step.after().isZero()) {
            return CompletableFuture.completedFuture(outcome(step));
        }
        CompletableFuture<Object> work = step.stubborn() ? new StubbornFuture() : new CompletableFuture<>();
        time.schedule(step.after().toNanos(), () -> {
            if (step.error() == null) {
                work.complete(step.value());
            } else {
                work.completeExceptionally(step.error());
            }
        });
        return work;
    }

    private void work(Step step) throws InterruptedException {
        long end = time.nanos() + step.after().toNanos();
        boolean interrupted = false;
        for (long left = step.after().toNanos(); left > 0; left = end - time.nanos()) {
            try {
                time.sleep(Duration.ofNanos(left));
            } catch (InterruptedException e) {
                if (!step.stubborn()) {
                    throw e;
                }
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static Object outcome(Step step) {
        if (step.error() != null) {
            Script.<RuntimeException>sneak(step.error());
        }
        return step.value();
    }

    @SuppressWarnings("unchecked") // a supplier of stages may throw what it may not declare
    private static <E extends Throwable> void sneak(Throwable error) throws E {
        throw (E) error;
    }

    /** Work that does not heed its cancellation. */
    private static final class StubbornFuture extends CompletableFuture<Object> {
        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            return false;
        }
    }
}
