/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.PipelineSnapshot.PolicySnapshot;
import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.internal.ChangesAlone;
import dev.holdfast.internal.NoValue;
import dev.holdfast.internal.Numbered;
import dev.holdfast.internal.OfKeys;
import dev.holdfast.internal.OwnFallbacks;
import dev.holdfast.internal.Owners;
import dev.holdfast.internal.RenamedMeters;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.change.Exchange;
import dev.holdfast.internal.engine.Engine;
import dev.holdfast.internal.engine.Meaning;
import dev.holdfast.internal.engine.Watchdog;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.CallObserver.Observed;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The policies around the calls of one dependency, in their order. Make it once; it is safe for any number of threads.
 *
 * <pre>{@code
 * Pipeline inventory = Pipeline.of("inventory", RetryPolicy.of(r -> r.maxAttempts(3)), TimeoutPolicy.of(ofMillis(250)));
 * String body = inventory.call(() -> client.health());
 * }</pre>
 *
 * <p>A blocking call runs on its caller's thread. An asynchronous call holds no thread while it waits. Its continuations run on the
 * thread that completes its stage, or on the pipeline's executor. They run on the timer thread only if that executor runs tasks on
 * the thread that submits them.
 */
public final class Pipeline implements Observed, AutoCloseable {
    /** Classes of its own cost a pipeline about as much as ten thousand calls do; this many tell that it is in use. */
    private static final int STRAIGHT_AFTER = Integer.getInteger("dev.holdfast.straight-after", 1_000);

    private static final SafeLog LOG = SafeLog.of("dev.holdfast");

    static {
        Exchange.ofPipelines((pipeline, others) -> ((Pipeline) pipeline).exchange(others));
    }

    private final String name;
    /** No monitor: a virtual thread of Java 21 that waits while it has one keeps its carrier. */
    private final ReentrantLock changing = new ReentrantLock();

    private volatile List<Policy> policies;
    final Warnings warnings;
    private final TimeSource time;
    private final StateChanges changes;
    private final @Nullable Traffic traffic;
    private final Operation<@Nullable Object> plain;
    /** Whose keys are this pipeline's. */
    final Object identity = new Object();

    private final Meaning meaning;
    private volatile Optional<CallObserver.Histograms> histograms;
    /** Another one after {@link #replace}. */
    volatile Engine engine;
    /** Policies that threw when a snapshot was made. */
    private final Set<String> unsaid = ConcurrentHashMap.newKeySet();

    private Pipeline(Builder builder) {
        name = builder.name;
        policies = List.copyOf(builder.policies);
        warnings = new Warnings(name, builder.silenced);
        warnings.become(policies, warnings.of(policies));
        time = builder.time;
        changes = new StateChanges(time);
        List<CallObserver> observers = new ArrayList<>(builder.observers);
        observers.add(changes);
        traffic = builder.advised ? new Traffic(builder.time, this::logAdvice) : null;
        if (traffic != null) {
            traffic.begin(policies);
            observers.add(traffic);
        }
        meaning = new Meaning(builder.classifier);
        histograms = builder.histograms;
        engine = new Engine(new Engine.Settings(
                name,
                policies,
                builder.time,
                observers,
                builder.contexts,
                builder.executor,
                builder.backgroundExecutor,
                builder.straightAfter,
                builder.watchdog));
        engine.begin();
        engine.listen();
        engine.introduce();
        plain = new Operation<>(this, null, meaning, new Operation.Options<>());
        policies.forEach(policy -> Owners.uses(ShadowPolicy.inside(policy), identity));
        engine.opened(this);
    }

    /**
     * Makes a pipeline of these policies, the first outermost.
     *
     * @throws IllegalArgumentException if this order can never work; an order that does harm gives {@link #warnings}
     */
    public static Pipeline of(String name, Policy... outermostFirst) {
        return builder(name).policies(outermostFirst).build();
    }

