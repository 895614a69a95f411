/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** What a dependency does on virtual time, attempt by attempt; the same for both drivers. */
final class Script {

    /**
     * One attempt.
     *
     * @param stubborn whether it goes on although it is interrupted or cancelled
     */
    record Step(
            Duration after,
            @Nullable Object value,
            @Nullable Throwable error,
            boolean stubborn) {
        Step after(Duration time) {
            return new Step(time, value, error, stubborn);
        }

        Step stubbornly() {
            return new Step(after, value, error, true);
        }
    }

    private final VirtualTime time;
    private final IntFunction<Step> steps;
    private final AtomicInteger started = new AtomicInteger();

    /** What the attempts do, by their index from 0. */
    Script(VirtualTime time, IntFunction<Step> steps) {
        this.time = time;
        this.steps = steps;
    }

    /** These one after the other, the last one again and again. */
    static IntFunction<Step> inTurn(Step... steps) {
        List<Step> list = List.of(steps);
        return index -> list.get(Math.min(index, list.size() - 1));
    }

    static Step value(Object value) {
        return new Step(Duration.ZERO, value, null, false);
    }

    static Step error(Throwable error) {
        return new Step(Duration.ZERO, null, error, false);
    }

    /** How many attempts have begun. */
    int started() {
        return started.get();
    }

    private Step next() {
        return steps.apply(started.getAndIncrement());
    }

    Object act() throws Exception {
        Step step = next();
        work(step);
        throwIfError(step);
        return given(step);
    }

    CompletionStage<Object> actAsync() {
        Step step = next();
        if (step.after().isZero()) {
            throwIfError(step);
            return CompletableFuture.completedFuture(given(step));
        }
        CompletableFuture<Object> work = step.stubborn() ? new StubbornFuture() : new CompletableFuture<>();
        time.schedule(step.after().toNanos(), () -> {
            if (step.error() != null) {
                work.completeExceptionally(step.error());
            } else {
                work.complete(given(step));
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

    private static Object given(Step step) {
        return step.value() == null ? "nothing" : step.value();
    }

    private static void throwIfError(Step step) {
        if (step.error() != null) {
            Script.<RuntimeException>sneak(step.error());
        }
    }

    @SuppressWarnings("unchecked") // the caller says which exceptions it may throw, and may not say Exception
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
