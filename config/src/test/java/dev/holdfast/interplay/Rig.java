/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.RecordingObserver;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/** A pipeline of real policies on virtual time, and calls through both ways to a dependency that does as it is told. */
final class Rig implements AutoCloseable {

    final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    final RecordingObserver told = new RecordingObserver();
    final Operation<Object> operation;
    final Pipeline pipeline;
    private final Way way;

    Rig(Way way, Policy... layers) {
        this(way, Classifier.DEFAULT, layers);
    }

    Rig(Way way, Classifier classifier, Policy... layers) {
        this.way = way;
        pipeline = Pipeline.builder("interplay")
                .policies(layers)
                .classifier(classifier)
                .observer(told)
                .time(time)
                .build();
        operation = pipeline.operation("op");
    }

    static Duration millis(long millis) {
        return Duration.ofMillis(millis);
    }

    /**
     * What the dependency does in one attempt.
     *
     * @param answer a value, or a {@code Throwable} that is thrown
     * @param stubborn whether it goes on although it is given up
     */
    record Step(Object answer, long afterMillis, boolean stubborn) {
        static Step of(Object answer) {
            return new Step(answer, 0, false);
        }

        Step after(long millis) {
            return new Step(answer, millis, stubborn);
        }

        Step stubbornly() {
            return new Step(answer, afterMillis, true);
        }
    }

    /** A call under way. */
    final class Running {
        final AtomicInteger attempts = new AtomicInteger();
        private final Step[] steps;
        private final long startedAt = time.nanos();
        private Runnable giveUp = () -> {};
        private Reply<Object> reply;
        private Throwable error;
        private boolean done;
        private boolean flag;
        private long endedAt;

        Running(UnaryOperator<Call<Object>> options, Step... steps) {
            this.steps = steps;
            Call<Object> call = options.apply(operation.unkeyed());
            if (way == Way.CALL) {
                Thread[] caller = new Thread[1];
                var unused = time.spawn(() -> {
                    caller[0] = Thread.currentThread();
                    try {
                        end(call.reply(attempt -> act()), null);
                    } catch (Throwable thrown) {
                        end(null, thrown);
                    }
                    return null;
                });
                giveUp = () -> {
                    if (!done && caller[0] != null) {
                        time.interrupt(caller[0]);
                    }
                };
            } else {
                CompletableFuture<Reply<Object>> future = call.replyAsync(attempt -> actAsync());
                giveUp = () -> future.cancel(true);
                var unused = future.whenComplete(this::end);
            }
        }

        private void end(Reply<Object> value, Throwable thrown) {
            reply = value;
            error = thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
            flag = Thread.interrupted();
            endedAt = time.nanos();
            done = true;
        }

        private Step next() {
            return steps[Math.min(attempts.getAndIncrement(), steps.length - 1)];
        }

        private Object act() throws Exception {
            Step step = next();
            long end = time.nanos() + millis(step.afterMillis()).toNanos();
            while (time.nanos() - end < 0) {
                try {
                    time.sleep(Duration.ofNanos(end - time.nanos()));
                } catch (InterruptedException e) {
                    if (!step.stubborn()) {
                        throw e;
                    }
                }
            }
            if (step.answer() instanceof Exception thrown) {
                throw thrown;
            }
            return step.answer();
        }

        private CompletionStage<Object> actAsync() {
            Step step = next();
            CompletableFuture<Object> work = new CompletableFuture<>() {
                @Override
                public boolean cancel(boolean mayInterruptIfRunning) {
                    return !step.stubborn() && super.cancel(mayInterruptIfRunning);
                }
            };
            if (step.afterMillis() == 0) {
                complete(work, step);
            } else {
                time.schedule(millis(step.afterMillis()).toNanos(), () -> complete(work, step));
            }
            return work;
        }

        private static void complete(CompletableFuture<Object> work, Step step) {
            if (step.answer() instanceof Exception thrown) {
                work.completeExceptionally(thrown);
            } else {
                work.complete(step.answer());
            }
        }

        void giveUp() {
            giveUp.run();
        }

        boolean flag() {
            return flag;
        }

        Throwable error() {
            return error;
        }

        /** What the caller got, and after how many milliseconds of virtual time. */
        String end() {
            assertThat(done).as("the call has ended").isTrue();
            return text() + " at " + Duration.ofNanos(endedAt - startedAt).toMillis();
        }

        private String text() {
            if (error == null) {
                return reply.value() + " " + reply.source();
            }
            if (error instanceof CallRejectedException rejection) {
                return rejection.policy() + " " + rejection.reason();
            }
            return error instanceof CallTimeoutException timeout
                    ? "timeout of " + timeout.policy()
                    : error.getMessage();
        }
    }

    Running start(Step... steps) {
        return start(call -> call, steps);
    }

    Running start(UnaryOperator<Call<Object>> options, Step... steps) {
        return new Running(options, steps);
    }

    Running run(Step... steps) {
        Running running = start(steps);
        time.run();
        return running;
    }

    void at(long millis, Runnable task) {
        time.schedule(millis(millis).toNanos(), task);
    }

    @Override
    public void close() {
        pipeline.close();
        time.close();
    }
}
