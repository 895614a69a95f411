/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CheckedFunction;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.Verdict;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Makes many calls on virtual time, with events drawn from a seed: faults of the dependency and of the layers around and
 * inside, deadlines, callers that give up, work that goes on. The dependency is well and ill by turns.
 */
final class RandomCalls {
    static final int CALLS = 10_000;
    private static final int CALLERS = 50;
    private static final long TICK = 100_000;
    private static final int SPELL = 500;

    private final VirtualTime time;
    private final Driver driver;
    private final SplittableRandom random;
    private final SpyPolicy spy;
    private final Pipeline pipeline;
    private final Operation<Object> operation;
    private final List<String> wrongs = new ArrayList<>();
    private int begun;
    private int done;

    RandomCalls(Policy policy, Driver driver, long seed) {
        this.time = ThreadKind.current().on(VirtualTime.seeded(seed));
        this.driver = driver;
        this.random = new SplittableRandom(seed);
        this.spy = SpyPolicy.around(policy);
        this.pipeline = Pipeline.builder("random")
                .policies(layers(seed))
                .time(time)
                .classifier((value, error) -> classify(value, error))
                .build();
        this.operation = pipeline.operation("random");
    }

    Policy policy() {
        return spy.policy();
    }

    private List<Policy> layers(long seed) {
        List<Policy> layers = new ArrayList<>();
        layers.add(faults(seed));
        if (random.nextBoolean()) {
            layers.add(RetryPolicy.of(
                    r -> r.maxAttempts(3).initialBackoff(Duration.ofMillis(1)).jitter(Jitter.NONE)));
        }
        layers.add(spy);
        layers.add(faults(~seed));
        if (random.nextBoolean()) {
            layers.add(TimeoutPolicy.of(Duration.ofMillis(15)));
        }
        return layers;
    }

    private static FaultPolicy faults(long seed) {
        return new FaultPolicy(seed, 0.01, 0.02, 0.02, 0.1);
    }

    private Verdict classify(@Nullable Object value, @Nullable Throwable error) {
        if (random.nextInt(200) == 0) {
            throw new IllegalStateException("classifier");
        }
        if (error != null) {
            return error instanceof IllegalArgumentException ? Verdict.IGNORED : Verdict.FAILURE;
        }
        return "busy".equals(value) ? Verdict.pushback(Duration.ofMillis(random.nextInt(50))) : Verdict.SUCCESS;
    }

    /** Makes all calls, lets them end, and fails with what was wrong. */
    void run() {
        try (time;
                pipeline) {
            if (driver == Driver.ASYNC) {
                time.schedule(0, this::arrive);
            } else {
                for (int i = 0; i < CALLERS; i++) {
                    var unused = time.spawn(this::callAgainAndAgain);
                }
            }
            time.run();
            assertThat(wrongs).isEmpty();
            assertThat(done).as("calls that ended").isEqualTo(CALLS);
            spy.assertOver();
        }
    }

    private void arrive() {
        int id = begun++;
        if (begun < CALLS) {
            time.schedule(ticks(20), this::arrive);
        }
        boolean[] givenUp = new boolean[1];
        if (random.nextInt(5) == 0) {
            String key = "shared " + random.nextInt(20);
            CompletableFuture<Object> answer = operation
                    .<String>decorateAsync(
                            asked -> script(asked, new boolean[1]).callAsync())
                    .apply(key);
            var unused = answer.whenComplete((value, error) -> end(key, value, null));
            maybeLater(() -> answer.cancel(true));
            return;
        }
        String key = key(id);
        ScriptedAction<Object> script = script(key, givenUp);
        CompletableFuture<Reply<Object>> reply = call(key).replyAsync(attempt -> script.callAsync());
        var unused = reply.whenComplete((answer, error) ->
                end(key, answer == null ? null : answer.value(), answer == null ? null : answer.source()));
        maybeLater(() -> {
            givenUp[0] = !reply.isDone();
            reply.cancel(true);
        });
    }

