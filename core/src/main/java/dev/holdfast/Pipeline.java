/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.TimeSource;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The policies around the calls of one dependency, in their order. Made once, used by any number of threads.
 *
 * <pre>{@code
 * Pipeline inventory = Pipeline.of("inventory", RetryPolicy.of(r -> r.maxAttempts(3)), TimeoutPolicy.of(ofMillis(250)));
 * String body = inventory.call(() -> client.health());
 * }</pre>
 *
 * <p>A blocking call runs on its caller's thread. An asynchronous one holds no thread; its continuations run where its stages
 * complete, or on the pipeline's executor; on a timer's thread only if that executor runs them where they are handed in, or
 * refuses them.
 */
public final class Pipeline implements AutoCloseable {
    /** Classes of its own cost a pipeline about as much as ten thousand calls do; this many tell that it is in use. */
    private static final int STRAIGHT_AFTER = Integer.getInteger("dev.holdfast.straight-after", 1_000);

    private final String name;
    private final List<Policy> policies;
    private final List<String> warnings;
    private final TimeSource time;
    private final Operation<@Nullable Object> plain;
    private final Classifier classifier;
    private final @Nullable Events events;
    final @Nullable Carrier carrier;
    final Interpreter interpreter;
    final BlockingDriver blocking;
    final AsyncDriver async;

    private final Object lock = new Object();
    private volatile @Nullable Executor executor;
    private final boolean executorIsOwn;
    /** Of whoever built it; for its threads. */
    private final @Nullable ClassLoader loader;

    private @Nullable ExecutorService owned;
    private final @Nullable ExecutorService dedicated;
    private volatile boolean closed;

    private Pipeline(Builder builder) {
        name = builder.name;
        policies = List.copyOf(builder.policies);
        warnings = warningsOf(name, policies);
        time = builder.time;
        executor = builder.executor;
        executorIsOwn = executor == null;
        classifier = builder.classifier;
        events = builder.observers.isEmpty() ? null : new Events(name, builder.observers);
        carrier = Carrier.of(builder.contexts);
        for (Policy policy : policies) {
            policy.bind(time);
            policy.beside(policies);
        }
        loader = Thread.currentThread().getContextClassLoader();
        dedicated = dedicatedThreads(name, policies, loader);
        Executor elsewhere = dedicated != null && time.executor() != null ? time.executor() : dedicated;
        interpreter = new Interpreter(
                this, policies, time, events, elsewhere, builder.straightAfter, () -> closed, this::startBackground);
        Watchdog watchdog = builder.watchdog == null ? Watchdog.on(time) : builder.watchdog;
        blocking = new BlockingDriver(this, interpreter, watchdog);
        async = new AsyncDriver(this, interpreter, watchdog);
        plain = new Operation<>(this, null, classifier, new Operation.Options<>());
        if (events != null) {
            events.opened(this);
        }
    }

    private static @Nullable ExecutorService dedicatedThreads(
            String name, List<Policy> policies, @Nullable ClassLoader loader) {
        ExecutorService made = null;
        for (Policy policy : policies) {
            if (policy.dedicatedThreads() > 0) {
                if (made != null) {
                    throw new IllegalArgumentException("pipeline '" + name
                            + "' has two policies with dedicated threads, but an attempt runs on one");
                }
                made = Threads.newPool(name, policy.dedicatedThreads(), loader);
            }
        }
        return made;
    }

    private static List<String> warningsOf(String name, List<Policy> policies) {
        List<String> all = new ArrayList<>(OrderLint.check(name, policies));
        for (Policy policy : policies) {
            all.addAll(policy.warnings());
        }
        for (String warning : all) {
            System.getLogger("dev.holdfast").log(Level.WARNING, "pipeline ''{0}'': {1}", name, warning);
        }
        return List.copyOf(all);
    }

    /**
     * A pipeline of these policies, the first outermost.
     *
     * @throws IllegalArgumentException if this order can never work; orders that merely hurt are {@link #warnings}
     */
    public static Pipeline of(String name, Policy... outermostFirst) {
        return builder(name).policies(outermostFirst).build();
    }

    /** A pipeline of the policies on the class path that make sense without settings, in the default order. */
    public static Pipeline standard(String name) {
        return builder(name).policies(standardPolicies()).build();
    }

