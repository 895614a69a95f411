/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import dev.holdfast.Call;
import dev.holdfast.Pipeline;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;

/** What is called, on virtual time: takes a while, and notes when calls reached it and how many were there at once. */
final class Dependency {
    private final VirtualTime time;
    private final Way way;
    private final long origin;
    private final List<Long> starts = new ArrayList<>();
    private final List<CompletableFuture<String>> left = new ArrayList<>();
    private int inside;
    private int most;

    Dependency(VirtualTime time, Way way) {
        this.time = time;
        this.way = way;
        origin = time.nanos();
    }

    /** A call under way: what it ends with, and how its caller gives it up. */
    record Running(CompletableFuture<String> result, Runnable giveUp) {
        /** What it was turned away or ended with. Does not wait, so that a call which goes on fails its test. */
        Throwable error() {
            if (!result.isDone()) {
                return new AssertionError("has not ended");
            }
            return result.handle((value, error) -> error == null ? new AssertionError("ended well: " + value) : error)
                    .join();
        }
    }

    Running call(Pipeline pipeline, Duration work) {
        return call(pipeline.<String>operation("work").unkeyed(), work);
    }

    Running call(Call<String> call, Duration work) {
        if (way == Way.CALL_ASYNC) {
            CompletableFuture<String> result = call.callAsync(attempt -> begin(work, new CompletableFuture<>()));
            return new Running(result, () -> result.cancel(true));
        }
        AtomicReference<Thread> caller = new AtomicReference<>();
        CompletableFuture<String> result = time.spawn(() -> {
            caller.set(Thread.currentThread());
            return call.call(attempt -> {
                reached();
                try {
                    time.sleep(work);
                } finally {
                    inside--;
                }
                return "done";
            });
        });
        return new Running(result, () -> time.interrupt(caller.get()));
    }

    /** Work that ends in this future. If that heeds no cancellation, the work goes on. */
    CompletableFuture<String> begin(Duration work, CompletableFuture<String> end) {
        reached();
        time.schedule(work.toNanos(), () -> end.complete("done"));
        left.add(end.whenComplete((value, error) -> inside--));
        return end;
    }

    private void reached() {
        starts.add(time.nanos() - origin);
        most = Math.max(most, ++inside);
    }

    /** When calls reached it, in nanoseconds from its making. */
    List<Long> starts() {
        return List.copyOf(starts);
    }

    /** How many are inside just now. */
    int inside() {
        return inside;
    }

    /** The most that were inside at once. */
    int most() {
        return most;
    }
}