    private @Nullable Object callAgainAndAgain() {
        for (int i = 0; i < CALLS / CALLERS; i++) {
            callOnce(begun++);
            try {
                time.sleep(Duration.ofNanos(ticks(200)));
            } catch (InterruptedException late) {
                // An interrupt that was meant for the call came after its end.
            }
        }
        return null;
    }

    private void callOnce(int id) {
        boolean[] givenUp = new boolean[1];
        boolean[] over = new boolean[1];
        Thread caller = Thread.currentThread();
        maybeLater(() -> {
            if (!over[0]) {
                givenUp[0] = true;
                time.interrupt(caller);
            }
        });
        boolean shared = random.nextInt(5) == 0;
        String key = shared ? "shared " + random.nextInt(20) : key(id);
        Object value = null;
        Source source = null;
        try {
            if (shared) {
                CheckedFunction<String, Object, Exception> decorated = operation.decorate(
                        asked -> script(asked, new boolean[1]).call());
                value = decorated.apply(key);
            } else {
                ScriptedAction<Object> script = script(key, givenUp);
                Reply<Object> reply = call(key).reply(attempt -> script.call());
                value = reply.value();
                source = reply.source();
            }
        } catch (Throwable ended) {
            // Every end is allowed here. The test checks what is held afterwards.
        }
        over[0] = true;
        Thread.interrupted();
        end(key, value, source);
    }

    /** A time of few different values, so that many things happen at the same instant. */
    private long ticks(int bound) {
        return TICK * random.nextInt(bound);
    }

    private void maybeLater(Runnable giveUp) {
        if (random.nextInt(8) == 0) {
            time.schedule(ticks(300), giveUp);
        }
    }

    private String key(int id) {
        return random.nextInt(3) == 0 ? "shared " + random.nextInt(20) : "own " + id;
    }

    private Call<Object> call(String key) {
        Call<Object> call = operation.key(key);
        return random.nextInt(4) == 0 ? call.deadline(Duration.ofNanos(TICK + ticks(400))) : call;
    }

    /** Checks that a caller gets an answer to its own question, even if another call asked the dependency. */
    private void end(String key, @Nullable Object value, @Nullable Source source) {
        done++;
        boolean own = value == null || value.equals(key) || value.equals("busy") || source == Source.FALLBACK;
        // A decorated function does not tell its source, and a fallback may give any answer.
        if (!own && (source != null || String.valueOf(value).startsWith("own"))) {
            wrongs.add("call of '" + key + "' got " + value + " from " + source);
        }
    }

    private ScriptedAction<Object> script(String key, boolean[] givenUp) {
        boolean[] stubborn = new boolean[1];
        return ScriptedAction.on(time, index -> {
            // The caller and the limit interrupt by the same flag. Work that swallows both may lose one.
            if (givenUp[0] && !(driver == Driver.BLOCKING && stubborn[0])) {
                wrongs.add("attempt " + index + " of '" + key + "' after it was given up");
            }
            Step step = outcome(key);
            step = random.nextInt(4) == 0 ? step : step.after(Duration.ofNanos(TICK + ticks(200)));
            boolean stubbornly = random.nextInt(6) == 0;
            // Also of an earlier attempt, which may still run beside this one.
            stubborn[0] |= stubbornly;
            return stubbornly ? step.stubbornly() : step;
        });
    }

    private Step outcome(String key) {
        boolean ill = begun / SPELL % 2 == 1;
        if (random.nextInt(10) >= (ill ? 7 : 1)) {
            return Step.value(key);
        }
        return switch (random.nextInt(6)) {
            case 0 -> Step.value("busy");
            case 1 -> Step.error(new AssertionError("error"));
            case 2 -> Step.error(new IllegalArgumentException("own fault"));
            case 3 -> Step.error(new StackOverflowError("machine"));
            default -> Step.error(new IOException("ill"));
        };
    }
}
