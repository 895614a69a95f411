/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.TimeSource;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Carries what holds on this thread to another service: the time that is left, and the number of the attempt. So the other
 * service does no work that nobody waits for, and its retries do not multiply with ours.
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
 * <p>The time travels as what is left, not as an instant: clocks of machines differ. It is rounded down, and the time on
 * the wire is not known. Immutable; safe for any number of threads.
 */
public final class CallHeaders {
    private static final long LONGEST = TimeUnit.DAYS.toNanos(365);
    private static final long MOST_ATTEMPTS = 1_000_000;
    private static final int MOST_GRPC = 99_999_999;
    private static final Pattern GRPC = Pattern.compile("([0-9]{1,8})([HMSmun])");
    private static final Pattern WHOLE = Pattern.compile("[0-9]{1,18}");
    private static final String UNITS = "numSMH";
    private static final TimeUnit[] GRPC_UNITS = {
        TimeUnit.NANOSECONDS,
        TimeUnit.MICROSECONDS,
        TimeUnit.MILLISECONDS,
        TimeUnit.SECONDS,
        TimeUnit.MINUTES,
        TimeUnit.HOURS
    };

    private final Builder builder;

    private CallHeaders(Builder builder) {
        this.builder = builder;
    }

    /** With the defaults. */
    public static CallHeaders ofDefaults() {
        return new CallHeaders(new Builder());
    }

    /** The defaults, changed by this. */
    public static CallHeaders of(Consumer<? super Builder> configure) {
        Builder own = new Builder();
        configure.accept(own);
        return new CallHeaders(new Builder(own));
    }

    /** What the headers are called. */
    public static final class Builder {
        private @Nullable String grpcTimeout = "grpc-timeout";
        private @Nullable String timeoutMillis = "Holdfast-Timeout-Ms";
        private @Nullable String attempt = "Holdfast-Attempt";
        private TimeSource time = TimeSource.system();

        private Builder() {}

        private Builder(Builder other) {
            grpcTimeout = other.grpcTimeout;
            timeoutMillis = other.timeoutMillis;
            attempt = other.attempt;
            time = other.time;
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

        /** Whose time it is; default the system's. */
        public Builder time(TimeSource value) {
            time = Objects.requireNonNull(value, "time");
            return this;
        }
    }

    /**
     * Gives the headers to a request that is being made on this thread, inside an action. Writes none where there is nothing
     * to say: no deadline, no call around.
     */
    public void write(BiConsumer<? super String, ? super String> headers) {
        Ambient here = Ambient.get();
        long remaining = here.remaining(builder.time, builder.time.nanos());
        if (remaining != Long.MAX_VALUE) {
            long left = Math.max(0, remaining);
            put(headers, builder.grpcTimeout, grpcText(left));
            put(headers, builder.timeoutMillis, Long.toString(TimeUnit.NANOSECONDS.toMillis(left)));
        }
        int attempt = here.attempt();
        if (attempt > 0) {
            put(headers, builder.attempt, Integer.toString(attempt));
        }
    }

    private static void put(BiConsumer<? super String, ? super String> headers, @Nullable String name, String value) {
        if (name != null) {
            headers.accept(name, value);
        }
    }

    /**
     * Runs an action for a request that came in with these headers: pipelines below it, on this thread, end within the time
     * that was left, and do not retry inside another's retry. What holds on the thread already can only be shortened. A header
     * that is missing or malformed says nothing; of two times the shorter one holds.
     *
     * @param headers the first value of a header, or null
     * @throws CallRejectedException with {@link Reason#DEADLINE_EXCEEDED}, and without running the action, if no time is left
     */
    public <T extends @Nullable Object, E extends Exception> T receive(
            Function<? super String, @Nullable String> headers, CheckedSupplier<T, E> action) throws E {
        Objects.requireNonNull(action, "action");
        Ambient here = Ambient.get();
        long now = builder.time.nanos();
        long remaining = Math.min(limit(headers), here.remaining(builder.time, now));
        if (remaining <= 0) {
            throw new CallRejectedException(
                    Reason.DEADLINE_EXCEEDED, "inbound", "deadline", "the request came in with no time left", -1, null);
        }
        int attempt = Math.max(attempt(headers), here.boundAttempt);
        TimeSource limiting = remaining == Long.MAX_VALUE ? null : builder.time;
        return Deadline.bound(limiting, now + remaining, attempt, action);
    }

    private long limit(Function<? super String, @Nullable String> headers) {
        long nanos = Math.min(
                grpcNanos(value(headers, builder.grpcTimeout)), millisNanos(value(headers, builder.timeoutMillis)));
        return nanos > LONGEST ? Long.MAX_VALUE : nanos;
    }

    private int attempt(Function<? super String, @Nullable String> headers) {
        String text = value(headers, builder.attempt);
        return WHOLE.matcher(text).matches() ? (int) Math.min(Long.parseLong(text), MOST_ATTEMPTS) : 0;
    }

    private static String value(Function<? super String, @Nullable String> headers, @Nullable String name) {
        String value = name == null ? null : headers.apply(name);
        return value == null ? "" : value.strip();
    }

    private static long grpcNanos(String text) {
        Matcher form = GRPC.matcher(text);
        return form.matches()
                ? GRPC_UNITS[UNITS.indexOf(form.group(2))].toNanos(Integer.parseInt(form.group(1)))
                : Long.MAX_VALUE;
    }

    private static long millisNanos(String text) {
        return WHOLE.matcher(text).matches() ? TimeUnit.MILLISECONDS.toNanos(Long.parseLong(text)) : Long.MAX_VALUE;
    }

    /** In the finest unit that does not need more than eight digits; zero cannot be said, and is the shortest time there is. */
    private static String grpcText(long nanos) {
        int unit = 0;
        while (GRPC_UNITS[unit].convert(nanos, TimeUnit.NANOSECONDS) > MOST_GRPC) {
            unit++;
        }
        return Math.max(1, GRPC_UNITS[unit].convert(nanos, TimeUnit.NANOSECONDS)) + UNITS.substring(unit, unit + 1);
    }
}