    /**
     * Makes a pipeline of deadline, retry, circuit breaker, bulkhead and timeout, in this order and with their defaults. It has no
     * cache; {@link Builder#with} adds one.
     *
     * @throws IllegalStateException if a module is missing on the class path ({@code holdfast-circuitbreaker}, {@code
     *     holdfast-bulkhead}); {@link Builder#without} leaves its policy out
     */
    public static Pipeline standard(String name) {
        return builder(name).standard().build();
    }

    /** Starts a pipeline without policies, on the system's time. */
    public static Builder builder(String name) {
        return new Builder(name);
    }

    /** Builds a pipeline. */
    public static final class Builder {
        private final String name;
        private List<Policy> policies = List.of();
        /** Kinds that a standard pipeline has and this one does not, as long as nobody has said so. */
        private Set<String> missing = new TreeSet<>();

        private Classifier classifier = Classifier.DEFAULT;
        private final List<CallObserver> observers = new ArrayList<>();
        private final Set<String> silenced = new TreeSet<>();
        private boolean advised;
        private Optional<CallObserver.Histograms> histograms = Optional.empty();
        private TimeSource time = TimeSource.system();
        private @Nullable Executor executor;
        private @Nullable Executor backgroundExecutor;
        private int straightAfter = STRAIGHT_AFTER;
        private @Nullable Watchdog watchdog;
        private @Nullable List<CallContext> contexts;
        private boolean chosen;
        private boolean changed;

        private Builder(String name) {
            if (Objects.requireNonNull(name, "name").isBlank()) {
                throw new IllegalArgumentException("name is blank but must name the dependency");
            }
            this.name = name;
        }

        /**
         * The policies, the first outermost. Comes before {@link #with} and {@link #without}, and once.
         *
         * @throws IllegalStateException if something was said of the policies before
         * @throws IllegalArgumentException if they can never work together
         */
        public Builder policies(Policy... outermostFirst) {
            return policies(Arrays.asList(outermostFirst));
        }

        /**
         * The policies, the first outermost. Comes before {@link #with} and {@link #without}, and once.
         *
         * @throws IllegalStateException if something was said of the policies before
         * @throws IllegalArgumentException if they can never work together
         */
        public Builder policies(List<? extends Policy> outermostFirst) {
            if (chosen || changed) {
                throw new IllegalStateException(
                        "pipeline '" + name
                                + "': policies() or standard() comes once, and before with() and without(); nothing is replaced");
            }
            for (int i = 0; i < outermostFirst.size(); i++) {
                Objects.requireNonNull(outermostFirst.get(i), "policy " + (i + 1) + " of '" + name + "' is null");
            }
            List<Policy> all = List.copyOf(outermostFirst);
            OrderLint.rejectImpossible(name, all);
            chosen = true;
            policies = all;
            return this;
        }

        /**
         * The policies of {@link Pipeline#standard}. Comes before {@link #with} and {@link #without}, and once.
         *
         * @throws IllegalStateException if policies were given before
         */
        public Builder standard() {
            policies(DefaultOrder.ofClassPath().standard());
            missing = DefaultOrder.missing(policies);
            return this;
        }

        /**
         * Adds this policy at its place in the default order, or replaces the one of the same kind.
         *
         * <pre>{@code
         * Pipeline.builder("inventory").standard().with(StaleCachePolicy.of(c -> c.fresh(ofSeconds(5)))).build()
         * }</pre>
         *
         * @throws IllegalArgumentException if the default order has no place for it, or there are several of its kind
         */
        public Builder with(Policy policy) {
            policies = DefaultOrder.ofClassPath().with(policies, Objects.requireNonNull(policy, "policy"));
            missing.remove(policy.name());
            changed = true;
            return this;
        }

        /**
         * Removes the policy of this kind.
         *
         * @param kind its {@linkplain Policy#name name}, such as {@code throttle}
         * @throws IllegalArgumentException if there is none
         */
        public Builder without(String kind) {
            policies = missing.remove(kind) ? policies : DefaultOrder.without(policies, kind);
            changed = true;
            return this;
        }

        /** Says what an answer means; default {@link Classifier#DEFAULT}. */
        public Builder classifier(Classifier value) {
            classifier = Objects.requireNonNull(value, "classifier");
            return this;
        }

