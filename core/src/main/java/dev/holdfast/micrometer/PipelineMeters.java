/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import static dev.holdfast.micrometer.Registration.tag;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.internal.Numbered;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.CallObserver.Observed;
import dev.holdfast.spi.Policy;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The meters of all open pipelines of one name. Their calls are counted together, and the gauges show the policies of the
 * youngest. A call that ends after the last pipeline was closed appears in no meter.
 */
final class PipelineMeters implements CallObserver {
    private static final SafeLog LOG = SafeLog.of("dev.holdfast.micrometer");
    private static final int MOST_OPERATIONS = 100;
    private static final int MOST_CHANGES = 100;

    /** A change of a policy's state. */
    private record Change(String policy, String from, String to) {
        static final Change OTHER = new Change("other", "other", "other");

        // By hand: see CallObserver.Histograms.
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Change change
                    && change.policy.equals(policy)
                    && change.from.equals(from)
                    && change.to.equals(to);
        }

        @Override
        public int hashCode() {
            return Objects.hash(policy, from, to);
        }
    }

    private final Shared meters;
    private final Tags tags;
    private final Registration registration;
    private final Latencies latencies;
    private final Deque<Observed> open = new ArrayDeque<>();
    private @Nullable Registration policies;
    private volatile @Nullable KeysMeters ofKeys;

    private final OperationMeters none;
    private final OperationMeters other;
    private final Map<String, OperationMeters> operations = new ConcurrentHashMap<>();
    private final Map<String, Cells<Reason, LongAdder>> rejections = new ConcurrentHashMap<>();
    // Not within computeIfAbsent, which has a monitor: the registry waits for locks of others.
    private final ShortLock making = new ShortLock();
    private final Map<String, LongAdder> writtenOff = new ConcurrentHashMap<>();
    private final Map<Change, LongAdder> stateChanges = new ConcurrentHashMap<>();
    private final Lazy<LongAdder> scheduledRetries;
    private final Cells<Refusal, LongAdder> refusedRetries;

    PipelineMeters(Shared meters, String pipeline) {
        this.meters = meters;
        this.tags = Tags.of("pipeline", pipeline);
        this.registration = new Registration(meters, tags);
        this.latencies = new Latencies(() -> new Registration(meters, tags));
        this.none = new OperationMeters(registration, latencies, "none");
        this.other = new OperationMeters(registration, latencies, "other");
        // A user's operation of such a name shares the meter: a second meter with the same tags would not be seen.
        operations.put("none", none);
        operations.put("other", other);
        this.scheduledRetries = new Lazy<>(() -> retries("scheduled", "none"));
        this.refusedRetries = new Cells<>(Refusal.class, why -> retries("refused", tag(why)));
    }

    // ---- life, under the observer's lock

    /** With what it has in common with other instances; null: it is none. */
    void open(Observed pipeline, @Nullable KeysMeters keys) {
        open.push(pipeline);
        ofKeys = keys;
        show(pipeline);
    }

    /** Returns whether this was the last open pipeline. */
    boolean close(Observed pipeline) {
        boolean shown = open.peek() == pipeline;
        open.remove(pipeline);
        Observed next = open.peek();
        if (next != null && shown) {
            show(next);
        } else if (next == null) {
            if (policies != null) {
                policies.end();
            }
            latencies.end();
            registration.end();
        }
        return next == null;
    }

    /** The pipeline has other policies or histograms. */
    void replace(Observed pipeline) {
        if (open.peek() == pipeline) {
            show(pipeline);
        }
    }

    private void show(Observed pipeline) {
        registration.askAgain();
        latencies.show(pipeline.histograms());
        Registration before = policies;
        Registration shown = new Registration(meters, tags);
        policies = shown;
        try {
            register(pipeline, shown);
        } finally {
            // The new first: what is in both, a kept policy above all, never leaves the registry.
            if (before != null) {
                before.end();
            }
        }
    }

    private static void register(Observed pipeline, Registration shown) {
        declare(pipeline, "the pipeline", () -> pipeline.ownMeters(shown.ofPipeline()));
        List<Policy> policies = pipeline.policies(); // a reload may replace them meanwhile
        Iterator<String> names = Numbered.names(policies).iterator();
        for (Policy policy : policies) {
            String name = names.next();
            declare(pipeline, name, () -> policy.meters(shown.of(name)));
        }
    }

    /** A policy of the user's that throws costs its own meters alone. */
    private static void declare(Observed pipeline, String whose, Runnable declaring) {
        try {
            declaring.run();
        } catch (Throwable broken) {
            LOG.warn("the meters of " + whose + " in '" + pipeline.name() + "' are not complete: it threw", broken);
        }
    }

    // ---- counting

    @Override
    public void callSettled(
            String pipeline, @Nullable String operation, Outcome outcome, Source source, int attempts, long nanos) {
        operation(operation).calls.of(outcome).of(source).add(nanos);
        KeysMeters keys = ofKeys;
        if (keys != null) {
            keys.callSettled(outcome);
        }
    }

    @Override
    public void backgroundSettled(String pipeline, @Nullable String operation, Outcome outcome, long nanos) {
        operation(operation).backgroundCalls.of(outcome).add(nanos);
    }

    @Override
    public void attemptSettled(String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
        operation(operation).attempts.of(outcome).add(nanos);
    }

    @Override
    public void rejected(String pipeline, @Nullable String operation, String policy, Reason reason) {
        rejections(policy, reason).increment();
    }

    @Override
    public void retryScheduled(String pipeline, @Nullable String operation, int attempts, long waitNanos) {
        scheduledRetries.get().increment();
    }

    @Override
    public void retryRefused(String pipeline, @Nullable String operation, int attempts, Refusal why) {
        refusedRetries.of(why).increment();
    }

    @Override
    public void hedged(String pipeline, @Nullable String operation, int attempt) {
        operation(operation).hedges.get().increment();
    }

    @Override
    public void stateChanged(String pipeline, String policy, String from, String to, String cause) {
        stateChanges(policy, from, to).increment();
    }

    @Override
    public void overrun(String pipeline, @Nullable String operation, long nanos) {
        operation(operation).overruns.get().add(nanos);
    }

    @Override
    public void writtenOff(String pipeline, @Nullable String operation, String policy) {
        writtenOff(policy).increment();
    }

    private OperationMeters operation(@Nullable String operation) {
        if (operation == null) {
            return none;
        }
        OperationMeters known = operations.get(operation);
        return known != null ? known : newOperation(operation);
    }

    private OperationMeters newOperation(String operation) {
        // The size is checked before the lock, so that endless new operations do not queue here.
        if (operations.size() >= MOST_OPERATIONS + 2) {
            return other;
        }
        synchronized (operations) {
            OperationMeters known = operations.get(operation);
            if (known != null || operations.size() >= MOST_OPERATIONS + 2) {
                return known != null ? known : other;
            }
            OperationMeters made = new OperationMeters(registration, latencies, operation);
            operations.put(operation, made);
            return made;
        }
    }

    private LongAdder rejections(String policy, Reason reason) {
        Cells<Reason, LongAdder> known = rejections.get(policy);
        return (known != null ? known : newRejections(policy)).of(reason);
    }

    private Cells<Reason, LongAdder> newRejections(String policy) {
        String description = "Tries that a policy rejected before the action ran, or that an interrupt ended";
        return rejections.computeIfAbsent(
                policy,
                name -> new Cells<>(
                        Reason.class,
                        reason -> registration.counter(
                                "rejections", description, "policy", name, "reason", tag(reason))));
    }

    private LongAdder retries(String result, String reason) {
        String description = "Failed attempts that were followed by another one, or the reason why not";
        return registration.counter("retries", description, "result", result, "reason", reason);
    }

    private LongAdder writtenOff(String policy) {
        String description = "Work that never ended and was given up by a policy";
        return made(writtenOff, policy, name -> registration.counter("written.off", description, "policy", name));
    }

    private LongAdder stateChanges(String policy, String from, String to) {
        Change change = new Change(policy, from, to);
        // The words are the policy's own. Checked without a lock: a few too many do no harm.
        boolean room = stateChanges.size() < MOST_CHANGES || stateChanges.containsKey(change);
        return made(stateChanges, room ? change : Change.OTHER, this::newStateChanges);
    }

    private LongAdder newStateChanges(Change change) {
        String description = "Changes of a policy's state";
        return registration.counter(
                "state.changes", description, "policy", change.policy, "from", change.from, "to", change.to);
    }

    /** The counter of this key, which is made if there is none. */
    private <K> LongAdder made(Map<K, LongAdder> all, K key, Function<K, LongAdder> maker) {
        LongAdder known = all.get(key);
        if (known != null) {
            return known;
        }
        making.lock();
        try {
            known = all.get(key);
            if (known == null) {
                known = maker.apply(key);
                all.put(key, known);
            }
            return known;
        } finally {
            making.unlock();
        }
    }
}
