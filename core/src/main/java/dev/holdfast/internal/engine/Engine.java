/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Attempt;
import dev.holdfast.Outcome;
import dev.holdfast.Reply;
import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.internal.ChangesAlone;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.CallObserver.Observed;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.Policy.Timing;
import dev.holdfast.spi.TimeSource;
import java.lang.invoke.MethodHandles;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What runs the calls of one pipeline: its walk, its two drivers and its threads. */
public final class Engine {
    // What the action takes: a bit for each.
    public static final int SUPPLIER = 0;
    public static final int ATTEMPT = 1;
    /** The argument by which the call is keyed: a decorated function. */
    public static final int KEYED = 2;

    public static final int KEYED_ATTEMPT = KEYED | ATTEMPT;

    /**
     * Loaded and initialized before the first call. HotSpot inlines no method whose signature names a class that is not loaded, and
     * what a call has only sometimes is named by methods that every call passes. A call that is given up where the stack is nearly
     * full has room for its way up, but not for loading a class there. And a class whose initializer has no room is broken for good.
     */
    private static final List<Class<?>> LOADED = List.of(
            Ambient.class,
            Ambient.Held.class,
            Around.class,
            Asker.class,
            AsyncDriver.Ending.class,
            AsyncDriver.HandOver.class,
            AsyncDriver.Resumption.class,
            Attempt.End.class,
            AttemptEnds.class,
            Bound.class,
            CallFuture.class,
            CallKey.class,
            CallState.class,
            Passage.Fault.class,
            Hedge.class,
            History.class,
            LateEnd.class,
            LateEnd.Leaving.class,
            Log.class,
            Outcome.class,
            Overstay.class,
            OwnFallback.class,
            Reply.Source.class,
            RunningAttempt.class,
            StateNews.Change.class,
            StackRoom.class,
            Step.class,
            Surroundings.class,
            Threads.class,
            Traces.OfAttempt.class);

    static {
        LOADED.forEach(Engine::initialize);
    }

    private static void initialize(Class<?> loaded) {
        try {
            MethodHandles.lookup().ensureInitialized(loaded);
        } catch (IllegalAccessException impossible) {
            throw new LinkageError(loaded.getName(), impossible);
        }
    }

    public final BlockingDriver blocking;
    public final AsyncDriver async;

    final String name;
    final TimeSource time;
    final Observers observers;
    final @Nullable Carrier carrier;
    final Lanes lanes;
    /** Where attempts run, if not on the thread of their caller. Asked for each: after the close it takes none. */
    final Lanes.@Nullable Lane dedicated;

    final Completion closing;
    final Log log;
    final Plan plan;
    /** What follows each call; null if nothing does. */
    final @Nullable Traces traces;
    /** Whether actions run on the thread of their caller, and nothing follows them. */
    final boolean plain;
    /** Whether each attempt is measured, because a policy or an observer will ask, or for the same run each time. */
    final boolean timed;
    /** Whether some attempts are measured, because a policy must know how long answers take. */
    final boolean sampled;

    final PolicyHooks hooks;
    final Rejections rejections;
    final Endings endings;
    final ChildCalls children = new ChildCalls(this);
    final Walk walk;

    private final Settings settings;
    private final Lifetime lifetime;

    /**
     * What an engine is made of.
     *
     * @param contexts what goes with a call to other threads; null: what is on the class path
     * @param executor null: the time's, or threads that all pipelines share
     * @param backgroundExecutor null: the same
     * @param straightAfter after how many calls it gets a {@link StraightWay}; less than 0: never
     * @param watchdog null: the one that belongs to the time
     */
    public record Settings(
            String name,
            List<Policy> policies,
            TimeSource time,
            List<CallObserver> observers,
            @Nullable List<CallContext> contexts,
            @Nullable Executor executor,
            @Nullable Executor backgroundExecutor,
            int straightAfter,
            @Nullable Watchdog watchdog) {}