        /** Adds an observer. */
        public Builder observer(CallObserver value) {
            observers.add(Objects.requireNonNull(value, "observer"));
            return this;
        }

        /**
         * Leaves out the warnings of these rules, in the log and in {@link Pipeline#warnings}, also after a {@link Pipeline#replace}.
         *
         * @param rules the names before the colon: {@code timeout-outside-retry}
         */
        public Builder silence(String... rules) {
            silenced.addAll(Arrays.asList(rules));
            return this;
        }

        /**
         * Measures the pipeline's own traffic, so that it can say what it means for the settings ({@link Pipeline#advice}): also in
         * the log at the end of each hour, and as a meter. Costs about as much as an observer of every call. Default: it does not.
         */
        public Builder advised() {
            advised = true;
            return this;
        }

        /**
         * What observers show of the latencies of calls and attempts beside their sum; default nothing. Needs an {@link
         * #observer} that shows them, such as a {@code MicrometerObserver}; {@code docs/metrics.md} has names and cost.
         *
         * <pre>{@code
         * Pipeline.builder("inventory").standard().observer(metrics).histograms(h -> h.slo(ofMillis(100), ofMillis(250))).build()
         * }</pre>
         *
         * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of range
         */
        public Builder histograms(Consumer<? super HistogramOptions> configure) {
            HistogramOptions options = new HistogramOptions();
            configure.accept(options);
            return histograms(options.build());
        }

        /** The same, of values that were collected before. */
        public Builder histograms(CallObserver.Histograms value) {
            histograms = Optional.of(value);
            return this;
        }

        /** The source of time; default the system's. */
        public Builder time(TimeSource value) {
            time = Objects.requireNonNull(value, "time");
            return this;
        }

        /**
         * Where asynchronous calls continue after a wait: with their next attempt, their end, and the continuations of the returned
         * future. Default: daemon threads that all pipelines share, at most 256 at once for this one. Virtual threads are as good
         * until their carriers are busy or pinned: then no limit ends an asynchronous call.
         *
         * <p>It is not closed with the pipeline. Close it afterwards, with {@code shutdown()}: a call whose task it has taken and
         * never runs, as after {@code shutdownNow()}, never ends.
         *
         * <p>If it refuses a task, that call is rejected, and ends on a thread of Holdfast. If it runs tasks on the thread
         * that submits them, or blocks that thread, the limits and waits of all pipelines are late; then a continuation of one
         * call must not wait for another call.
         */
        public Builder executor(Executor value) {
            executor = Objects.requireNonNull(value, "executor");
            return this;
        }

        /**
         * Where refreshes of cached values and hedges run. They may hang for as long as their limit allows. It is not closed with
         * the pipeline; close it as the one of {@link #executor}. It should not be the same, whose tasks would wait for it. It
         * should not run tasks on the thread that submits them, because the timer thread submits hedges. Default: virtual
         * threads where the JVM has them, else up to 256 more of the same daemon threads.
         */
        public Builder backgroundExecutor(Executor value) {
            backgroundExecutor = Objects.requireNonNull(value, "backgroundExecutor");
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
         * What goes with a call to other threads; without arguments nothing does. Default: the contexts on the class path. With
         * Micrometer's context-propagation, these are the thread-locals that are registered there.
         */
        public Builder context(CallContext... values) {
            contexts = List.of(values);
            return this;
        }

        /**
         * Makes the pipeline. Its threads have the context class loader of the calling thread.
         *
         * @throws IllegalArgumentException if the order can never work
         * @throws IllegalStateException if a module of the {@link #standard} pipeline is missing on the class path
         * @throws java.util.ServiceConfigurationError if a context on the class path cannot be created
         */
        public Pipeline build() {
            if (!missing.isEmpty()) {
                throw new IllegalStateException("pipeline '" + name + "': " + DefaultOrder.wayOut(missing));
            }
            return new Pipeline(this);
        }
    }

    // ---- calls

