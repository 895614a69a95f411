/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.log;

import dev.holdfast.Refusal;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.OwnObserver;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.log.Pace.Left;
import dev.holdfast.log.StateLines.Change;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.TimeSource;
import java.lang.System.Logger.Level;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes the rare events of pipelines to the log {@value #NAME}: changes of state with their causes, a retry budget that allows no
 * retry, limits that a bulkhead cut, work that ignored its limit, permits that were given up. It hears no single call, so a
 * healthy pipeline costs nothing.
 *
 * <p>In an outage it does not flood the log. For each policy it writes at most ten changes of state a minute to or from {@code
 * closed}, ten by hand or by a reload, ten of the others, and for each pipeline one line a minute for each other kind of event. The next line says how many
 * were left out; it is a warning if one of them was. The last line about a policy says its state: if that change was left out, it is
 * written when the minute is over, on a thread of its own or of the time's executor. About all instances of a configuration's pipeline
 * for each key it writes at most a hundred lines a minute, and a hundred of changes by hand or by a reload; the next one, or one after the minute, says how many events were left out,
 * be it the last one about a policy. When a pipeline is closed, a last line counts what was left out until then. It is
 * written on such a thread, too: {@code close} does not wait for the log. Events that the logger's level keeps out do not count.
 *
 * <p>Pipelines of a configuration file have it already. Safe for any number of threads.
 */
public final class LogObserver implements CallObserver, OwnObserver {
    /** The name of the log. */
    public static final String NAME = "dev.holdfast.events";

    private static final SafeLog LOG = SafeLog.of(NAME);

    /** In these a policy rejects calls, or no longer keeps its limit over all processes. */
    private static final Set<String> BAD_STATES = Set.of("open", "forced_open", "away");

    private final TimeSource time;
    private final LastLines lastLines;
    /** For events that are told without {@link #forPipeline}. */
    private final Map<String, OfPipeline> pipelines = new ConcurrentHashMap<>();

    // Weak: nobody need close a pipeline.
    private final Map<Observed, OfPipeline> open = Collections.synchronizedMap(new WeakHashMap<>());
    private final Map<Keys, OfKeys> ofKeys = Collections.synchronizedMap(new WeakHashMap<>());

    /** A log on the system's time. */
    public LogObserver() {
        this(TimeSource.system());
    }

    /** A log whose minutes are of this time. */
    public LogObserver(TimeSource time) {
        this.time = time;
        lastLines = LastLines.of(time);
    }

    private static boolean isWritten(boolean isWarning) {
        return LOG.writes(isWarning ? Level.WARNING : Level.INFO);
    }

    /** Returns false if the log does not take it. */
    private static boolean log(boolean isWarning, String line) {
        if (!isWritten(isWarning)) {
            return false;
        }
        if (isWarning) {
            LOG.warn(line, null);
        } else {
            LOG.info(line);
        }
        return true;
    }

    @Override
    public boolean hearsCalls() {
        return false;
    }

    /** The log of this pipeline. */
    @Override
    public CallObserver forPipeline(Observed pipeline) {
        Keys keys = pipeline.keys();
        OfPipeline log = new OfPipeline(keys == null ? null : ofKeys.computeIfAbsent(keys, OfKeys::new));
        open.put(pipeline, log);
        return log;
    }

    @Override
    public void closed(Observed pipeline) {
        OfPipeline log = open.remove(pipeline);
        if (log != null) {
            log.close(pipeline.name());
        }
    }

    @Override
    public void keysClosed(Keys keys) {
        OfKeys log = ofKeys.remove(keys);
        if (log != null) {
            log.close();
        }
    }

    private OfPipeline of(String pipeline) {
        return pipelines.computeIfAbsent(pipeline, name -> new OfPipeline(null));
    }

    @Override
    public void stateChanged(String pipeline, String policy, String from, String to, String cause) {
        of(pipeline).stateChanged(pipeline, policy, from, to, cause);
    }

    @Override
    public void limitChanged(String pipeline, String policy, int from, int to) {
        of(pipeline).limitChanged(pipeline, policy, from, to);
    }

    @Override
    public void retryRefused(String pipeline, @Nullable String operation, int attempts, Refusal why) {
        of(pipeline).retryRefused(pipeline, operation, attempts, why);
    }

    @Override
    public void overrun(String pipeline, @Nullable String operation, long nanos) {
        of(pipeline).overrun(pipeline, operation, nanos);
    }

    @Override
    public void writtenOff(String pipeline, @Nullable String operation, String policy) {
        of(pipeline).writtenOff(pipeline, operation, policy);
    }

    /** One pipeline, and how many lines of each kind it has written. */
    private final class OfPipeline implements CallObserver {
        private final Map<String, StateLines> states = new ConcurrentHashMap<>();
        private final Pace budget = new Pace(1);
        private final Pace cuts = new Pace(1);
        /** Apart from the cuts: the first cut of an outage comes some seconds before, and would hide it for a minute. */
        private final Pace pauses = new Pace(1);

        private final Pace overruns = new Pace(1);
        private final Pace permits = new Pace(1);

        private final @Nullable OfKeys keys;
        private volatile boolean closed;

        OfPipeline(@Nullable OfKeys keys) {
            this.keys = keys;
        }

        @Override
        public void stateChanged(String pipeline, String policy, String from, String to, String cause) {
            boolean isWarning = BAD_STATES.contains(to) && !policy.endsWith(ShadowPolicy.SUFFIX);
            if (!isWritten(isWarning)) {
                return;
            }
            StateLines lines = states.computeIfAbsent(
                    policy,
                    name -> new StateLines(
                            time, (change, more, others) -> write(pipeline, policy, change, more, others)));
            lines.changed(new Change(from, to, cause, isWarning, time.nanos()));
            if (closed) {
                leaveOut(lines.close());
            }
        }

        void close(String pipeline) {
            closed = true;
            Left left = Stream.concat(
                            states.values().stream().map(StateLines::close),
                            Stream.of(budget, cuts, pauses, overruns, permits).map(Pace::take))
                    .reduce(Left.NONE, Left::and);
            leaveOut(left);
            if (keys == null && !left.isNone()) {
                String line = "pipeline '" + pipeline + "' is closed: " + Checks.number(left.events())
                        + " more events were left out";
                lastLines.add(() -> log(left.isWarning(), line));
            }
        }

        /** After the end. */
        private void leaveOut(Left left) {
            if (keys != null && !left.isNone()) {
                keys.leaveOut(left);
            }
        }

        private boolean write(String pipeline, String policy, Change change, String more, Left others) {
            String event = policy + " was " + change.from() + " and is " + change.to() + ": " + change.cause() + more;
            return write(pipeline, event, others, change.isWarning(), change.isByHand());
        }

        /** An event, and the others that its line tells of. Returns false if the log does not take the line. */
        private boolean write(String pipeline, String event, Left others, boolean isWarning, boolean isByHand) {
            String line = "pipeline '" + pipeline + "': " + event;
            return keys == null
                    ? log(isWarning || others.isWarning(), line)
                    : keys.write(line, others, isWarning, isByHand);
        }

        @Override
        public void limitChanged(String pipeline, String policy, int from, int to) {
            if (to < from) {
                warn(to == 0 ? pauses : cuts, pipeline, policy + " cut its limit from " + from + " to " + to);
            }
        }

        @Override
        public void retryRefused(String pipeline, @Nullable String operation, int attempts, Refusal why) {
            if (why == Refusal.BUDGET) {
                warn(
                        budget,
                        pipeline,
                        "failed calls are not repeated: the retry budget has few tokens left, or nothing has succeeded for a second");
            }
        }

        @Override
        public void overrun(String pipeline, @Nullable String operation, long nanos) {
            warn(overruns, pipeline, work(operation) + " went on for " + Checks.time(nanos) + " after its limit");
        }

        @Override
        public void writtenOff(String pipeline, @Nullable String operation, String policy) {
            if (policy.endsWith(ShadowPolicy.SUFFIX)) {
                return; // no call lacks this permit
            }
            warn(permits, pipeline, policy + " took back the permit of " + work(operation) + ", which does not end");
        }

        private static String work(@Nullable String operation) {
            return operation == null ? "a call" : "a call of '" + operation + "'";
        }

        private void warn(Pace pace, String pipeline, String event) {
            if (!isWritten(true)) {
                return;
            }
            if (pace.next(time.nanos(), true)) {
                Left left = pace.take();
                String more = left.isNone() ? "" : " (" + left.such() + ")";
                if (!write(pipeline, event + more, left, true, false)) {
                    pace.leaveOut(left);
                }
            }
            if (closed) {
                leaveOut(pace.take());
            }
        }
    }

    /** The lines of all instances of a pipeline for each key. */
    private final class OfKeys {
        private static final int MOST = 100;

        private final String name;
        private final Pace pace = new Pace(MOST);
        /** Those of changes by hand, which the others do not hide. */
        private final Pace byHand = new Pace(MOST);

        private final ShortLock lock = new ShortLock();
        // Guarded by the lock.
        private TimeSource.@Nullable Timer timer;
        private boolean closed;

        OfKeys(Keys keys) {
            name = keys.name();
        }

        /** The line of an event, which tells of others. Returns false if the log does not take it. */
        boolean write(String line, Left others, boolean isWarning, boolean isByHand) {
            boolean warns = isWarning || others.isWarning();
            if (!isWritten(warns)) {
                return false;
            }
            if ((isByHand ? byHand : pace).next(time.nanos(), isWarning)) {
                Left left = take();
                log(warns || left.isWarning(), left.isNone() ? line : line + " (" + more(left) + ")");
            } else {
                leaveOut(others);
            }
            return true;
        }

        private Left take() {
            return pace.take().and(byHand.take());
        }

        private String more(Left left) {
            return Checks.number(left.events()) + " more events of instances of '" + name + "' were left out";
        }

        /** Events that no line of an instance tells of: one for all of them will. */
        void leaveOut(Left events) {
            pace.leaveOut(events);
            long rest = pace.rest(time.nanos());
            lock.lock();
            try {
                if (timer == null && !closed) {
                    timer = time.schedule(rest, this::minuteIsOver);
                }
            } finally {
                lock.unlock();
            }
        }

        /** On the timer's thread, which runs no code of a user: so no appender of a log. */
        private void minuteIsOver() {
            lock.lock();
            try {
                timer = null;
            } finally {
                lock.unlock();
            }
            lastLines.add(this::tell);
        }

        private void tell() {
            Left left = take();
            if (!left.isNone() && !log(left.isWarning(), more(left))) {
                pace.leaveOut(left);
            }
        }

        void close() {
            lock.lock();
            try {
                closed = true;
                if (timer != null) {
                    timer.cancel();
                }
            } finally {
                lock.unlock();
            }
            if (pace.isBehind() || byHand.isBehind()) {
                lastLines.add(this::tell);
            }
        }
    }
}
