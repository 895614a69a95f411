/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Pipeline;
import dev.holdfast.config.Memory.Succession;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Lazily;
import dev.holdfast.internal.Named;
import dev.holdfast.internal.Nearest;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.Shown;
import dev.holdfast.internal.change.Exchange;
import dev.holdfast.internal.change.Successor;
import dev.holdfast.internal.keyed.InUse;
import dev.holdfast.log.LogObserver;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.TimeSource;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The pipelines of a configuration file, which may change while they are in use ({@link #reload}, {@link Builder#watch}).
 *
 * <pre>{@code
 * try (Holdfast holdfast = Holdfast.builder().bind("http-status", classifier).load(Path.of("holdfast.yaml"))) {
 *     Pipeline inventory = holdfast.pipeline("inventory");
 *     ...
 * }
 * }</pre>
 *
 * <p>Safe for any number of threads. It owns the pipelines that it made, and nothing that it was given.
 */
public final class Holdfast implements AutoCloseable {
    private static final SafeLog LOG = SafeLog.of(Holdfast.class.getName());

    /**
     * Held while the files are read again, the pipelines are changed and the observers are told, so that reloads do not overtake one
     * another. Foreign code runs meanwhile, and a file may hang: nothing but a reload waits for it. The lock of this object is
     * for what a reload and {@link #close} decide between them, and no foreign code runs under it.
     */
    private final ReentrantLock reading = new ReentrantLock();

    private final Builder builder;
    private final List<? extends Source> sources;
    private volatile Map<String, Running> running;
    /** Of each pipeline, from the beginning: it need not be made when somebody has a key. */
    private final Map<String, Keyed> keyed = new ConcurrentHashMap<>();

    /** The names that the files had when they were read last. The other pipelines stay, and that is told once. */
    private Set<String> inFiles;

    private Memory memory;
    /** What the files said when they were loaded or refused last; null: neither, since foreign code threw. */
    private byte @Nullable [] read;

    private @Nullable Reloader reloader;
    private volatile boolean closed;

    private Holdfast(
            Builder builder, List<? extends Source> sources, byte[] read, Map<String, Running> running, Memory memory) {
        this.builder = builder;
        this.sources = sources;
        this.read = read;
        this.running = running;
        this.inFiles = running.keySet();
        this.memory = memory;
        haveKeys(running);
    }

    private void haveKeys(Map<String, Running> all) {
        all.forEach((name, one) -> keyed.computeIfAbsent(
                name,
                any -> new Keyed(
                        one.plan,
                        builder.time(),
                        builder::instance,
                        keys -> tell(observer -> observer.keysClosed(keys)))));
    }

    /**
     * Makes the pipelines of a file, or of several, that name nothing from code.
     *
     * @throws ConfigException if anything is wrong with a file; then nothing has been made
     */
    public static Holdfast load(Path file, Path... more) {
        return builder().load(file, more);
    }

    /** What is wrong with a file, or with several, that name nothing from code; empty if they can be loaded. */
    public static List<ConfigException.Problem> check(Path file, Path... more) {
        return builder().check(file, more);
    }

    /**
     * A JSON Schema (2020-12) of the files that may be loaded with the policies on the class path, for editors and other tools.
     * The one of Holdfast's own policies is in the jar: {@code dev/holdfast/config/holdfast.schema.json}.
     */
    public static String schema() {
        return Schema.of(Factories.loaded());
    }

    /** A builder for the settings that only code can give. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The pipeline of this name; always the same one.
     *
     * @throws IllegalArgumentException if the file has no such pipeline; the message has the nearest name
     */
    public Pipeline pipeline(String name) {
        Running found = running.get(name);
        if (found == null) {
            throw unknown(name);
        }
        return found.pipeline;
    }

    private IllegalArgumentException unknown(String name) {
        Set<String> all = running.keySet();
        String nearest = Nearest.to(name, all)
                .map(near -> "did you mean '" + near + "'?")
                .orElse("there are " + String.join(", ", all));
        return new IllegalArgumentException("no pipeline '" + name + "'; " + nearest);
    }

    /**
     * All pipelines that there are now: those of the file, in its order, and then those that it has no longer. The instances
     * with a key come after theirs.
     */
    public List<Pipeline> pipelines() {
        List<Pipeline> all = new ArrayList<>();
        running.forEach((name, one) -> {
            all.add(one.pipeline);
            all.addAll(keyed(name).pipelines());
        });
        return all;
    }

    /**
     * The instances of this pipeline for keys that there are now.
     *
     * @throws IllegalArgumentException if the file has no such pipeline; the message has the nearest name
     */
    public List<Pipeline> instances(String name) {
        return keyed(name).pipelines();
    }

    /**
     * The instance of this pipeline for a key, such as a host or a tenant: the same settings, and a state of its own. Made with
     * the first call, and named {@code inventory/key}. Ask for it with each call: an instance that had no call for long goes,
     * with its meters. If there are too many, all further keys share the instance {@code inventory/other}; the key {@code other}
     * always has it. It has no stale cache, which would give the values of one key to another one. Both bounds are
     * options of the pipeline: {@code keys.max} and {@code keys.idle}. The first caller for a key makes its instance; others for this
     * key wait for that, and nobody else. If that fails, they get what it throws, and a later call tries again.
     *
     * @throws IllegalArgumentException if the file has no such pipeline; the message has the nearest name
     * @throws IllegalStateException if it is asked for by what is called while it is made, such as an observer, or if
     *     two threads would wait for the instances that they make
     */
    public Pipeline pipeline(String name, String key) {
        Objects.requireNonNull(key, "key");
        return keyed(name).of(key).pipeline();
    }

    private Keyed keyed(String name) {
        Keyed known = keyed.get(name);
        if (known == null) {
            throw unknown(name);
        }
        return known;
    }

    /**
     * Reads the files again, and gives the pipelines what they say now. Pipelines and operations that somebody holds stay valid.
     * A policy whose settings are as before keeps its state; of one whose settings changed, what can be kept is kept ({@code
     * docs/reload.md}). Calls that have begun end with the policies that they began with. A pipeline that the files have no
     * longer stays as it is; the log names it once. The observers are told ({@link CallObserver#configurationRead}).
     *
     * @return the names of the pipelines that were changed or made
     * @throws ConfigException if anything is wrong with the files; then nothing has changed
     * @throws IllegalStateException if it is closed, or was read from a stream; or if this thread reloads it already, and an observer
     *     or other code of yours asks for it once more
     */
    public List<String> reload() {
        reading.lock();
        try {
            return reload(any -> true);
        } finally {
            reading.unlock();
        }
    }

    /**
     * The same for who watches: if the files were not loaded or refused with these contents already.
     *
     * @param isNews whether the observers are told of a failure
     * @return empty if they were
     */
    Optional<List<String>> reload(byte[] contents, Predicate<Throwable> isNews) {
        reading.lock();
        try {
            return Arrays.equals(contents, read) ? Optional.empty() : Optional.of(reload(isNews));
        } finally {
            reading.unlock();
        }
    }

    private List<String> reload(Predicate<Throwable> isNews) {
        mustBeOpen();
        if (reading.getHoldCount() > 1) {
            throw new IllegalStateException("this thread reloads the configuration already");
        }
        if (sources.stream().anyMatch(source -> !source.isReadAgain())) {
            throw new IllegalStateException("a stream can be read only once: load a file or a resource");
        }
        List<String> changed;
        Set<String> left = new LinkedHashSet<>(inFiles);
        try {
            changed = readAgain();
            left.removeAll(inFiles);
        } catch (Throwable wrong) {
            // Also of what a framework makes when a file names it. After close it is not refused: it was not to be.
            if (!closed && isNews.test(wrong)) {
                tell(false, String.valueOf(wrong.getMessage()));
            }
            throw wrong;
        }
        String message = changed.isEmpty() ? "no pipeline changed" : "changed " + String.join(", ", changed);
        if (!left.isEmpty()) {
            String stays = "these pipelines are no longer in the configuration, and go on as before: "
                    + String.join(", ", left);
            LOG.info(stays);
            message += "; " + stays;
        }
        tell(true, message);
        return changed;
    }

    boolean isClosed() {
        return closed;
    }

    private void mustBeOpen() {
        if (closed) {
            throw new IllegalStateException("this configuration is closed");
        }
    }

    private void tell(boolean applied, String message) {
        tell(observer -> observer.configurationRead(this, applied, message));
        if (closed) { // meanwhile, and that was told before
            tell(observer -> observer.configurationClosed(this));
        }
    }

    private void tell(Consumer<CallObserver> event) {
        for (CallObserver observer : builder.observers) {
            try {
                event.accept(observer);
            } catch (Throwable broken) {
                LOG.warn("an observer threw", broken);
            }
        }
    }

    private List<String> readAgain() {
        read = null;
        List<Source.Taken> taken = Source.taken(sources);
        try {
            List<String> changed = apply(taken);
            read = Source.contents(taken);
            return changed;
        } catch (ConfigException wrong) {
            // It says what is wrong with the files. What else is thrown may be over at the next look.
            read = Source.contents(taken);
            throw wrong;
        }
    }

    private List<String> apply(List<Source.Taken> taken) {
        Problems problems = new Problems();
        Memory next = memory.next();
        Map<String, Running> before = running;
        List<PipelinePlan> plans = builder.plans(taken, next, before.keySet(), problems);
        Set<String> names = plans.stream().map(PipelinePlan::name).collect(Collectors.toCollection(LinkedHashSet::new));
        refuseGone(names, before, problems);
        Map<PipelinePlan, List<Running.Part>> parts = new LinkedHashMap<>();
        plans.forEach(plan -> parts.put(plan, Running.parts(plan, before.get(plan.name()), problems, null)));
        problems.throwIfAny();
        List<String> changed = apply(parts, before, problems, next);
        // A pipeline that the files have no longer may come back, and shares with the others then.
        next.carryShared((name, policy) -> running.values().stream().anyMatch(one -> one.has(policy)));
        next.forget();
        memory = next;
        inFiles = names;
        return changed;
    }

    /** They would go on, and a restart would show what is wrong. */
    private void refuseGone(Set<String> names, Map<String, Running> before, Problems problems) {
        for (String name : inFiles) {
            Running gone = names.contains(name) ? null : before.get(name);
            if (gone != null) {
                Place was = gone.plan.place();
                Named.refusal(gone.pipeline, name)
                        .ifPresent(why ->
                                problems.add(was.at(Location.whole(was.at().file())), why));
            }
        }
    }

    /**
     * All of it or nothing: first everything is asked that may refuse, such as code of users' policies; then all is changed. So
     * there is nothing to take back: what a policy has taken over cannot be given back as it was.
     */
    private List<String> apply(
            Map<PipelinePlan, List<Running.Part>> parts, Map<String, Running> before, Problems problems, Memory next) {
        List<String> changed = new ArrayList<>();
        Map<String, Running> after = new LinkedHashMap<>();
        List<Exchange> changes = new ArrayList<>();
        List<Running> made = new ArrayList<>();
        List<String> fixed = new ArrayList<>();
        try {
            parts.forEach((plan, policies) -> {
                Running known = before.get(plan.name());
                try {
                    if (known == null) {
                        made.add(builder.built(plan, policies));
                        after.put(plan.name(), made.get(made.size() - 1));
                    } else {
                        Running.Change change = known.with(plan, policies);
                        changes.add(change);
                        changes.add(keyed(plan.name()).change(plan, problems));
                        after.put(plan.name(), change.after);
                        fixed.addAll(known.limitsFixedBy(policies));
                    }
                } catch (IllegalArgumentException never) {
                    problems.add(plan.place(), String.valueOf(never.getMessage()));
                }
                if (known == null || !known.isAs(plan, policies)) {
                    changed.add(plan.name());
                }
            });
            problems.throwIfAny();
            mustBeOpen();
            next.successions().forEach(one -> succeed(one, parts));
            changes.forEach(Exchange::make);
            publish(after, before);
            made.clear();
            fixed.forEach(LOG::info);
            return changed;
        } finally {
            made.forEach(one -> one.pipeline.close());
            changes.forEach(Exchange::close);
        }
    }

    /** Before any pipeline has the policy, since a call that begins in it must count in what it has taken over. */
    private static void succeed(Succession one, Map<PipelinePlan, List<Running.Part>> parts) {
        parts.entrySet().stream()
                .filter(plan -> Running.policies(plan.getValue()).contains(one.policy()))
                .findFirst()
                .ifPresent(plan -> Successor.takeOver(plan.getKey().name(), one.policy(), one.previous()));
    }

    /** Either it is closed before, and then these pipelines are not its own, or it will close them. */
    private synchronized void publish(Map<String, Running> after, Map<String, Running> before) {
        mustBeOpen();
        before.forEach(after::putIfAbsent);
        haveKeys(after);
        running = after;
    }

    private void watch(Duration period) {
        Reloader watching = new Reloader(this, sources, period);
        reloader = watching;
        watching.start();
    }

    /**
     * Ends watching, and closes every pipeline, as {@link Pipeline#close} does. Once is enough. It waits for no reload; one
     * that runs meanwhile is not applied.
     */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        Reloader watching = reloader;
        if (watching != null) {
            watching.close();
        }
        running.values().forEach(one -> one.pipeline.close());
        keyed.values().forEach(Keyed::close);
        tell(observer -> observer.configurationClosed(this));
    }

    @Override
    public String toString() {
        return String.join(
                System.lineSeparator(),
                running.values().stream().map(one -> one.pipeline.toString()).toList());
    }

    /**
     * A property of a configuration that is flat.
     *
     * @param keys from the outermost: {@code pipelines}, {@code inventory}, {@code deadline}; {@code [0]} is the first item of a
     *     list
     * @param value as text; empty for a mapping without entries
     * @param written the value as it stands there, with its placeholders, which are resolved in {@code value}. If one stands for
     *     nothing, this is a mistake, as in a file
     * @param file where it stands, for messages
     * @param line from 1; 0 if it is not known
     * @param column from 1; 0 if it is not known
     */
    public record Property(List<String> keys, String value, String written, String file, int line, int column) {
        /** One without placeholders. */
        public Property(List<String> keys, String value, String file, int line, int column) {
            this(keys, value, value, file, line, column);
        }

        /** Nothing is null, and there is a key. */
        public Property {
            keys = List.copyOf(keys);
            Objects.requireNonNull(value, "value");
            Objects.requireNonNull(written, "written");
            Objects.requireNonNull(file, "file");
            if (keys.isEmpty()) {
                throw new IllegalArgumentException("a property needs a key");
            }
        }
    }

    /** The settings that only code can give, for every pipeline of a file. For one thread at a time. */
    public static final class Builder {
        private final Map<String, Object> bound = new LinkedHashMap<>();
        /** Of objects of a framework, which may have names that no file can have. */
        private final Set<String> noNames = new LinkedHashSet<>();

        private final List<CallObserver> observers = new ArrayList<>();
        private @Nullable TimeSource time;
        private @Nullable Executor executor;
        private CallContext @Nullable [] contexts;
        private @Nullable Factories factories;
        private @Nullable Duration period;
        private boolean anyName;
        private Function<String, @Nullable String> variables = System::getenv;

        private Builder() {}

        /**
         * Gives a name to a classifier, a function or another object that an option needs, for use in the file. The file need
         * not use it. With Spring Boot, the name may be that of a bean: then this takes the bean's place.
         *
         * @param name a letter or _, then letters, digits and {@code . _ - $ # / :}; no word such as {@code true} or {@code null}
         * @throws IllegalArgumentException if the name is another text, or bound already
         */
        public Builder bind(String name, Object value) {
            Objects.requireNonNull(value, "value");
            if (name.isBlank()) {
                throw new IllegalArgumentException("a name to bind must not be blank");
            }
            if (!Names.isName(name)) {
                if (value instanceof Lazily) {
                    noNames.add(name);
                    return this;
                }
                throw new IllegalArgumentException("a file cannot have the name '" + Shown.line(name, Bounds.WORD)
                        + "'; expected " + Names.EXPECTED);
            }
            if (bound.get(name) != null && !(bound.get(name) instanceof Lazily)) {
                throw new IllegalArgumentException("the name '" + name + "' is bound already");
            }
            bound.put(name, value);
            return this;
        }

        /**
         * The same for a lambda, which needs its type: {@code bind("last-resort", Function.class, error -> EMPTY)}.
         *
         * @throws IllegalArgumentException if the name is no name, or bound already
         */
        public <T> Builder bind(String name, Class<T> type, T value) {
            return bind(name, type.cast(value));
        }

        /**
         * Tells this observer what happens in every pipeline; may be repeated. Default: a {@link LogObserver}, which one of yours
         * replaces.
         */
        public Builder observer(CallObserver observer) {
            observers.add(Objects.requireNonNull(observer, "observer"));
            return this;
        }

        /** The source of time of the pipelines. Default: {@link TimeSource#system()}. */
        public Builder time(TimeSource time) {
            this.time = Objects.requireNonNull(time, "time");
            return this;
        }

        /**
         * The executor of the pipelines' continuations; it is not closed. Default: daemon threads that all pipelines share, at most
         * 256 at once for each.
         */
        public Builder executor(Executor executor) {
            this.executor = Objects.requireNonNull(executor, "executor");
            return this;
        }

        /**
         * The contexts that go with the calls to other threads, and no others; without arguments none. Default: the contexts
         * on the class path, as {@link Pipeline.Builder#context} says.
         */
        public Builder context(CallContext... contexts) {
            this.contexts = contexts.clone();
            return this;
        }

        /**
         * What the placeholders of a file stand for: {@code ${NAME}}; null for a name that stands for nothing. Default: the
         * variables of the environment.
         */
        public Builder placeholders(Function<String, @Nullable String> variables) {
            this.variables = Objects.requireNonNull(variables, "variables");
            return this;
        }

        /**
         * Looks at the files again and again, and {@linkplain Holdfast#reload reloads} them when what they say has changed. A
         * change that is refused is told in the log and to the observers; the last good configuration stays, and watching goes on.
         * One thread of its own looks. Default: it does not look.
         *
         * @param period 100 ms to 1 day; 2 s is a good one
         */
        public Builder watch(Duration period) {
            new Checks("watch")
                    .range("period", period, Duration.ofMillis(100), Duration.ofDays(1))
                    .done();
            this.period = period;
            return this;
        }

        /** Uses these factories instead of those on the class path. */
        Builder factories(Factories factories) {
            this.factories = factories;
            return this;
        }

        /**
         * Makes the pipelines of a file, or of several: a later file adds to the earlier ones, and where both say something,
         * the later one wins.
         *
         * @throws ConfigException if anything is wrong with a file, or a name is not bound; it has all problems, and
         *     nothing has been made
         */
        public Holdfast load(Path file, Path... more) {
            return load(Stream.concat(Stream.of(file), Stream.of(more))
                    .map(TextSource::of)
                    .toList());
        }

        /**
         * The same, of files on the class path: of the context class loader of the thread, else of this class's.
         *
         * @param resource without a slash before it: {@code holdfast.yaml}
         * @throws ConfigException as {@link #load(Path, Path...)}
         */
        public Holdfast loadResource(String resource, String... more) {
            ClassLoader context = Thread.currentThread().getContextClassLoader();
            ClassLoader loader = context == null ? Holdfast.class.getClassLoader() : context;
            return load(Stream.concat(Stream.of(resource), Stream.of(more))
                    .map(name -> TextSource.ofResource(name, loader))
                    .toList());
        }

        /**
         * The same, of a stream, which is read to its end and closed.
         *
         * @param name what messages call it
         * @throws ConfigException as {@link #load(Path, Path...)}
         */
        public Holdfast load(String name, InputStream yaml) {
            Objects.requireNonNull(yaml, "yaml");
            return load(List.of(TextSource.once(Objects.requireNonNull(name, "name"), yaml)));
        }

        /**
         * The same, of flat properties, such as those of an application framework: {@code pipelines.inventory.deadline=800ms}.
         * They have the keys of a file. Placeholders in them are resolved already.
         *
         * @param name what messages call all of them
         * @param sources called for each reading; what it throws goes to the caller. A later source adds to the earlier ones, as
         *     a later file does
         * @throws ConfigException as {@link #load(Path, Path...)}; a problem has the place of its property
         */
        public Holdfast load(String name, Supplier<? extends List<? extends Collection<Property>>> sources) {
            Objects.requireNonNull(sources, "sources");
            return load(List.of(new PropertySource(Objects.requireNonNull(name, "name"), sources)));
        }

        /**
         * What is wrong with a file, or with several; empty if they can be loaded. The pipelines are made without observers and
         * closed at once. Names that code binds must be bound here, too.
         */
        public List<ConfigException.Problem> check(Path file, Path... more) {
            try {
                warnings(Stream.concat(Stream.of(file), Stream.of(more)).toList());
                return List.of();
            } catch (ConfigException wrong) {
                return wrong.problems();
            }
        }

        /** Makes the pipelines of files without observers, and closes them at once. Returns their warnings. */
        List<String> warnings(List<Path> files) {
            Builder quiet = copy();
            quiet.observers.clear();
            List<TextSource> sources = files.stream().map(TextSource::of).toList();
            List<String> warnings = new ArrayList<>();
            quiet.running(Source.taken(sources), Memory.empty(), new Problems())
                    .values()
                    .forEach(one -> {
                        one.pipeline.warnings().forEach(warning -> warnings.add(one.pipeline.name() + ": " + warning));
                        one.pipeline.close();
                    });
            return warnings;
        }

        /** Takes it that code binds every name. */
        Builder withAnyName() {
            anyName = true;
            return this;
        }

        private Holdfast load(List<? extends Source> sources) {
            if (period != null && sources.stream().anyMatch(source -> !source.isReadAgain())) {
                throw new IllegalStateException("watch: a stream can be read only once; load a file or a resource");
            }
            Problems problems = new Problems();
            Memory memory = Memory.empty();
            List<Source.Taken> taken = Source.taken(sources);
            Builder own = copy();
            if (observers.stream().noneMatch(LogObserver.class::isInstance)) {
                own.observers.add(0, new LogObserver(time()));
            }
            Holdfast loaded =
                    new Holdfast(own, sources, Source.contents(taken), own.running(taken, memory, problems), memory);
            if (period != null) {
                loaded.watch(period);
            }
            return loaded;
        }

        /** Changes of this builder after the loading do not matter. */
        private Builder copy() {
            Builder copy = new Builder();
            copy.bound.putAll(bound);
            copy.noNames.addAll(noNames);
            copy.observers.addAll(observers);
            copy.time = time;
            copy.executor = executor;
            copy.contexts = contexts;
            copy.factories = factories == null ? Factories.loaded() : factories;
            copy.variables = variables;
            copy.anyName = anyName;
            return copy;
        }

        private List<PipelinePlan> plans(
                List<Source.Taken> taken, Memory memory, Set<String> running, Problems problems) {
            Placeholders placeholders = new Placeholders(variables);
            List<Node> roots = taken.stream()
                    .flatMap(one -> one.read(placeholders, problems).stream())
                    .toList();
            Factories known = factories == null ? Factories.loaded() : factories;
            PlanReader reader = new PlanReader(known, new Bindings(bound, noNames, anyName), memory, problems);
            List<PipelinePlan> plans = roots.isEmpty() ? List.of() : reader.read(roots);
            PipelinePlan.refuseNamesOfInstances(plans, running, problems);
            problems.throwIfAny();
            return plans;
        }

        /** All policies are made before the first pipeline: a policy is only an object, but a pipeline has threads and meters. */
        private Map<String, Running> running(List<Source.Taken> taken, Memory memory, Problems problems) {
            Map<PipelinePlan, List<Running.Part>> parts = new LinkedHashMap<>();
            plans(taken, memory, Set.of(), problems)
                    .forEach(plan -> parts.put(plan, Running.parts(plan, null, problems, null)));
            problems.throwIfAny();
            Map<String, Running> built = new LinkedHashMap<>();
            try {
                parts.forEach((plan, policies) -> {
                    try {
                        built.put(plan.name(), built(plan, policies));
                    } catch (IllegalArgumentException e) {
                        problems.add(plan.place(), String.valueOf(e.getMessage()));
                    }
                });
                problems.throwIfAny();
                return built;
            } catch (Throwable e) {
                built.values().forEach(one -> one.pipeline.close());
                throw e;
            }
        }

        private TimeSource time() {
            return time == null ? TimeSource.system() : time;
        }

        private Running instance(PipelinePlan plan, InUse counting) {
            Problems problems = new Problems();
            List<Running.Part> parts = Running.parts(plan, null, problems, counting);
            problems.throwIfAny();
            return built(plan, parts);
        }

        private Running built(PipelinePlan plan, List<Running.Part> parts) {
            Pipeline.Builder builder = Pipeline.builder(plan.name())
                    .policies(parts.stream().map(Running.Part::policy).toList())
                    .classifier(plan.classifier());
            observers.forEach(builder::observer);
            plan.histograms().ifPresent(builder::histograms);
            builder.silence(plan.silenced().toArray(new String[0]));
            if (plan.advised()) {
                builder.advised();
            }
            if (time != null) {
                builder.time(time);
            }
            if (executor != null) {
                builder.executor(executor);
            }
            if (contexts != null) {
                builder.context(contexts);
            }
            return new Running(builder.build(), plan, parts);
        }
    }
}
