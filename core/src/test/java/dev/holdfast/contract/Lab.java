/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** A pipeline on virtual time, its probes' common log, and calls through both ways. */
public final class Lab implements AutoCloseable {
    public final VirtualTime time;
    /** What the probes were asked, and whatever else a test notes. */
    public final List<String> log = Collections.synchronizedList(new ArrayList<>());
    /** The values that nobody got. */
    public final List<Object> discarded = Collections.synchronizedList(new ArrayList<>());

    private final List<Probe> probes = new ArrayList<>();
    private Consumer<Pipeline.Builder> building = builder -> {};
    private Pipeline pipeline;
    private Operation<Object> operation;
    private boolean idempotent = true;

    public Lab() {
        this(ThreadKind.current().on(new VirtualTime()));
    }

    public Lab(VirtualTime time) {
        this.time = time;
    }

    public static Duration millis(long millis) {
        return Duration.ofMillis(millis);
    }

    public Probe probe(String name) {
        return probe(name, 0);
    }

    /** One that hears more than its life. */
    public Probe probe(String name, int more) {
        Probe probe = new Probe(name, more, log);
        probes.add(probe);
        return probe;
    }

    public Lab building(Consumer<Pipeline.Builder> value) {
        Consumer<Pipeline.Builder> before = building;
        building = builder -> {
            before.accept(builder);
            value.accept(builder);
        };
        return this;
    }

    public Lab notIdempotent() {
        idempotent = false;
        return this;
    }

    /** Builds the pipeline; outermost first. */
    public Lab layers(Policy... layers) {
        Pipeline.Builder builder =
                Pipeline.builder("lab").policies(layers).time(time).executor(time.executor());
        building.accept(builder);
        pipeline = builder.build();
        operation = pipeline.operation("test", o -> o.idempotent(idempotent).discard(discarded::add));
        return this;
    }

    public Pipeline pipeline() {
        return pipeline;
    }

    public Operation<Object> operation() {
        return operation;
    }

    public Script script(Step... steps) {
        return new Script(time, steps);
    }

    /** What a caller got, when, and after how many attempts. */
    public record End(String what, int attempts, Duration after) {}

    /** A call under way. */
    public static final class Running {
        public final Script script;
        private final Runnable giveUp;
        private final long startedAt;
        private volatile Object value;
        private volatile Source source;
        private volatile Throwable error;
        private volatile boolean flag;
        private volatile long endedAt;
        private volatile boolean done;

        private Running(Lab lab, Way way, UnaryOperator<Call<Object>> options, Script script) {
            this.script = script;
            Call<Object> call = options.apply(lab.operation.unkeyed());
            startedAt = lab.time.nanos();
            if (way == Way.CALL) {
                Thread[] caller = new Thread[1];
                var unused = lab.time.spawn(() -> {
                    caller[0] = Thread.currentThread();
                    try {
                        got(call.reply(script::act), null, lab);
                    } catch (Throwable thrown) {
                        got(null, thrown, lab);
                    }
                    return null;
                });
                giveUp = () -> {
                    if (!done && caller[0] != null) {
                        lab.time.interrupt(caller[0]);
                    }
                };
            } else {
                CompletableFuture<Reply<Object>> future = call.replyAsync(script::actAsync);
                giveUp = () -> future.cancel(true);
                var unused = future.whenComplete((reply, thrown) -> got(reply, thrown, lab));
            }
        }

        private void got(Reply<Object> reply, Throwable thrown, Lab lab) {
            assertThat(done).as("got two ends").isFalse();
            value = reply == null ? null : reply.value();
            source = reply == null ? null : reply.source();
            error = thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
            flag = Thread.interrupted();
            endedAt = lab.time.nanos();
            done = true;
        }

        /** Interrupts the blocked thread, or cancels the future. */
        public void giveUp() {
            giveUp.run();
        }

        public boolean isDone() {
            return done;
        }

        public Object value() {
            return value;
        }

        public Source source() {
            return source;
        }

        public Throwable error() {
            return error;
        }

        /** Whether the caller's thread had its interrupt flag set when it got its end. */
        public boolean flag() {
            return flag;
        }

        public Duration after() {
            return Duration.ofNanos(endedAt - startedAt);
        }

        public End end() {
            assertThat(done).as("the call has ended").isTrue();
            return new End(text(), script.started(), after());
        }

        private String text() {
            if (error == null) {
                return value + " from " + source;
            }
            if (error instanceof CallRejectedException rejection) {
                return "rejected by " + rejection.policy() + ": " + rejection.reason();
            }
            if (error instanceof CallTimeoutException timeout) {
                return "timeout of " + timeout.policy();
            }
            return error.getClass().getSimpleName() + ": " + error.getMessage();
        }
    }

    public Running start(Way way, Step... steps) {
        return start(way, call -> call, steps);
    }

    public Running start(Way way, UnaryOperator<Call<Object>> options, Step... steps) {
        return new Running(this, way, options, script(steps));
    }

    /** Makes a call and lets everything happen that is still to happen. */
    public Running run(Way way, Step... steps) {
        return run(way, call -> call, steps);
    }

    public Running run(Way way, UnaryOperator<Call<Object>> options, Step... steps) {
        Running running = start(way, options, steps);
        time.run();
        return running;
    }

    /** Makes a call and gives it up after a time. */
    public Running giveUpAfter(long millis, Way way, Step... steps) {
        Running running = start(way, steps);
        time.schedule(millis(millis).toNanos(), running::giveUp);
        time.run();
        return running;
    }

    /** Every entry of every probe is over, and none was asked out of turn. */
    public void assertLivesOver() {
        assertThat(log).noneMatch(line -> line.startsWith("WRONG"));
        assertThat(probes)
                .allSatisfy(probe -> assertThat(probe.open())
                        .as("open entries of %s, after %s", probe.name(), log)
                        .isEmpty());
    }

    @Override
    public void close() {
        if (pipeline != null) {
            pipeline.close();
        }
        time.close();
    }
}