    /**
     * Runs the action on this thread, under the policies.
     *
     * @throws E what the action threw last, as it is
     * @throws CallRejectedException if the call was rejected locally
     * @throws CallTimeoutException if the last attempt did not end in time
     */
    public <T extends @Nullable Object, E extends Exception> T call(CheckedSupplier<T, E> action) throws E {
        Objects.requireNonNull(action, "action");
        return engine.blocking.call(plain.unkeyed().spec, action, Engine.SUPPLIER, null, false);
    }

    /**
     * As {@link #call}, for an action without a value. The classifier sees null. So an action that
     * gets a response, whose status may be a failure, belongs in {@link #call}, and one that returns a future in
     * {@link #callAsync}.
     *
     * @throws E what the action threw last, as it is
     */
    public <E extends Exception> void run(CheckedRunnable<E> action) throws E {
        call(NoValue.of(action));
    }

    /**
     * As {@link #call}, for an action that throws {@link InterruptedException} beside another checked exception, as
     * {@code java.net.http} does. So the caller need not declare {@code throws Exception}.
     *
     * @throws E what the action threw last, as it is
     * @throws InterruptedException if the action threw it; the interrupt flag is set then. A thread that is interrupted while the
     *     call waits gets a {@link CallRejectedException} ({@link Reason#INTERRUPTED}), as with {@link #call}
     */
    public <T extends @Nullable Object, E extends Exception> T callInterruptibly(
            CheckedSupplier.Interruptible<T, E> action) throws E, InterruptedException {
        Objects.requireNonNull(action, "action");
        CheckedSupplier<T, Exception> any = action::get;
        return engine.blocking.call(plain.unkeyed().spec, any, Engine.SUPPLIER, null, false);
    }

    /**
     * Runs the action under the policies and returns at once. If the returned future is cancelled or completed from outside, the
     * call is given up and its permits come back, before stages that depend on the future run, except as {@link Call#callAsync}
     * says. Cancelling a future that was derived from it does not do this. Every problem is reported in the future.
     */
    public <T extends @Nullable Object> CompletableFuture<T> callAsync(Supplier<? extends CompletionStage<T>> action) {
        if (action == null) {
            return Call.noAction();
        }
        return engine.async.call(plain.unkeyed().spec, action, Engine.SUPPLIER, null, false);
    }

    /** Makes a call that belongs to no operation and has no key, to be given options. */
    @SuppressWarnings("unchecked") // it has no values yet
    public <T extends @Nullable Object> Call<T> unkeyed() {
        return (Call<T>) plain.unkeyed();
    }

    /** Makes a named kind of call, with the default options. */
    public <T extends @Nullable Object> Operation<T> operation(String operation) {
        return operation(operation, options -> {});
    }

    /**
     * Makes a named kind of call.
     *
     * @throws IllegalStateException if it has a fallback, and the pipeline has no {@link dev.holdfast.fallback.FallbackPolicy}
     */
    public <T extends @Nullable Object> Operation<T> operation(
            String operation, Consumer<? super Operation.Options<T>> configure) {
        if (Objects.requireNonNull(operation, "operation").isBlank()) {
            throw new IllegalArgumentException("operation of '" + name + "' is blank but must name a kind of call");
        }
        Operation.Options<T> options = new Operation.Options<>();
        configure.accept(options);
        if (options.fallback != null) {
            mustHaveFallback("operation '" + operation + "'");
        }
        return new Operation<>(this, operation, meaning, options);
    }

    void mustHaveFallback(String what) {
        if (!OwnFallbacks.ask(policies)) {
            throw new IllegalStateException("pipeline '" + name + "': " + what
                    + " has a fallback, but no policy asks for it: " + this + "; add FallbackPolicy.ofOperations()");
        }
    }

    // ---- what it is

    /** The name. */
    @Override
    public String name() {
        return name;
    }

    /** What says what an answer means, for operations without a classifier of their own. */
    public Classifier classifier() {
        return meaning.classifier();
    }

    /** The policies, the first outermost. */
    @Override
    public List<Policy> policies() {
        return policies;
    }

