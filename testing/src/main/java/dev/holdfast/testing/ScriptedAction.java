/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.internal.Causes;
import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Stands for a dependency: follows a script, call after call, and remembers the calls. Blocking or asynchronous, on virtual
 * time or the system's.
 *
 * <pre>{@code
 * ScriptedAction<String> stock = ScriptedAction.<String>on(time)
 *         .fails(new IOException("reset")).times(2)
 *         .returns("12 pieces").after(ofMillis(30));
 * pipeline.call(stock::call);
 * assertThat(stock.started()).isEqualTo(3);
 * }</pre>
 *
 * <p>The last step is repeated for ever. A call while the script is empty throws an {@link AssertionError}, which no policy
 * repeats, answers or counts. Safe for any number of threads; the script may grow while it is played.
 *
 * @param <T> what it returns
 */
public final class ScriptedAction<T extends @Nullable Object> {

    /**
     * A call that reached the action.
     *
     * @param argument the argument of the call; null if it had none
     * @param at the time since the action was made
     */
    public record Started(@Nullable Object argument, Duration at) {}

    private final TimeSource time;
    private final long origin;
    private final Steps<Step> steps = new Steps<>("action");
    private final IntFunction<Step> script;

    // Guarded by this.
    private final List<Started> calls = new ArrayList<>();
    private int running;
    private int mostRunning;

    private ScriptedAction(TimeSource time, @Nullable IntFunction<Step> script) {
        this.time = Objects.requireNonNull(time, "time");
        this.script = script == null ? index -> steps.next() : script;
        origin = time.nanos();
    }

    /** An action on this time, whose script is still empty. */
    public static <T extends @Nullable Object> ScriptedAction<T> on(TimeSource time) {
        return new ScriptedAction<>(time, null);
    }

    /** An action whose steps come from this function, by the index of the attempt from 0. */
    static ScriptedAction<Object> on(TimeSource time, IntFunction<Step> script) {
        return new ScriptedAction<>(time, script);
    }

    static ScriptedAction<Object> on(TimeSource time, Step... inTurn) {
        ScriptedAction<Object> action = on(time);
        for (Step step : inTurn) {
            action.then(step);
        }
        return action;
    }

    // ---- the script

    /** Next step: returns this value. */
    public ScriptedAction<T> returns(T value) {
        return then(Step.value(value));
    }

    /** Next step: throws this error as it is. Asynchronous calls without a delay throw it too, others complete with it. */
    public ScriptedAction<T> fails(Throwable error) {
        return then(Step.error(Objects.requireNonNull(error, "error")));
    }

    /** Next step: does not end until it is interrupted or cancelled. */
    public ScriptedAction<T> hangs() {
        return then(Step.value(null).after(Step.FOR_EVER));
    }

    private synchronized ScriptedAction<T> then(Step step) {
        steps.add(step);
        return this;
    }

    /** The last step takes this time, with 292 years or more for ever; an interrupt or a cancellation ends it. */
    public synchronized ScriptedAction<T> after(Duration duration) {
        Objects.requireNonNull(duration, "duration");
        steps.changeLast(step -> step.after(duration));
        return this;
    }

    /** The last step is done this many times in all, at least once. */
    public synchronized ScriptedAction<T> times(int times) {
        steps.repeatLast(times);
        return this;
    }

    /** The last step heeds neither interrupt nor cancellation, and ends in its own time. */
    public synchronized ScriptedAction<T> stubbornly() {
        steps.changeLast(Step::stubbornly);
        return this;
    }

    // ---- what was called

    /** How many calls have reached it. */
    public synchronized int started() {
        return calls.size();
    }

    /** The calls that have reached it, in their order. */
    public synchronized List<Started> calls() {
        return List.copyOf(calls);
    }

    /** How many calls run now. */
    public synchronized int running() {
        return running;
    }

    /** The most calls that ran at once. */
    public synchronized int mostRunning() {
        return mostRunning;
    }

