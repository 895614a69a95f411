/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

import static java.time.Duration.ofMillis;

import dev.holdfast.Attempt;
import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.matrix.Cell.Way;
import dev.holdfast.matrix.Ending.Event;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.SpyPolicy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.time.VirtualTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Makes the pipelines of one case on virtual time, plays it, and tells what was seen and what was left behind. */
final class Play implements AutoCloseable {
    /** Whoever looks after limits may have set itself a timer for the nearest one; leases and probes take far longer. */
    private static final long WAKE_UP = 350;

    private final Cell cell;
    private final Ending.Spec spec;
    private final VirtualTime time;
    private final List<Policy> policies = new ArrayList<>();
    private final List<SpyPolicy> spies = new ArrayList<>();
    private final List<Pipeline> pipelines = new ArrayList<>();
    private final List<Operation<Object>> operations = new ArrayList<>();
    private final List<Pipeline> helpers = new ArrayList<>();

    // Virtual time has one thread at a time; what it hands over is visible.
    private final List<Object> given = new ArrayList<>();
    private final List<Object> discarded = new ArrayList<>();
    private final List<String> wrongs = new ArrayList<>();
    private final List<Run> all = new ArrayList<>();
    private boolean warming;
    private boolean refusing;
    private int runs;
    private int running;
    private long begun;
    private long lastEnd;
    private @Nullable Thread caller;
    private @Nullable Reply<Object> reply;
    private @Nullable Throwable error;
    private boolean[] outsiders = new boolean[1];
    private boolean done;
    private boolean flag;
    private long endedAt;

    Play(Cell cell) {
        this.cell = cell;
        this.spec = cell.spec();
        this.time = ThreadKind.current().on(VirtualTime.seeded(cell.seed()));
        int number = 0;
        for (int level = 0; level < cell.levels().size(); level++) {
            List<Policy> layers = new ArrayList<>();
            for (Layer layer : cell.level(level).layers()) {
                Trouble trouble = number == cell.met() ? spec.trouble() : Trouble.NONE;
                Policy policy = layer.make(cell.limit(number++), trouble, new Fallbacks());
                policies.add(policy);
                layers.add(cell.spied() ? spied(policy) : policy);
            }
            pipelines.add(pipeline(level, layers));
            operations.add(pipelines.get(level).operation("op" + level, o -> o.discard(this::discard)));
        }
    }

    private Policy spied(Policy policy) {
        SpyPolicy spy = SpyPolicy.around(policy);
        spies.add(spy);
        return spy;
    }

    private Pipeline pipeline(int level, List<Policy> layers) {
        Pipeline.Builder builder = Pipeline.builder("p" + level)
                .policies(layers)
                .classifier(Script.CLASSIFIER)
                .time(time);
        if (level == 0 && cell.ending().isBy(Event.REFUSE)) {
            builder.executor(task -> {
                if (refusing) {
                    throw new RejectedExecutionException("full");
                }
                time.executor().execute(task);
            });
        }
        return builder.build();
    }

    private void discard(Object value) {
        discarded.add(value);
    }

    // ---- the play

    /** Plays the case to its end. */
    Map<String, String> run() {
        trouble();
        begun = time.nanos();
        if (cell.ending() == Ending.CLOSED_BEFORE) {
            pipelines.get(0).close();
        }
        if (spec.event() != null && cell.ending() != Ending.CLOSED_BEFORE) {
            if (spec.eventAt() == 0) {
                happen();
            } else {
                time.schedule(TimeUnit.MILLISECONDS.toNanos(spec.eventAt()), this::happen);
            }
        }
        start();
        time.run();
        return seen();
    }

    private @Nullable CompletableFuture<Reply<Object>> future;

    private void happen() {
        switch (spec.event()) {
            case CANCEL -> {
                if (future != null) {
                    future.cancel(true);
                }
            }
            case INTERRUPT -> {
                if (!done && caller != null) {
                    outsiders[0] = true;
                    time.interrupt(caller);
                }
            }
            case REFUSE -> refusing = true;
            case CLOSE -> pipelines.get(0).close();
        }
    }