    /** What this is an instance of, for one key; null: of nothing, or observers are not told. */
    @Override
    public CallObserver.@Nullable Keys keys() {
        for (Policy policy : policies()) {
            if (policy instanceof OfKeys instance) {
                return instance.keys();
            }
        }
        return null;
    }

    /** What observers show of latencies; empty if they show only counts and sums. */
    @Override
    public Optional<CallObserver.Histograms> histograms() {
        return histograms;
    }

    /**
     * The policy of this type; if none is active, the one that is in shadow.
     *
     * <pre>{@code
     * inventory.policy(CircuitBreakerPolicy.class).state()
     * }</pre>
     *
     * <p>A policy that was made of an object of resilience4j, such as by {@code CircuitBreakerPolicy.of(yours)}, is not found: ask
     * that object itself.
     *
     * @throws IllegalArgumentException if there is none, or there are several
     */
    public <P extends Policy> P policy(Class<P> type) {
        Objects.requireNonNull(type, "type");
        List<Policy> now = policies; // a reload may replace them meanwhile
        List<P> found = now.stream()
                .map(policy -> type.isInstance(policy) ? policy : AroundPolicy.behind(policy))
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
        if (found.isEmpty()) {
            found = now.stream()
                    .map(ShadowPolicy::inside)
                    .filter(type::isInstance)
                    .map(type::cast)
                    .toList();
        }
        if (found.size() != 1) {
            List<String> kinds = now.stream()
                    .map(policy -> AroundPolicy.behind(policy).getClass().getSimpleName())
                    .toList();
            throw new IllegalArgumentException(
                    "pipeline '" + name + "' has " + (found.isEmpty() ? "no " : found.size() + " ")
                            + type.getSimpleName() + ", but exactly one is asked for; it has "
                            + kinds
                            + (kinds.stream().anyMatch(kind -> kind.startsWith("Existing"))
                                    ? "; an Existing… policy was made of an object of yours: ask that one"
                                    : ""));
        }
        return found.get(0);
    }

    /** Known problems of this pipeline's order, settings and use so far. Each one begins with the name of its rule. */
    public List<String> warnings() {
        return warnings.now();
    }

    /** Declares the gauges and totals of all policies. The second policy of a kind has {@code .2} behind its names, and so on. */
    @Override
    public void meters(Meters meters) {
        Map<String, Integer> kinds = new HashMap<>();
        for (Policy policy : policies) {
            int count = kinds.merge(policy.name(), 1, Integer::sum);
            policy.meters(count == 1 ? meters : new RenamedMeters(meters, "", "." + count));
        }
    }

    /** For each rule of {@link #advice} whether it has something to say, if this was asked for. */
    @Override
    public void ownMeters(Meters meters) {
        if (traffic != null) {
            for (String rule : TrafficLint.RULES) {
                meters.gauge(
                        "advice",
                        "1 if an hour of traffic says something of the settings",
                        "rule",
                        rule,
                        () -> advice().stream().anyMatch(found -> found.rule().equals(rule)) ? 1 : 0);
            }
        }
    }

    /** The order, the settings, the present numbers of all policies and their last changes of state. */
    public PipelineSnapshot snapshot() {
        List<Policy> now = policies; // a reload may replace them meanwhile
        Iterator<String> names = Numbered.names(now).iterator();
        return new PipelineSnapshot(
                Instant.ofEpochMilli(time.millis()),
                name,
                now.stream().map(policy -> snapshot(policy, names.next())).toList(),
                changes.all(),
                warnings(),
                advice());
    }

    private PolicySnapshot snapshot(Policy policy, String named) {
        return new PolicySnapshot(named, said(named, policy::settingsMap), said(named, () -> numbers(policy)));
    }

    /** Of the state of now; its change is told first. */
    private static Map<String, Number> numbers(Policy policy) {
        ChangesAlone.look(List.of(policy));
        return Numbers.of(policy);
    }

