/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testcalls;

import dev.holdfast.Call;
import dev.holdfast.Pipeline;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What is called, on virtual time: takes a while, and notes when calls reached it and how many were there at once. */
public final class Dependency {
    private final VirtualTime time;
    private final Way way;
    private final long origin;
    private final List<Long> starts = new ArrayList<>();
    private final List<CompletableFuture<String>> left = new ArrayList<>();
    private int inside;
    private int most;

    /** On this time, called in this way. */
    public Dependency(VirtualTime time, Way way) {
        this.time = time;
        this.way = way;
        origin = time.nanos();
    }

    /** Begins a call of this pipeline that takes so long. */
    public Running<String> call(Pipeline pipeline, Duration work) {
        return call(pipeline.<String>operation("work").unkeyed(), work);
    }

    /** Begins this call, which takes so long. */
    public Running<String> call(Call<String> call, Duration work) {
        if (way == Way.CALL_ASYNC) {
            return Running.async(call.callAsync(attempt -> begin(work, new CompletableFuture<>())));
        }
        return Running.blocking(
                time,
                () -> call.call(attempt -> {
                    reached();
                    try {
                        time.sleep(work);
                    } finally {
                        inside--;
                    }
                    return "done";
                }));
    }

    /** Work that ends in this future. If that heeds no cancellation, the work goes on. */
    public CompletableFuture<String> begin(Duration work, CompletableFuture<String> end) {
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
    public List<Long> starts() {
        return List.copyOf(starts);
    }

    /** How many are inside just now. */
    public int inside() {
        return inside;
    }

    /** The most that were inside at once. */
    public int most() {
        return most;
    }
}