    private static List<Policy> standardPolicies() {
        List<PolicyFactory<?>> factories = new ArrayList<>();
        for (PolicyFactory<?> factory : ServiceLoader.load(PolicyFactory.class, Pipeline.class.getClassLoader())) {
            factories.add(factory);
        }
        factories.sort(Comparator.comparingInt(PolicyFactory::position));
        List<Policy> policies = new ArrayList<>();
        for (PolicyFactory<?> factory : factories) {
            factory.standard().ifPresent(policies::add);
        }
        return policies;
    }

    /** Starts a pipeline without policies, on the system's time. */
    public static Builder builder(String name) {
        return new Builder(name);
    }

    /** What a pipeline is made of. */
    public static final class Builder {
        private final String name;
        private List<Policy> policies = List.of();
        private Classifier classifier = Classifier.DEFAULT;
        private final List<CallObserver> observers = new ArrayList<>();
        private TimeSource time = TimeSource.system();
        private @Nullable Executor executor;
        private int straightAfter = STRAIGHT_AFTER;
        private @Nullable Watchdog watchdog;
        private @Nullable List<CallContext> contexts;

        private Builder(String name) {
            this.name = Objects.requireNonNull(name, "name");
        }

        /** The policies, the first outermost. */
        public Builder policies(Policy... outermostFirst) {
            return policies(Arrays.asList(outermostFirst));
        }

        /** The policies, the first outermost. */
        public Builder policies(List<? extends Policy> outermostFirst) {
            policies = List.copyOf(outermostFirst);
            return this;
        }

        /** The policies that {@link Pipeline#standard} has. */
        public Builder standard() {
            return policies(standardPolicies());
        }

        /** What an answer means; default {@link Classifier#DEFAULT}. */
        public Builder classifier(Classifier value) {
            classifier = Objects.requireNonNull(value, "classifier");
            return this;
        }

        /** Told what happens; may be called again for another one. */
        public Builder observer(CallObserver value) {
            observers.add(Objects.requireNonNull(value, "observer"));
            return this;
        }

        /** Whose time it is; default the system's. */
        public Builder time(TimeSource value) {
            time = Objects.requireNonNull(value, "time");
            return this;
        }

        /**
         * Where continuations of asynchronous calls and background work run. It is not closed with the pipeline. Default:
         * virtual threads where the JVM has them, else a bounded pool of daemon threads of the pipeline's own. One that runs
         * or holds up tasks where they are handed in holds up limits and waits of all pipelines.
         */
        public Builder executor(Executor value) {
            executor = Objects.requireNonNull(value, "executor");
            return this;
        }

        /** Who strikes in place of the one that belongs to the time. */
        Builder watchdog(Watchdog value) {
            watchdog = value;
            return this;
        }

        /** After how many calls the pipeline gets a {@link StraightWay}; less than 0: never. */
        Builder straightAfter(int calls) {
            straightAfter = calls;
            return this;
        }

        /**
         * What goes with a call to other threads, and nothing else; without arguments nothing does. Default: the contexts on
         * the class path, which are the thread-locals that are registered with Micrometer's context-propagation if that is
         * there.
         */
        public Builder context(CallContext... values) {
            contexts = List.of(values);
            return this;
        }

        /**
         * Makes the pipeline. Its own threads have the context class loader of the calling thread.
         *
         * @throws IllegalArgumentException if the order can never work
         * @throws java.util.ServiceConfigurationError if a context on the class path cannot be made
         */
        public Pipeline build() {
            return new Pipeline(this);
        }
    }

    // ---- calls

    /**
     * Runs the action on this thread, under the policies.
     *
     * @throws E what the action threw last, as it is
     * @throws CallRejectedException if the call was turned away locally
     * @throws CallTimeoutException if the last attempt did not end in time
     */
    public <T extends @Nullable Object, E extends Exception> T call(CheckedSupplier<T, E> action) throws E {
        return blocking.call(plain.unkeyed(), action, CallState.SUPPLIER, null, false);
    }

    /**
     * Runs the action under the policies and returns at once. Cancelling or completing the returned future gives the call up
     * and takes back its permits; cancelling a future derived from it does not. Every problem is reported in the future.
     */
    public <T extends @Nullable Object> CompletableFuture<T> callAsync(Supplier<? extends CompletionStage<T>> action) {
        return async.call(plain.unkeyed(), action, CallState.SUPPLIER, null, false);
    }

    /** A named kind of call, with the default options. */
    public <T extends @Nullable Object> Operation<T> operation(String operation) {
        return operation(operation, options -> {});
    }

    /** A named kind of call. */
    public <T extends @Nullable Object> Operation<T> operation(
            String operation, Consumer<? super Operation.Options<T>> configure) {
        Operation.Options<T> options = new Operation.Options<>();
        configure.accept(options);
        return new Operation<>(this, Objects.requireNonNull(operation, "operation"), classifier, options);
    }