    /** A policy of the user's that throws costs its own part alone. */
    private <V> Map<String, V> said(String policy, Supplier<Map<String, V>> asked) {
        try {
            return asked.get();
        } catch (Throwable broken) {
            if (unsaid.add(policy)) {
                LOG.warn("pipeline '" + name + "': " + policy + " threw when a snapshot was made; told once", broken);
            }
            return Map.of();
        }
    }

    /**
     * What the last whole hour of this pipeline's traffic says of its settings; before there is one, what the time since the last
     * change of the policies, or of the bulkhead's limit, says. Empty if it {@linkplain Builder#advised was not asked for}, and for
     * everything that rests on fewer than 1,000 samples.
     */
    public List<PipelineSnapshot.Advice> advice() {
        Traffic measured = traffic;
        return measured == null
                ? List.of()
                : TrafficLint.check(measured.hour()).stream()
                        .filter(found -> !warnings.silences(found.rule()))
                        .toList();
    }

    private void logAdvice() {
        advice().forEach(found -> LOG.info("pipeline '" + name + "': " + found));
    }

    @Override
    public String toString() {
        return name + ": "
                + policies.stream().map(policy -> policy.name() + " > ").collect(Collectors.joining()) + "call";
    }

    // ---- life

    /**
     * Gives the pipeline other policies, the first outermost. Calls that begin from now on have these; calls that have begun
     * end with those before. A policy object that is in both keeps its state. One that is new takes over what it can from the one
     * of its kind that it replaces: the permits of a bulkhead, the state of a breaker, the values of a cache. It takes over nothing
     * if another pipeline has, or had, one of the two. All operations, decorated functions and observers stay as they are.
     *
     * @throws IllegalArgumentException if this order can never work, or if methods of Spring's beans have fallbacks that no policy would
     *     ask for any more; then nothing is replaced
     */
    public void replace(Policy... outermostFirst) {
        List<Policy> others = List.of(outermostFirst);
        try (Exchange exchange = exchange(present -> others)) {
            exchange.make();
        }
    }

    private Exchange exchange(UnaryOperator<List<Policy>> others) {
        changing.lock();
        Change change = null;
        boolean isAgreed = false;
        try {
            change = new Change(others.apply(policies));
            // From here on policies have heard of others beside them: if one refuses, all hear of those before.
            change.successor.introduce();
            isAgreed = true;
            return change;
        } finally {
            if (change == null) {
                endChange();
            } else if (!isAgreed) {
                change.close();
            }
        }
    }

    /** The policies have heard of others beside them, which do not come. */
    private void unchanged() {
        List<Policy> all = AroundPolicy.behind(policies);
        for (Policy policy : policies) {
            try {
                policy.beside(name, all);
            } catch (Throwable broken) {
                LOG.warn("pipeline '" + name + "': " + policy.name() + " threw when a change was refused", broken);
            }
        }
        endChange();
    }

    private void endChange() {
        OwnFallbacks.taken(this);
        changing.unlock();
    }

    /** Other policies, which have all been asked. */
    private final class Change extends Exchange {
        private final List<Policy> others;
        private final List<String> found;
        private final Engine successor;
        private boolean isMade;

        Change(List<Policy> others) {
            this.others = others;
            found = warnings.of(others);
            if (OwnFallbacks.isTakenBy(others, policies) && !OwnFallbacks.take(Pipeline.this)) {
                throw new IllegalArgumentException(OwnFallbacks.refusal(name));
            }
            successor = engine.with(others);
        }

        @Override
        protected void change() {
            try {
                TakeOver.between(Pipeline.this, policies, others);
            } finally {
                isMade = true;
                successor.come();
                new StatesAcross(policies, others).note(successor);
                successor.begin();
                policies = others;
                engine = successor;
                successor.listen();
                warnings.become(others, found);
                if (traffic != null) {
                    traffic.begin(others);
                }
                successor.replaced(Pipeline.this);
            }
            // Before what the policies themselves tell of it: that comes after.
            successor.tellChanges();
            // The settings may have changed a state, and the next call may be far away.
            ChangesAlone.look(others);
        }

        @Override
        public void close() {
            if (isMade) {
                endChange();
            } else {
                unchanged();
            }
        }
    }