    private void start() {
        if (cell.level(0).way() == Way.CALL) {
            var unused = time.spawn(() -> {
                caller = Thread.currentThread();
                try {
                    Reply<Object> answer = inherited(() -> options(0).reply(attempt -> block(attempt, 0, false)));
                    ended(answer, null);
                } catch (Throwable thrown) {
                    ended(null, thrown);
                }
                return null;
            });
        } else {
            try {
                future = inherited(() -> options(0).replyAsync(attempt -> async(attempt, 0, false)));
                var unused = future.whenComplete(this::ended);
            } catch (Throwable thrown) {
                wrongs.add("an asynchronous call threw " + thrown);
                ended(null, thrown);
            }
        }
    }

    private <T> T inherited(dev.holdfast.CheckedSupplier<T, Exception> action) throws Exception {
        return spec.inherited() == Ending.NONE
                ? action.get()
                : Deadline.within(time, ofMillis(spec.inherited()), action);
    }

    private Call<Object> options(int level) {
        Call<Object> call = operations.get(level).key("k").idempotent(!spec.notTwice() || warming);
        return level == 0 && spec.deadline() != Ending.NONE && !warming
                ? call.deadline(ofMillis(spec.deadline()))
                : call;
    }

    private void ended(@Nullable Reply<Object> answer, @Nullable Throwable thrown) {
        if (done) {
            wrongs.add("ended twice");
        }
        reply = answer;
        error = thrown;
        flag = Thread.interrupted();
        endedAt = time.nanos();
        lastEnd = Math.max(lastEnd, endedAt);
        done = true;
    }

    // ---- the action, blocking

    private Object block(Attempt attempt, int level, boolean leads) throws Exception {
        if (level == cell.last()) {
            return leads ? lead() : act(attempt);
        }
        return cell.level(level + 1).way() == Way.CALL
                ? options(level + 1).call(inner -> block(inner, level + 1, leads))
                : await(options(level + 1).callAsync(inner -> async(inner, level + 1, leads)));
    }

    /** As {@code get} does in virtual time: an interrupt ends the wait, and gives up what was waited for. */
    private Object await(CompletableFuture<Object> inner) throws Exception {
        Thread waiter = Thread.currentThread();
        var unused = inner.whenComplete((value, thrown) -> time.unpark(waiter));
        while (!inner.isDone()) {
            if (Thread.interrupted()) {
                inner.cancel(true);
                throw new InterruptedException("while it waited for a future");
            }
            time.park(inner, Long.MAX_VALUE);
        }
        try {
            return inner.get();
        } catch (ExecutionException e) {
            throw asItIs(e.getCause());
        }
    }

    private Object act(Attempt attempt) throws Exception {
        if (warming) {
            return "old";
        }
        Script.Step step = spec.script().step(++runs);
        running++;
        Run run = new Run(attempt, step);
        try {
            work(step);
            lastEnd = Math.max(lastEnd, time.nanos());
            return outcome(step);
        } catch (InterruptedException e) {
            // Nobody else can have sent it, unless it is the one from outside that this very thread was to get.
            run.mustBeGivenUp = cell.last() == 0 && spec.script() != Script.INTERRUPTION && !interruptedFromOutside();
            throw e;
        } finally {
            running--;
        }
    }

    private void work(Script.Step step) throws InterruptedException {
        long end = time.nanos() + nanos(step.takes());
        boolean interrupted = false;
        while (time.nanos() - end < 0) {
            try {
                if (step.takes() == Script.NEVER) {
                    parkForEver();
                } else {
                    time.sleep(java.time.Duration.ofNanos(end - time.nanos()));
                }
            } catch (InterruptedException e) {
                lastEnd = Math.max(lastEnd, time.nanos());
                if (step.reflags()) {
                    Thread.currentThread().interrupt();
                }
                if (!step.deaf()) {
                    throw e;
                }
                interrupted = true;
            }
        }
        if (interrupted && cell.ending().isBy(Event.INTERRUPT)) {
            // A good citizen tells of an interrupt that it has swallowed.
            Thread.currentThread().interrupt();
        }
    }

