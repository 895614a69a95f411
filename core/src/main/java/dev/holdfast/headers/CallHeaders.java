/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.headers;

import dev.holdfast.Call.Priority;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CheckedRunnable;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.Reason;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.NoValue;
import dev.holdfast.internal.engine.Bound;
import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Carries the rest of the deadline, the number of the attempt and the priority to another service. The other service then does no
 * work that nobody waits for, its retries do not multiply with ours, and it knows which requests to drop first.
 *
 * <pre>{@code
 * static final CallHeaders HEADERS = CallHeaders.ofDefaults();
 *
 * inventory.call(() -> {                                        // the client, inside an action
 *     HttpRequest.Builder request = HttpRequest.newBuilder(uri);
 *     HEADERS.write(request::header);
 *     return client.send(request.build(), ofString()).body();
 * });
 *
 * HEADERS.receive(exchange.getRequestHeaders()::getFirst, () -> handle(exchange));   // the server
 * }</pre>
 *
 * <p>The header holds a duration, rounded down, and not an instant, because the clocks of machines differ. The time on the wire is
 * not known, and the time in a queue of the server only with {@link #queued}.
 *
 * <p><b>Receive these headers from your own services only.</b> The sender decides how long this service works for the request,
 * whether it retries, and which calls of it go first. Where strangers can reach this service, let the gateway remove the headers, or
 * do not call {@link #receive}.
 * A time is bounded by {@link Builder#minTimeout} and {@link Builder#maxTimeout}.
 *
 * <p>Immutable; safe for any number of threads.
 */
public final class CallHeaders {
    /** No limit, as in {@link Bound#remaining}. */
    private static final long NONE = Long.MAX_VALUE;

    private static final Duration MOST_MIN = Duration.ofHours(1);
    private static final Duration MOST_MAX = Duration.ofDays(365);

    /** A longer value is malformed, because a value from outside may be of any length. */
    private static final int LONGEST_TEXT = 64;

    private static final long MOST_ATTEMPTS = 1_000_000;
    private static final int MOST_GRPC = 99_999_999;
    private static final Pattern GRPC = Pattern.compile("([0-9]{1,8})([HMSmun])");
    private static final Pattern WHOLE = Pattern.compile("[0-9]+");
    private static final String UNITS = "numSMH";
    private static final TimeUnit[] GRPC_UNITS = {
        TimeUnit.NANOSECONDS,
        TimeUnit.MICROSECONDS,
        TimeUnit.MILLISECONDS,
        TimeUnit.SECONDS,
        TimeUnit.MINUTES,
        TimeUnit.HOURS
    };

    /** In the order of their ranks. */
    private static final List<String> PRIORITIES = Stream.of(Priority.values())
            .map(p -> p.name().toLowerCase(Locale.ROOT))
            .toList();

    /** How long the task of this thread was in the queue, until a request has counted it. */
    private static final ThreadLocal<Long> WAITED = new ThreadLocal<>();

    private final Builder builder;

    private CallHeaders(Builder builder) {
        this.builder = builder;
    }

    /** With the defaults. */
    public static CallHeaders ofDefaults() {
        return new CallHeaders(new Builder());
    }

    /**
     * The defaults, changed by this.
     *
     * @throws IllegalArgumentException if a value is out of range; the message names the option, the value and the range
     */
    public static CallHeaders of(Consumer<? super Builder> configure) {
        Builder own = new Builder();
        configure.accept(own);
        Builder copy = new Builder(own);
        copy.check();
        return new CallHeaders(copy);
    }

    /** The names of the headers, and the bounds of their time. */
    public static final class Builder {
        private static final Pattern NAME = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}");
        private static final String NAMES = "the name of a header: 1 to 64 letters, digits and !#$%&'*+-.^_`|~";

        private @Nullable String grpcTimeout = "grpc-timeout";
        private @Nullable String timeoutMillis = "Holdfast-Timeout-Ms";
        private @Nullable String attempt = "Holdfast-Attempt";
        private @Nullable String priority = "Holdfast-Priority";
        private Duration minTimeout = Duration.ofMillis(10);
        private Duration maxTimeout = Duration.ofDays(1);
        private Duration leastTimeout = Duration.ZERO;
        private TimeSource time = TimeSource.system();

        private Builder() {}

        private Builder(Builder other) {
            grpcTimeout = other.grpcTimeout;
            timeoutMillis = other.timeoutMillis;
            attempt = other.attempt;
            priority = other.priority;
            minTimeout = other.minTimeout;
            maxTimeout = other.maxTimeout;
            leastTimeout = other.leastTimeout;
            time = other.time;
        }

        private void check() {
            new Checks("call headers")
                    .range("minTimeout", minTimeout, Duration.ZERO, MOST_MIN)
                    .range("maxTimeout", maxTimeout, Duration.ofMillis(1), MOST_MAX)
                    .range("leastTimeout", leastTimeout, Duration.ZERO, MOST_MIN)
                    .that(
                            minTimeout.compareTo(maxTimeout) <= 0,
                            "minTimeout",
                            Checks.text(minTimeout),
                            "at most maxTimeout, " + Checks.text(maxTimeout))
                    .that(
                            leastTimeout.compareTo(maxTimeout) <= 0,
                            "leastTimeout",
                            Checks.text(leastTimeout),
                            "at most maxTimeout, " + Checks.text(maxTimeout))
                    .that(isName(grpcTimeout), "grpcTimeout", "'" + grpcTimeout + "'", NAMES)
                    .that(isName(timeoutMillis), "timeoutMillis", "'" + timeoutMillis + "'", NAMES)
                    .that(isName(attempt), "attempt", "'" + attempt + "'", NAMES)
                    .that(isName(priority), "priority", "'" + priority + "'", NAMES)
                    .that(areDifferent(), "names", names().toString(), "different from each other")
                    .done();
        }

        private List<String> names() {
            return Stream.of(grpcTimeout, timeoutMillis, attempt, priority)
                    .filter(Objects::nonNull)
                    .toList();
        }

        /** Of two headers with one name a request would have only one. */
        private boolean areDifferent() {
            Set<String> different = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
            return names().stream().allMatch(different::add);
        }

        /** A client refuses a bad name only when it sends a request. That would look like a failure of the dependency. */
        private static boolean isName(@Nullable String header) {
            return header == null || NAME.matcher(header).matches();
        }

        /** Holds the time that is left in gRPC's form, {@code 250m}; default {@code grpc-timeout}; null: not used. */
        public Builder grpcTimeout(@Nullable String name) {
            grpcTimeout = name;
            return this;
        }

        /** Holds the time that is left in milliseconds; default {@code Holdfast-Timeout-Ms}; null: not used. */
        public Builder timeoutMillis(@Nullable String name) {
            timeoutMillis = name;
            return this;
        }

        /** Holds the number of the attempt; above 1 it is a retry. Default {@code Holdfast-Attempt}; null: not used. */
        public Builder attempt(@Nullable String name) {
            attempt = name;
            return this;
        }

        /**
         * Holds the {@linkplain dev.holdfast.Call.Priority priority}: {@code critical}, {@code default} or {@code sheddable}. Default
         * {@code Holdfast-Priority}; null: not used.
         */
        public Builder priority(@Nullable String name) {
            priority = name;
            return this;
        }

        /**
         * A shorter time counts as this one, so that no sender can cut every attempt short with one millisecond. An honest
         * request that is nearly over costs at most this much work. With a time of 0 the request is not begun. 0 to 1 h;
         * default 10 ms.
         */
        public Builder minTimeout(Duration value) {
            minTimeout = Objects.requireNonNull(value, "minTimeout");
            return this;
        }

        /**
         * A longer time counts as this one. A header makes no limit longer. 1 ms to 365 days, and at least {@link
         * #minTimeout}; default 1 day.
         */
        public Builder maxTimeout(Duration value) {
            maxTimeout = Objects.requireNonNull(value, "maxTimeout");
            return this;
        }

        /**
         * A request that has less time left is not begun. Set it to the time that the work takes at least: an overloaded service
         * then has the requests in its queue that are nearly over, and would answer each a little too late. 0 to 1 h, and at most
         * {@link #maxTimeout}; default 0.
         */
        public Builder leastTimeout(Duration value) {
            leastTimeout = Objects.requireNonNull(value, "leastTimeout");
            return this;
        }

        /** The source of time; default the system's. In tests on {@code VirtualTime}: the same as the pipelines'. */
        public Builder time(TimeSource value) {
            time = Objects.requireNonNull(value, "time");
            return this;
        }
    }

    /** The names that are used, as they were given. */
    public List<String> names() {
        return builder.names();
    }

    /**
     * Writes the headers of a request that this thread makes inside an action: the time if there is a deadline, the attempt
     * inside a call, the priority if anybody said one.
     */
    public void write(BiConsumer<? super String, ? super String> headers) {
        long remaining = Bound.remaining(builder.time);
        if (remaining != NONE) {
            long left = Math.max(0, remaining);
            put(headers, builder.grpcTimeout, left, CallHeaders::grpcText);
            put(headers, builder.timeoutMillis, left, nanos -> Long.toString(TimeUnit.NANOSECONDS.toMillis(nanos)));
        }
        int attempt = Bound.attempt();
        if (attempt > 0) {
            put(headers, builder.attempt, attempt, number -> number == 1 ? "1" : Long.toString(number));
        }
        int priority = Bound.priority();
        if (priority != Bound.UNSAID) {
            put(headers, builder.priority, priority, rank -> PRIORITIES.get((int) rank));
        }
    }

    private static void put(
            BiConsumer<? super String, ? super String> headers,
            @Nullable String name,
            long value,
            LongFunction<String> text) {
        if (name != null) {
            headers.accept(name, text.apply(value));
        }
    }

    /**
     * Runs an action for a request that came in with these headers. Pipelines that it calls on this thread end within the
     * time that was left, do not retry inside a retry of the sender, and have its priority. A deadline that holds already can only
     * be shortened, a priority only be lowered. A header that is missing, malformed or longer than 64 characters changes nothing. The
     * shorter of two times holds.
     *
     * <p>The time that the request waited for this thread counts if its task came through {@link #queued}.
     *
     * @param headers the first value of a header, or null
     * @throws CallRejectedException with {@link Reason#DEADLINE_EXCEEDED}, and without running the action, if no time is left, or
     *     less than {@link Builder#leastTimeout}
     */
    public <T extends @Nullable Object, E extends Exception> T receive(
            Function<? super String, @Nullable String> headers, CheckedSupplier<T, E> action) throws E {
        Objects.requireNonNull(action, "action");
        long waited = waitedNanos();
        long told = toldNanos(headers);
        long left = Math.min(told == NONE ? NONE : told - waited, Bound.remaining(builder.time));
        if (left <= 0 || left < builder.leastTimeout.toNanos()) {
            throw new CallRejectedException(
                    Reason.DEADLINE_EXCEEDED, "inbound", "deadline", tooLateMessage(left, waited), -1, null);
        }
        long limit = told == NONE ? NONE : Math.min(told - waited, builder.maxTimeout.toNanos());
        limit = limit == NONE ? NONE : Math.max(builder.minTimeout.toNanos(), limit);
        return Bound.within(builder.time, limit, attempt(headers), priority(headers), action);
    }

    /** As {@link #receive(Function, CheckedSupplier)}, for an action without a value. */
    public <E extends Exception> void receive(
            Function<? super String, @Nullable String> headers, CheckedRunnable<E> action) throws E {
        receive(headers, NoValue.of(action));
    }

    /**
     * The same pool, but {@link #receive}, of any headers, knows how long a request waited for a thread of it. Without this an
     * overloaded service works on requests that nobody waits for: a header holds a duration, and the time in the queue is not part
     * of it.
     *
     * <pre>{@code
     * server.setExecutor(HEADERS.queued(pool));
     * }</pre>
     *
     * <p>A task is one request, or begins with one: the wait counts for the first {@link #receive} in it.
     */
    public Executor queued(Executor pool) {
        Objects.requireNonNull(pool, "pool");
        return task -> {
            Objects.requireNonNull(task, "task");
            Long before = WAITED.get(); // of the task that hands this one on, if it has not been counted
            long since = builder.time.nanos() - (before == null ? 0 : before);
            pool.execute(() -> {
                Long outer = WAITED.get(); // where the pool runs the task on the thread that hands it over
                WAITED.set(builder.time.nanos() - since);
                try {
                    task.run();
                } finally {
                    restore(outer);
                }
            });
        };
    }

    private static void restore(@Nullable Long waited) {
        if (waited == null) {
            WAITED.remove();
        } else {
            WAITED.set(waited);
        }
    }

    private long waitedNanos() {
        Long waited = WAITED.get();
        if (waited == null) {
            return 0;
        }
        WAITED.remove(); // the next request of this task did not wait with it
        return Math.max(0, waited);
    }

    private String tooLateMessage(long left, long waited) {
        String text = left <= 0
                ? "the request came in with no time left"
                : "the request has " + millis(left) + " left, less than leastTimeout, "
                        + Checks.text(builder.leastTimeout);
        return waited == 0 ? text : text + ", after " + millis(waited) + " in the queue";
    }

    private static String millis(long nanos) {
        return Checks.time(nanos - nanos % 1_000_000);
    }

    private long toldNanos(Function<? super String, @Nullable String> headers) {
        return Math.min(
                grpcNanos(value(headers, builder.grpcTimeout)), millisNanos(value(headers, builder.timeoutMillis)));
    }

    private int attempt(Function<? super String, @Nullable String> headers) {
        String text = value(headers, builder.attempt);
        return WHOLE.matcher(text).matches() ? (int) Math.min(whole(text), MOST_ATTEMPTS) : 0;
    }

    private int priority(Function<? super String, @Nullable String> headers) {
        return PRIORITIES.indexOf(value(headers, builder.priority).toLowerCase(Locale.ROOT)); // -1 is Bound.UNSAID
    }

    private static String value(Function<? super String, @Nullable String> headers, @Nullable String name) {
        String value = name == null ? null : headers.apply(name);
        return value == null || value.length() > LONGEST_TEXT ? "" : value.strip();
    }

    private static long grpcNanos(String text) {
        Matcher form = GRPC.matcher(text);
        return form.matches() ? nanos(Integer.parseInt(form.group(1)), GRPC_UNITS[UNITS.indexOf(form.group(2))]) : NONE;
    }

    private static long millisNanos(String text) {
        return WHOLE.matcher(text).matches() ? nanos(whole(text), TimeUnit.MILLISECONDS) : NONE;
    }

    /** Parses digits. A number that is too large counts as the largest long. */
    private static long whole(String digits) {
        try {
            return Long.parseLong(digits);
        } catch (NumberFormatException tooLarge) {
            return Long.MAX_VALUE;
        }
    }

    /** A time that was given is never {@link #NONE}, however long it is. */
    private static long nanos(long amount, TimeUnit unit) {
        return Math.min(unit.toNanos(amount), NONE - 1);
    }

    /** In the finest unit that needs at most eight digits. Zero cannot be written, and becomes the shortest time. */
    private static String grpcText(long nanos) {
        int unit = 0;
        while (GRPC_UNITS[unit].convert(nanos, TimeUnit.NANOSECONDS) > MOST_GRPC) {
            unit++;
        }
        return "" + Math.max(1, GRPC_UNITS[unit].convert(nanos, TimeUnit.NANOSECONDS)) + UNITS.charAt(unit);
    }
}