    /**
     * Puts the policy of this kind into shadow: from now on it decides and counts, and changes nothing ({@link ShadowPolicy}).
     * It keeps its state. One that was in shadow before counts on.
     *
     * @throws IllegalArgumentException if there is none that is active, or there are several, or one of the kind is in shadow, or
     *     another pipeline has the policy, too, or it {@linkplain Policy#bindsOthers binds others}
     */
    public void shadow(String kind) {
        exchange(kind, true, policy -> ShadowPolicy.of(own(policy)));
    }

    /**
     * Makes the policy of this kind active that is in shadow. It keeps its state: a breaker that is open in shadow rejects calls
     * at once.
     *
     * @throws IllegalArgumentException if there is none in shadow, or there are several, or one of the kind is active, or another
     *     pipeline has the policy, too
     */
    public void enforce(String kind) {
        exchange(kind, false, policy -> own(outOfShadow(policy)));
    }

    /** A policy must not be active in one pipeline and in shadow in another: what it counts in shadow would bind the other one. */
    private Policy own(Policy policy) {
        if (!Owners.isOnly(ShadowPolicy.inside(policy), identity)) {
            throw new IllegalArgumentException(
                    "pipeline '" + name + "': others have this " + policy.name()
                            + ", too, and what it counts in shadow would bind those where it is active; use replace() with one of its own");
        }
        return policy;
    }

    private static boolean is(Policy policy, String kind, boolean inShadow) {
        return AroundPolicy.behind(policy) instanceof ShadowPolicy == inShadow
                && ShadowPolicy.inside(policy).name().equals(kind);
    }

    private static Policy outOfShadow(Policy policy) {
        return AroundPolicy.behind(policy) instanceof ShadowPolicy shadow ? shadow.policy() : policy;
    }

    private void exchange(String kind, boolean intoShadow, UnaryOperator<Policy> change) {
        changing.lock();
        try {
            if (policies.stream().anyMatch(policy -> is(policy, kind, intoShadow))) {
                throw new IllegalArgumentException("pipeline '" + name + "': a " + kind + " is "
                        + (intoShadow ? "in shadow" : "active") + " already; use replace()");
            }
            List<Policy> found = policies.stream()
                    .filter(policy -> is(policy, kind, !intoShadow))
                    .toList();
            if (found.size() != 1) {
                throw new IllegalArgumentException("pipeline '" + name + "' has "
                        + (found.isEmpty() ? "no" : String.valueOf(found.size())) + " " + kind + " that is "
                        + (intoShadow ? "active" : "in shadow") + ", but exactly one is asked for: " + this);
            }
            replace(policies.stream()
                    .map(policy -> policy == found.get(0) ? change.apply(policy) : policy)
                    .toArray(Policy[]::new));
        } finally {
            changing.unlock();
        }
    }

    /**
     * From now on this says what answers mean, also for operations that were made before, unless they have a classifier of their
     * own. An attempt that ends now is judged by the new one.
     */
    public void replaceClassifier(Classifier other) {
        meaning.become(Objects.requireNonNull(other, "classifier"));
    }

    /**
     * Tells the observers what to show of latencies from now on; null: nothing beside counts and sums. Those that were shown
     * before are gone, and what is new begins at zero; counts and sums go on.
     */
    public void replaceHistograms(CallObserver.@Nullable Histograms others) {
        changing.lock();
        try {
            histograms = Optional.ofNullable(others);
            engine.replaced(this);
        } finally {
            changing.unlock();
        }
    }

    /**
     * Ends the meters of the pipeline, for one that is no longer needed but may still be held by somebody. Calls work as before,
     * and no observer shows them.
     */
    public void retire() {
        engine.retire(this);
    }

    /**
     * Ends the threads and meters of the pipeline, and waits for nothing. Calls that run or wait continue. A call that needs
     * another thread to continue, or that begins now, is rejected with {@link Reason#CLOSED}; one that needs it for a further
     * attempt ends as its last one.
     */
    @Override
    public void close() {
        engine.close(this);
    }
}