    /**
     * Binds the policies to the time and to one another.
     *
     * @throws IllegalArgumentException if the policies can never work together
     */
    public Engine(Settings settings) {
        this(settings, new Lifetime(settings));
    }

    private Engine(Settings settings, Lifetime lifetime) {
        this.settings = settings;
        this.lifetime = lifetime;
        name = settings.name;
        time = settings.time;
        observers = lifetime.observers;
        carrier = lifetime.carrier;
        lanes = lifetime.lanes;
        closing = lifetime.closing;
        log = lifetime.log;
        // First: policies of a plan that can never work may be in use elsewhere, and are not bound.
        plan = new Plan(name, settings.policies);
        dedicated = hasDedicatedThreads(name, settings.policies) ? lanes.dedicated : null;
        traces = observers.traces;
        plain = dedicated == null && traces == null;
        for (Policy policy : settings.policies) {
            policy.bind(name, time);
        }
        Set<Timing> asked = settings.policies.stream().map(Engine::timing).collect(Collectors.toSet());
        sampled = asked.contains(Timing.SOME);
        // Which calls are a sample depends on their threads: a test on virtual time, which alone has an executor, must
        // not.
        timed = observers.anyOfCalls() || asked.contains(Timing.EVERY) || (sampled && time.executor() != null);
        hooks = new PolicyHooks(plan, name, lanes, log);
        rejections = new Rejections(name, lifetime.closed::get);
        endings = new Endings(name, plan, observers, hooks, rejections);
        walk = new Walk(plan, observers, hooks, rejections, endings, settings.straightAfter, children);
        Watchdog watchdog = settings.watchdog == null ? Watchdog.on(time) : settings.watchdog;
        blocking = new BlockingDriver(this, watchdog);
        async = new AsyncDriver(this, watchdog);
    }

    /**
     * Asks the policies what they are, and changes nothing.
     *
     * @throws IllegalArgumentException if no engine could have them
     */
    public static void rejectImpossible(String pipeline, List<Policy> policies) {
        var unused = new Plan(pipeline, policies);
        var unusedToo = hasDedicatedThreads(pipeline, policies);
    }

    private static Timing timing(Policy policy) {
        return Objects.requireNonNull(policy.timing(), () -> "timing() of " + policy.name() + " returned null");
    }

    private static boolean hasDedicatedThreads(String pipeline, List<Policy> policies) {
        long dedicated = policies.stream()
                .filter(policy -> policy.dedicatedThreads() > 0)
                .count();
        if (dedicated > 1) {
            throw new IllegalArgumentException(
                    "pipeline '" + pipeline + "' has two policies with dedicated threads, but an attempt runs on one");
        }
        return dedicated == 1;
    }

    /**
     * The engine of the same pipeline with other policies. Both have the same threads, observers and end.
     *
     * @throws IllegalArgumentException if the policies can never work together
     */
    public Engine with(List<Policy> policies) {
        return new Engine(
                new Settings(
                        name,
                        policies,
                        time,
                        settings.observers,
                        settings.contexts,
                        settings.executor,
                        settings.backgroundExecutor,
                        settings.straightAfter,
                        settings.watchdog),
                lifetime);
    }

    /** Before the first call: tells the policies of one another. One that could not be bound has left them as they are. */
    public void introduce() {
        List<Policy> all = AroundPolicy.behind(settings.policies);
        settings.policies.forEach(policy -> policy.beside(name, all));
    }

    /** Before the first call: tells the observers for whom it works. */
    public void opened(Observed pipeline) {
        observers.opened(pipeline);
    }

    /**
     * Until {@link #begin}, policies tell the pipeline of no change, except those that it had and keeps under the same name: so what
     * they told last can be handed over. A policy that has told something does so under its lock, and is asked under that lock.
     */
    public void come() {
        lifetime.coming = this;
    }

