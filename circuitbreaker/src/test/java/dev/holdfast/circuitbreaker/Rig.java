/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Classifier;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.Verdict;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A pipeline {@code inventory} on virtual time, called in one of the two ways. */
final class Rig implements AutoCloseable {
    static final Work WELL = Work.value("well");
    static final Work ILL = Work.error(new IOException("ill"));

    final VirtualTime time;
    final List<String> changes = new ArrayList<>();
    final List<String> causes = new ArrayList<>();
    final Pipeline pipeline;
    private final Way way;

    Rig(Way way, Policy... outermostFirst) {
        this(way, new VirtualTime(), outermostFirst);
    }

    /** Another pipeline on the same time. */
    Rig(Rig other, Policy... outermostFirst) {
        this(other.way, other.time, outermostFirst);
    }

    private Rig(Way way, VirtualTime time, Policy... outermostFirst) {
        this.way = way;
        this.time = time;
        Classifier classifier = (value, error) -> {
            if ("busy".equals(value)) {
                return Verdict.pushback(Duration.ofMillis(1));
            }
            if (String.valueOf(value).startsWith("busy for ")) {
                return Verdict.pushback("busy for 3 s".equals(value) ? Duration.ofSeconds(3) : Duration.ofMinutes(1));
            }
            if (error instanceof IllegalArgumentException || "unauthorized".equals(value)) {
                return Verdict.IGNORED;
            }
            return error != null || "failure".equals(value) ? Verdict.FAILURE : Verdict.SUCCESS;
        };
        pipeline = Pipeline.builder("inventory")
                .policies(outermostFirst)
                .time(time)
                .classifier(classifier)
                .observer(new CallObserver() {
                    @Override
                    public void stateChanged(String name, String policy, String from, String to, String cause) {
                        changes.add(name + " " + policy + " " + from + " > " + to);
                        causes.add(cause);
                    }
                })
                .build();
    }

    Call<Object> call() {
        return pipeline.<Object>operation("stock").unkeyed();
    }

    Running<Reply<Object>> start(Work work) {
        Running<Reply<Object>> started = work.start(way, time, call());
        time.advance(Duration.ZERO);
        return started;
    }

    CompletableFuture<Reply<Object>> run(Work work) {
        CompletableFuture<Reply<Object>> reply = work.start(way, time, call()).result();
        time.run();
        return reply;
    }

    /** With a deadline of the call's own. */
    void run(Duration deadline, Work work) {
        CompletableFuture<?> unused =
                work.start(way, time, call().deadline(deadline)).result();
        time.run();
    }

    /** Under an inherited deadline. */
    void runWithin(Duration deadline, Work work) {
        CompletableFuture<?> unused = time.spawn(() -> {
            try {
                return Deadline.within(time, deadline, () -> {
                    return way == Way.CALL
                            ? call().reply(attempt -> work.blocking(time))
                            : call().replyAsync(attempt -> work.async(time));
                });
            } catch (Exception e) {
                return e;
            }
        });
        time.run();
    }

    void run(int times, Work work) {
        for (int i = 0; i < times; i++) {
            CompletableFuture<?> unused = run(work);
        }
    }

    Throwable errorOf(Work work) {
        return Running.errorOf(run(work));
    }

    CallRejectedException rejection() {
        return (CallRejectedException) errorOf(WELL);
    }

    void advance(Duration duration) {
        time.advance(duration);
    }

    @Override
    public void close() {
        pipeline.close();
        time.close();
    }
}