    private synchronized Step begin(@Nullable Object argument) {
        Step step = script.apply(calls.size());
        calls.add(new Started(argument, Duration.ofNanos(time.nanos() - origin)));
        mostRunning = Math.max(mostRunning, ++running);
        return step;
    }

    private synchronized void end() {
        running--;
    }

    @Override
    public String toString() {
        return "the scripted action";
    }

    // ---- the action

    /** One call, on this thread: {@code pipeline.call(action::call)}. */
    public T call() throws Exception {
        return run(null);
    }

    /** One call with an argument, which is remembered: {@code operation.decorate(action::callWith)}. */
    public T callWith(Object argument) throws Exception {
        return run(Objects.requireNonNull(argument, "argument"));
    }

    /**
     * As {@link #callWith}, for an interface of yours whose one method has one argument: {@code Stock stock = action::answerTo}.
     *
     * @param <E> what that method declares; this throws what the script says, whatever that is
     */
    public <E extends Exception> T answerTo(Object argument) throws E {
        return run(Objects.requireNonNull(argument, "argument"));
    }

    /** One asynchronous call: {@code pipeline.callAsync(action::callAsync)}. */
    public CompletableFuture<T> callAsync() {
        return start(null);
    }

    /** One asynchronous call with an argument: {@code operation.decorateAsync(action::callAsyncWith)}. */
    public CompletableFuture<T> callAsyncWith(Object argument) {
        return start(Objects.requireNonNull(argument, "argument"));
    }

    private T run(@Nullable Object argument) {
        Step step = begin(argument);
        try {
            work(step);
            return given(step);
        } catch (InterruptedException interrupt) {
            throw Causes.<RuntimeException>asItIs(interrupt);
        } finally {
            end();
        }
    }

    private void work(Step step) throws InterruptedException {
        long start = time.nanos();
        long nanos = step.after().toNanos();
        boolean interrupted = false;
        for (long left = nanos; left > 0; left = left(nanos, start)) {
            if (Thread.interrupted()) {
                if (!step.stubborn()) {
                    throw new InterruptedException("the scripted action was interrupted");
                }
                interrupted = true;
            }
            time.park(this, left);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private long left(long nanos, long start) {
        return nanos == Long.MAX_VALUE ? nanos : nanos - (time.nanos() - start);
    }

    private CompletableFuture<T> start(@Nullable Object argument) {
        Step step = begin(argument);
        if (step.after().isZero()) {
            end();
            return CompletableFuture.completedFuture(given(step));
        }
        Work work = new Work(step);
        try {
            if (!step.after().equals(Step.FOR_EVER)) {
                work.timer =
                        time.schedule(step.after().toNanos(), () -> elsewhere().execute(work::finish));
            }
        } catch (Throwable noTimer) {
            work.over();
            throw noTimer;
        }
        return work;
    }

    /** User code follows a completion, and must not run on the timer's thread. Virtual time has no such thread. */
    private Executor elsewhere() {
        return time.executor() == null ? ForkJoinPool.commonPool() : Runnable::run;
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // only returns adds values, and they are T
    private T given(Step step) {
        if (step.error() != null) {
            throw Causes.<RuntimeException>asItIs(step.error());
        }
        return (T) step.value();
    }

    /** An asynchronous call under way. It is over before it completes, so that the next call is not counted beside it. */
    private final class Work extends CompletableFuture<T> {
        private final Step step;
        private final AtomicBoolean over = new AtomicBoolean();
        private TimeSource.@Nullable Timer timer;

        Work(Step step) {
            this.step = step;
        }

        private void over() {
            if (over.compareAndSet(false, true)) {
                end();
            }
        }

        void finish() {
            over();
            if (step.error() != null) {
                completeExceptionally(step.error());
            } else {
                complete(given(step));
            }
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            if (step.stubborn()) {
                return false;
            }
            over();
            if (timer != null) {
                timer.cancel();
            }
            return super.cancel(mayInterruptIfRunning);
        }
    }
}