    /** From now on this is the pipeline's engine. Changes of policies that it does not have are none of the pipeline. */
    public void begin() {
        lifetime.present = this;
        // In this order: whoever sees that nothing is coming sees what has come.
        lifetime.coming = null;
    }

    /** After {@link #begin}: from now on its policies tell it what no call has caused. */
    public void listen() {
        for (int i = 0; i < settings.policies.size(); i++) {
            if (AroundPolicy.innermost(settings.policies.get(i)) instanceof ChangesAlone policy) {
                policy.listener(new OfNoCall(this, plan.policyName(i)));
            }
        }
    }

    /** A change of a policy's state, which observers hear of with {@link #tellChanges}. Runs no code of the user. */
    public void noteChange(String policy, String from, String to, String cause) {
        observers.noteChange(new StateNews.Change(policy, from, to, cause));
    }

    /** Tells the observers of the changes of state that they have not heard of. */
    public void tellChanges() {
        observers.tellChanges();
    }

    /** Whether calls that begin get this one. */
    boolean isPresent() {
        // In this order: see begin().
        return lifetime.coming == null && lifetime.present == this && !isClosed();
    }

    /** Whether the pipeline does not have the policy of this layer any more, or not under this name, or just gets it again. */
    boolean hasLost(int layer) {
        // In this order: see begin().
        Engine coming = lifetime.coming;
        Engine present = lifetime.present;
        return lacks(coming, layer) || lacks(present, layer);
    }

    private boolean lacks(@Nullable Engine other, int layer) {
        return other != null && other != this && !other.plan.has(plan.policy(layer), plan.policyName(layer));
    }

    public void replaced(Observed pipeline) {
        observers.replaced(pipeline);
    }

    /** Tells the observers that they need not show the pipeline any more. Does nothing the second time. */
    public void retire(Observed pipeline) {
        if (lifetime.retire()) {
            observers.closed(pipeline);
        }
    }

    /** Ends what it made; tells the observers. Does nothing the second time. */
    public void close(Observed pipeline) {
        lifetime.close();
        retire(pipeline);
    }

    boolean isClosed() {
        return lifetime.closed.get();
    }

    /** Not on this thread, which has others to serve. */
    void runHooks(RunningAttempt attempt, CallContext.@Nullable Snapshot context) {
        if (attempt.hasHooks()) {
            try {
                lanes.hooks
                        .get()
                        .execute(() -> Carrier.within(
                                context,
                                () -> attempt.runHooks(
                                        thrown -> log.once("an onCancel hook of '" + name + "' threw", thrown))));
            } catch (Throwable refusal) {
                log.once("no thread to run the onCancel hooks of '" + name + "'", refusal);
            }
        }
    }

    // ---- values that nobody gets

    /** Discards the value, unless an inner call has it from a pipeline that shares or keeps it. */
    void discard(OperationSpec operation, @Nullable Inside inside, @Nullable Object lost) {
        Consumer<Object> discard = operation.discard();
        if (lost != null && discard != null && (inside == null || !inside.isShared(lost))) {
            try {
                discard.accept(lost);
            } catch (Throwable thrown) {
                tellOfDiscard(thrown);
            }
        }
    }

    private void tellOfDiscard(Throwable thrown) {
        try {
            log.once("discarding a value of '" + name + "' threw", thrown);
        } catch (Throwable noMemory) {
            // The call must go on.
        }
    }

    /** Work has ended after its outcome was decided: nobody gets its value. */
    void lateResult(OperationSpec operation, @Nullable Inside inside, @Nullable Object lost, long decidedAt) {
        discard(operation, inside, lost);
        if (decidedAt != Long.MIN_VALUE) {
            tellOverrun(operation.name(), time.nanos() - decidedAt);
        }
    }

    /** Tells an overrun, unless it was too short to count as one. */
    void tellOverrun(@Nullable String operation, long wentOn) {
        if (wentOn > LateEnd.GRACE_NANOS) {
            observers.overrun(operation, wentOn);
        }
    }
}