    private void parkForEver() throws InterruptedException {
        while (!Thread.interrupted()) {
            time.park(this, Long.MAX_VALUE);
        }
        throw new InterruptedException("hung");
    }

    private static long nanos(long millis) {
        return millis == Script.NEVER ? Long.MAX_VALUE / 4 : TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private Object outcome(Script.Step step) throws Exception {
        if (!step.gives()) {
            throw asItIs(step.error());
        }
        return give(step.what());
    }

    /** An object of its own, so that each can be told from another that looks the same. */
    private Object give(String what) {
        Object value = new String(what.toCharArray());
        given.add(value);
        return value;
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    static <E extends Throwable> Exception asItIs(@Nullable Throwable error) throws E {
        throw (E) error;
    }

    /** One run of the action, and whether it was told that it is given up. */
    private final class Run {
        private final Attempt attempt;
        private final Script.Step step;
        private boolean mustBeGivenUp;
        private int hooks;

        Run(Attempt attempt, Script.Step step) {
            this.attempt = attempt;
            this.step = step;
            attempt.onCancel(() -> hooks++);
            all.add(this);
        }

        void check(List<String> left) {
            String name = "attempt " + step.what();
            if (hooks > 1 || attempt.isCancelled() != (hooks == 1)) {
                left.add(name + " ran its hook " + hooks + " times, isCancelled is " + attempt.isCancelled());
            }
            if (mustBeGivenUp && !attempt.isCancelled()) {
                left.add(name + " was given up and not told so");
            }
            if (attempt.isCancelled() && reply != null && step.what().equals(reply.value())) {
                left.add(name + " was given up and is the answer");
            }
        }
    }

    private boolean interruptedFromOutside() {
        boolean now = spec.event() == Event.INTERRUPT || spec.event() == Event.CANCEL;
        return now
                && time.nanos() - begun >= nanos(spec.eventAt())
                && !cell.level(cell.last()).has(Layer.DEDICATED);
    }

    // ---- the action, asynchronous

    private CompletionStage<Object> async(Attempt attempt, int level, boolean leads) {
        if (level == cell.last()) {
            return leads ? leadAsync() : actAsync(attempt);
        }
        return cell.level(level + 1).way() == Way.ASYNC
                ? options(level + 1).callAsync(inner -> async(inner, level + 1, leads))
                : onWorker(attempt, level + 1, leads);
    }

    /** A blocking call inside an asynchronous one: on a thread of its own, which is interrupted when the attempt is given up. */
    private CompletionStage<Object> onWorker(Attempt attempt, int level, boolean leads) {
        Thread[] worker = new Thread[1];
        boolean[] fromOutside = new boolean[1];
        boolean[] fromHook = new boolean[1];
        attempt.onCancel(() -> {
            if (worker[0] != null) {
                fromHook[0] = true;
                time.interrupt(worker[0]);
            }
        });
        CompletableFuture<Object> result = new CompletableFuture<>();
        Deadline.propagating(time.executor()).execute(() -> {
            worker[0] = Thread.currentThread();
            boolean target = !leads && caller == null && cell.level(0).way() == Way.ASYNC;
            if (target) {
                caller = worker[0];
                outsiders = fromOutside;
            }
            Object value = null;
            Throwable failure = null;
            try {
                value = options(level).call(inner -> block(inner, level, leads));
            } catch (Throwable thrown) {
                failure = thrown;
            }
            worker[0] = null;
            if (target) {
                caller = null;
            }
            checkFlag(fromOutside[0] || spec.script() == Script.INTERRUPTION, fromHook[0] || leads);
            if (failure != null) {
                result.completeExceptionally(failure);
            } else if (!result.complete(value)) {
                // Lost by a future of the test's own, of which no pipeline knows.
                forget(given, value);
            }
        });
        return result;
    }

    /** After a blocking call inside an asynchronous one, as after any other. */
    private void checkFlag(boolean interrupted, boolean byHook) {
        boolean set = Thread.interrupted();
        // The hook's interrupt comes in the instant of the inherited limit's own.
        if (set != interrupted && !byHook && spec.script() != Script.DEAF) {
            wrongs.add("the inner call left the flag of its thread " + set);
        }
    }

    private CompletionStage<Object> actAsync(Attempt attempt) {
        if (warming) {
            return CompletableFuture.completedFuture("old");
        }
        Script.Step step = spec.script().step(++runs);
        running++;
        Work work = new Work(new Run(attempt, step));
        if (step.takes() != Script.NEVER) {
            work.timer = time.schedule(nanos(step.takes()), work::finish);
        }
        return work;
    }

    private final class Work extends CompletableFuture<Object> {
        private final Run run;
        private final Script.Step step;
        private dev.holdfast.spi.TimeSource.@Nullable Timer timer;
        private boolean over;

        Work(Run run) {
            this.run = run;
            this.step = run.step;
        }

        private void over() {
            if (!over) {
                over = true;
                running--;
                lastEnd = Math.max(lastEnd, time.nanos());
            }
        }

        void finish() {
            over();
            if (step.gives()) {
                complete(give(step.what()));
            } else {
                completeExceptionally(step.error());
            }
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            run.mustBeGivenUp = true;
            if (step.deaf()) {
                return false;
            }
            over();
            if (timer != null) {
                timer.cancel();
            }
            return super.cancel(mayInterruptIfRunning);
        }
    }

    private final class Fallbacks implements Stage {
        @Override
        public Object now() {
            return give("fb");
        }

        @Override
        public CompletionStage<?> begin(@Nullable Throwable error) {
            return stage();
        }
    }

    private CompletionStage<?> stage() {
        CompletableFuture<Object> stage = new CompletableFuture<>();
        time.schedule(nanos(Layer.STAGE_TAKES), () -> {
            lastEnd = Math.max(lastEnd, time.nanos());
            stage.complete(give("fs"));
        });
        return stage;
    }

    // ---- what the call meets

    private void trouble() {
        if (cell.met() < 0) {
            return;
        }
        Policy met = policies.get(cell.met());
        switch (spec.trouble()) {
            case FULL -> occupy(met, Trouble.FULL_UNTIL);
            case FULL_FOR_LONG -> occupy(met, Trouble.FULL_FOR_LONG_UNTIL);
            case SLOWED -> use(met, 10);
            case THROTTLED -> use(met, 11);
            case WARM -> warm();
            case LEADER, LEADER_GIVES_UP, LEADER_FAILS, LEADER_HANGS -> startLeader();
            default -> {}
        }
    }

    private Pipeline helper(Policy met) {
        Pipeline helper = Pipeline.builder("helper").policies(met).time(time).build();
        helpers.add(helper);
        return helper;
    }

    private void occupy(Policy met, long until) {
        CompletableFuture<Object> work = new CompletableFuture<>();
        var unused = helper(met).callAsync(() -> work);
        time.schedule(nanos(until), () -> {
            lastEnd = Math.max(lastEnd, time.nanos());
            work.complete("helped");
        });
    }

    private void use(Policy met, int calls) {
        Pipeline helper = helper(met);
        for (int i = 0; i < calls; i++) {
            var unused = helper.callAsync(() -> {
                lastEnd = Math.max(lastEnd, time.nanos());
                return CompletableFuture.completedFuture("helped");
            });
        }
    }

    private void warm() {
        warming = true;
        CompletableFuture<Object> warmed = cell.level(0).way() == Way.CALL
                ? time.spawn(() -> options(0).call(attempt -> block(attempt, 0, false)))
                : options(0).callAsync(attempt -> async(attempt, 0, false));
        time.run();
        if (!"old".equals(warmed.getNow("nothing"))) {
            wrongs.add("the call before got " + warmed);
        }
        warming = false;
    }

    // ---- a call of the same key, which began earlier

    private @Nullable CompletableFuture<Object> leading;
    private @Nullable Thread leader;

    private void startLeader() {
        Call<Object> call = operations.get(0).key("k").deadline(ofMillis(Ending.LEADER_LIMIT));
        if (cell.level(0).way() == Way.CALL) {
            leading = time.spawn(() -> {
                leader = Thread.currentThread();
                try {
                    return call.call(attempt -> block(attempt, 0, true));
                } finally {
                    leader = null;
                    Thread.interrupted();
                    lastEnd = Math.max(lastEnd, time.nanos());
                }
            });
            // It has its turn before anything else.
            time.advance(java.time.Duration.ZERO);
        } else {
            leading = call.callAsync(attempt -> async(attempt, 0, true));
            var unused = leading.whenComplete((value, thrown) -> lastEnd = Math.max(lastEnd, time.nanos()));
            time.advance(java.time.Duration.ZERO);
        }
        if (spec.trouble() == Trouble.LEADER_GIVES_UP) {
            time.schedule(nanos(Trouble.LEADER_GIVES_UP_AT), () -> {
                if (leader != null) {
                    time.interrupt(leader);
                } else {
                    leading.cancel(true);
                }
            });
        }
    }

    private Object lead() throws Exception {
        switch (spec.trouble()) {
            case LEADER -> time.sleep(ofMillis(Trouble.LEADS_UNTIL));
            case LEADER_FAILS -> {
                time.sleep(ofMillis(Trouble.LEADS_UNTIL));
                throw new java.io.IOException("the leader's");
            }
            default -> parkForEver();
        }
        return "lead";
    }

    private CompletionStage<Object> leadAsync() {
        CompletableFuture<Object> work = new CompletableFuture<>();
        if (spec.trouble() == Trouble.LEADER) {
            time.schedule(nanos(Trouble.LEADS_UNTIL), () -> work.complete("lead"));
        } else if (spec.trouble() == Trouble.LEADER_FAILS) {
            time.schedule(
                    nanos(Trouble.LEADS_UNTIL),
                    () -> work.completeExceptionally(new java.io.IOException("the leader's")));
        }
        return work;
    }

    private void checkLeader(List<String> left) {
        if (leading != null && !leading.isDone()) {
            left.add("the leader never ended");
        } else if (spec.trouble() == Trouble.LEADER
                && !"lead".equals(leading.handle((v, e) -> v).getNow(null))) {
            left.add("the leader got " + leading);
        }
    }

    // ---- what was seen

    private Map<String, String> seen() {
        Map<String, String> seen = new TreeMap<>();
        seen.put("runs", Integer.toString(runs));
        if (!done) {
            seen.put("end", "none");
            return seen;
        }
        seen.put("end", reply != null ? String.valueOf(reply.value()) : text(error));
        seen.put("at", Long.toString(TimeUnit.NANOSECONDS.toMillis(endedAt - begun)));
        seen.put("flag", Boolean.toString(flag));
        if (reply != null) {
            seen.put("source", reply.source().name());
            seen.put("attempts", Integer.toString(reply.attempts()));
        }
        for (int i = 0; i < policies.size(); i++) {
            if (policies.get(i) instanceof CircuitBreakerPolicy breaker) {
                var metrics = breaker.asResilience4j().getMetrics();
                seen.put(
                        "breaker" + i,
                        metrics.getNumberOfFailedCalls() + " of " + metrics.getNumberOfBufferedCalls() + " failed");
                seen.put("state" + i, breaker.state().name().toLowerCase(java.util.Locale.ROOT));
            } else if (policies.get(i) instanceof ThrottlePolicy throttle) {
                seen.put("throttle" + i, Integer.toString(Layer.BURST - throttle.available()));
            }
        }
        return seen;
    }

    private static String text(@Nullable Throwable thrown) {
        Throwable cause =
                thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
        if (cause instanceof CallTimeoutException timeout) {
            return "timeout of " + timeout.policy() + " of " + timeout.pipeline();
        }
        if (cause instanceof CallRejectedException rejected) {
            boolean byPolicy = rejected.reason() == Reason.CIRCUIT_OPEN
                    || rejected.reason() == Reason.BULKHEAD_FULL
                    || rejected.reason() == Reason.THROTTLED;
            String policy = rejected.policy().equals("circuit-breaker") ? "breaker" : rejected.policy();
            return byPolicy
                    ? "rejected by " + policy + " of " + rejected.pipeline() + ": " + rejected.reason()
                    : "rejected: " + rejected.reason();
        }
        return cause == null ? "null" : cause.getClass().getSimpleName();
    }

    /** What must hold after every case, however it ended. */
    List<String> leftBehind() {
        List<String> left = new ArrayList<>(wrongs);
        if (!done) {
            left.add("the call never ended");
        }
        if (running != 0) {
            left.add(running + " actions still run");
        }
        for (int i = 0; i < policies.size(); i++) {
            if (policies.get(i) instanceof BulkheadPolicy bulkhead && bulkhead.inFlight() + bulkhead.waiting() != 0) {
                left.add(bulkhead.inFlight() + " permits out and " + bulkhead.waiting() + " waiting at layer " + i);
            }
        }
        for (SpyPolicy spy : spies) {
            try {
                spy.assertOver();
            } catch (AssertionError e) {
                left.add(String.valueOf(e.getMessage()).replaceAll("\\s+", " "));
            }
        }
        values(left);
        checkLeader(left);
        all.forEach(run -> run.check(left));
        long idle = TimeUnit.NANOSECONDS.toMillis(time.nanos() - Math.max(lastEnd, begun));
        if (idle > WAKE_UP) {
            left.add("something was still to happen " + idle + " ms after the last work had ended");
        }
        return left;
    }

    /** Every value that nobody got is handed to discard, once. */
    private void values(List<String> left) {
        List<Object> lost = new ArrayList<>(given);
        Object delivered = reply == null ? null : reply.value();
        forget(lost, delivered);
        if (leading != null) {
            forget(lost, leading.handle((value, thrown) -> value).getNow(null));
        }
        for (Object value : discarded) {
            if (!forget(lost, value)) {
                left.add(value
                        + (value == delivered ? " was delivered and discarded" : " was discarded once too often"));
            }
        }
        for (Object value : lost) {
            // What several calls share, or a cache further in keeps, belongs to none of them.
            if (!attemptsMayShare() && !keptInside()) {
                left.add(value + " was got by nobody and not discarded");
            }
        }
    }

    private boolean keptInside() {
        return cell.levels().stream().skip(1).anyMatch(level -> level.has(Layer.CACHE))
                && policies.stream().anyMatch(policy -> policy instanceof StaleCachePolicy cache && cache.size() > 0);
    }

    /** Whether two attempts beside each other, of a hedge further out, ask a cache for the same key. */
    private boolean attemptsMayShare() {
        boolean hedged = false;
        for (var level : cell.levels()) {
            if (hedged && level.has(Layer.CACHE)) {
                return true;
            }
            hedged |= level.has(Layer.HEDGE);
        }
        return false;
    }

    private static boolean forget(List<Object> values, @Nullable Object value) {
        return values.removeIf(one -> one == value);
    }

    @Override
    public void close() {
        pipelines.forEach(Pipeline::close);
        helpers.forEach(Pipeline::close);
        time.close();
    }
}