    // ---- what it is

    /** The name. */
    public String name() {
        return name;
    }

    /** The policies, the first outermost. */
    public List<Policy> policies() {
        return policies;
    }

    /** What is known to hurt in how this pipeline was put together; each begins with the name of its rule. */
    public List<String> warnings() {
        return warnings;
    }

    /** Asks every policy for its gauges and totals. */
    public void meters(Meters meters) {
        for (Policy policy : policies) {
            policy.meters(meters);
        }
    }

    /** The gauges and totals of all policies as they stand, by name; a tag follows the name in braces. */
    public Map<String, Number> snapshot() {
        Snapshot snapshot = new Snapshot();
        meters(snapshot);
        return snapshot.values;
    }

    @Override
    public String toString() {
        return name + ": "
                + policies.stream().map(policy -> policy.name() + " > ").collect(Collectors.joining()) + "call";
    }

    // ---- life

    /**
     * Ends the threads and meters that the pipeline made. Calls in flight end; one that needs another thread for that, or that
     * begins now, is rejected with {@link Reason#CLOSED}.
     */
    @Override
    public void close() {
        synchronized (lock) {
            if (closed) {
                return;
            }
            closed = true;
            if (owned != null) {
                owned.shutdown();
            }
        }
        if (dedicated != null) {
            dedicated.shutdown();
        }
        interpreter.closing.complete();
        if (events != null) {
            events.closed(this);
        }
    }

    boolean isClosed() {
        return closed;
    }

    /** The user's executor, the time's, or one of our own that is made when it is first needed. */
    Executor executor() {
        Executor known = executor;
        if (known != null) {
            return known;
        }
        synchronized (lock) {
            known = executor;
            if (known == null) {
                known = time.executor();
                if (known == null) {
                    owned = Threads.newExecutor(name, loader);
                    known = owned;
                    if (closed) {
                        owned.shutdown();
                    }
                }
                executor = known;
            }
            return known;
        }
    }

    /** Whether handing a task in runs nothing of the user's: not the task, since it has threads, nor an executor of theirs. */
    boolean executorIsOwn() {
        return executorIsOwn;
    }

    /** For a thread in the middle of another call, which is to run nothing of this one; it does if there is no timer. */
    void onTimer(Runnable task) {
        AtomicBoolean begun = new AtomicBoolean();
        // A timer that was refused may have been set all the same.
        Runnable once = () -> {
            if (begun.compareAndSet(false, true)) {
                task.run();
            }
        };
        try {
            time.schedule(0, once);
        } catch (Throwable noTimer) {
            once.run();
        }
    }

    void runHooks(Attempt attempt) {
        if (Ambient.get().strikes && !executorIsOwn) {
            onTimer(() -> handInHooks(attempt));
        } else {
            handInHooks(attempt);
        }
    }

    private void handInHooks(Attempt attempt) {
        try {
            executor().execute(attempt::runHooks);
        } catch (Throwable refusal) {
            Interpreter.log("no thread to run the onCancel hooks of '" + name + "'", refusal);
        }
    }

    // ---- background work

    private void startBackground(CallState parent, CallState.Fork fork) {
        CallState child = new CallState(interpreter.layers, parent.async, null);
        child.begin(interpreter, parent.spec, parent.mode);
        child.work(Objects.requireNonNull(parent.action), parent.argument);
        child.base = fork.layer();
        child.cursor = fork.layer() + 1;
        child.preset(fork.layer(), fork.object());
        child.limitCaller(fork.limitNanos());
        child.context = parent.context();
        try {
            executor().execute(() -> runBackground(child));
        } catch (Throwable refusal) {
            interpreter.refuse(child);
            runBackground(child);
        }
    }

    void runBackground(CallState child) {
        Surroundings callers = Surroundings.enter(child, Ambient.get());
        try {
            if (child.async) {
                // Going down still: it has not been refused already.
                if (closed && child.down) {
                    interpreter.refuse(child);
                }
                async.proceed(child);
            } else {
                blocking.runInBackground(child);
                backgroundDone(child);
            }
        } finally {
            Surroundings.leave(callers);
        }
    }

    void backgroundDone(CallState child) {
        Hedge hedge = child.hedge();
        if (hedge != null) {
            hedge.ended();
        } else if (events != null) {
            events.backgroundSettled(child.operation(), child.outcome, child.now - child.startNanos);
        }
    }
}
