/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.assertj.core.api.AbstractAssert;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;

/**
 * Entry points of AssertJ assertions on pipelines, replies and calls. Import them beside AssertJ's own.
 *
 * <pre>{@code
 * assertThat(reply).isStale().hasValue("12 pieces").hasAttempts(2);
 * assertThat(pipeline).isIdle().hasState("circuit-breaker", "closed");
 * assertThatCall(() -> pipeline.call(stock::call)).wasRejectedBy("circuit-breaker", Reason.CIRCUIT_OPEN);
 * }</pre>
 */
public final class HoldfastAssertions {
    private HoldfastAssertions() {}

    /** Assertions on a pipeline's order and on what its policies hold. */
    public static PipelineAssert assertThat(Pipeline actual) {
        return new PipelineAssert(actual);
    }

    /** Assertions on an answer and its source. */
    public static <T extends @Nullable Object> ReplyAssert<T> assertThat(Reply<T> actual) {
        return new ReplyAssert<>(actual);
    }

    /** Makes the call, for assertions on how it failed. */
    public static CallAssert assertThatCall(ThrowingCallable call) {
        return CallAssert.of(() -> {
            call.call();
            return null;
        });
    }

    /** Makes the call, for assertions on how it failed. If it returns a stage, that must have ended: on virtual time after {@code run}. */
    public static CallAssert assertThatCall(Call call) {
        return CallAssert.of(call);
    }

    /** A call that returns something. */
    @FunctionalInterface
    public interface Call {
        /** Makes it. */
        @Nullable
        Object call() throws Throwable;
    }

    /** Assertions on a call that has ended; on virtual time after {@code run}. */
    public static CallAssert assertThatCall(CompletableFuture<?> call) {
        return CallAssert.of(call);
    }

    /**
     * Assertions on a {@link Reply}.
     *
     * @param <T> the type of the answer
     */
    public static final class ReplyAssert<T extends @Nullable Object> extends AbstractAssert<ReplyAssert<T>, Reply<T>> {
        ReplyAssert(Reply<T> actual) {
            super(actual, ReplyAssert.class);
        }

        /** The answer is this one. */
        public ReplyAssert<T> hasValue(T expected) {
            isNotNull();
            if (!Objects.equals(actual.value(), expected)) {
                throw failureWithActualExpected(
                        actual.value(),
                        expected,
                        "Expected the answer <%s> but was <%s>, which is %s",
                        expected,
                        actual.value(),
                        whence());
            }
            return this;
        }

        /** The answer came from this source. */
        public ReplyAssert<T> hasSource(Source expected) {
            isNotNull();
            return isFrom(expected.toString(), actual.source() == expected);
        }

        /** The dependency gave the answer, just now. */
        public ReplyAssert<T> isLive() {
            return hasSource(Source.LIVE);
        }

        /** The answer came from the cache and was older than its fresh time. */
        public ReplyAssert<T> isStale() {
            isNotNull();
            Source source = actual.source();
            return isFrom("a stale answer", source == Source.STALE_REVALIDATING || source == Source.STALE_ON_ERROR);
        }

        private ReplyAssert<T> isFrom(String expected, boolean holds) {
            if (!holds) {
                throw failure("Expected %s but the answer <%s> is %s", expected, actual.value(), whence());
            }
            return this;
        }

        /** The action was started this many times. */
        public ReplyAssert<T> hasAttempts(int expected) {
            isNotNull();
            if (actual.attempts() != expected) {
                throw failureWithActualExpected(
                        actual.attempts(),
                        expected,
                        "Expected %d attempts but there were %d: %s",
                        expected,
                        actual.attempts(),
                        actual.history());
            }
            return this;
        }

        private String whence() {
            return actual.source() + " of age " + actual.age() + " after " + actual.attempts() + " attempts";
        }
    }

    /** Assertions on a {@link Pipeline}: its order, and what its policies hold, as their meters tell. */
    public static final class PipelineAssert extends AbstractAssert<PipelineAssert, Pipeline> {
        /** The second policy of a kind has {@code .2} behind the names of its meters. */
        private static final String NUMBER = "(\\.\\d+)?";

        private static final Pattern HELD = Pattern.compile("\\.(in\\.flight|waiting)" + NUMBER + "$");

        PipelineAssert(Pipeline actual) {
            super(actual, PipelineAssert.class);
        }

        /** It has exactly these policies, by their names, outermost first. */
        public PipelineAssert hasOrder(String... outermostFirst) {
            isNotNull();
            List<String> order = actual.policies().stream().map(Policy::name).toList();
            List<String> expected = List.of(outermostFirst);
            if (!order.equals(expected)) {
                throw failureWithActualExpected(
                        order,
                        expected,
                        "Expected the order of '%s' to be%n  %s%nbut it is%n  %s",
                        actual.name(),
                        String.join(" > ", expected),
                        String.join(" > ", order));
            }
            return this;
        }

        /**
         * No permit is out and no call waits for one: every gauge whose name ends in {@code .in.flight} or {@code .waiting} is zero,
         * also those of the second policy of a kind. Does not see what a policy holds that has no such gauge.
         */
        public PipelineAssert isIdle() {
            isNotNull();
            List<String> held = new ArrayList<>();
            actual.meters(gauges((name, value) -> {
                if (value != 0 && HELD.matcher(name).find()) {
                    held.add(name + " is " + number(value));
                }
            }));
            if (!held.isEmpty()) {
                throw failure("Expected '%s' to be idle, but %s", actual.name(), String.join(", ", held));
            }
            return this;
        }

        /**
         * A policy of this name is in this state. Of several with this name, one is enough.
         *
         * @param policy such as {@code circuit-breaker}; in shadow {@code circuit-breaker-shadow}
         * @param expected as its gauge is tagged: {@code closed}, {@code open}, {@code half_open} or {@code half-open}
         * @throws IllegalArgumentException if the policy has no such state at all
         */
        public PipelineAssert hasState(String policy, String expected) {
            Objects.requireNonNull(policy, "policy");
            Objects.requireNonNull(expected, "expected");
            isNotNull();
            String meters = policy.endsWith(ShadowPolicy.SUFFIX)
                    ? "shadow." + policy.substring(0, policy.length() - ShadowPolicy.SUFFIX.length())
                    : policy;
            Pattern prefix = Pattern.compile(Pattern.quote(meters.replace("-", "") + ".state") + NUMBER + " ");
            Set<String> known = new TreeSet<>();
            List<String> states = new ArrayList<>();
            actual.meters(gauges((name, value) -> {
                Matcher start = prefix.matcher(name);
                if (start.lookingAt()) {
                    String state = name.substring(start.end());
                    known.add(state);
                    if (value == 1) {
                        states.add(state);
                    }
                }
            }));
            if (!known.isEmpty() && !known.contains(expected.replace('-', '_'))) {
                throw new IllegalArgumentException("the " + policy + " of '" + actual.name() + "' has no state '"
                        + expected + "'; it has " + known);
            }
            if (!states.contains(expected.replace('-', '_'))) {
                String found = states.isEmpty() ? "no policy of that name tells its state" : "it is " + states;
                throw failure("Expected the %s of '%s' to be %s, but %s", policy, actual.name(), expected, found);
            }
            return this;
        }

        private static String number(double value) {
            return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
        }

        @FunctionalInterface
        private interface Reading {
            void read(String name, double value);
        }

        /** Reads all gauges; a tag's value follows the name. Unlike a snapshot it sees both of two policies of one kind. */
        private static Meters gauges(Reading reading) {
            return new Meters() {
                @Override
                public void gauge(String name, String description, DoubleSupplier value) {
                    reading.read(name, value.getAsDouble());
                }

                @Override
                public void gauge(String name, String description, String tag, String tagValue, DoubleSupplier value) {
                    reading.read(name + " " + tagValue, value.getAsDouble());
                }

                @Override
                public void counter(String name, String description, LongSupplier total) {}

                @Override
                public void counter(String name, String description, String tag, String tagValue, LongSupplier total) {}
            };
        }
    }

    /**
     * Assertions on how a call failed. The exceptions that a future wraps around its error are removed, and what Holdfast's adapters
     * for clients throw has Holdfast's own exception among its causes.
     */
    public static final class CallAssert extends AbstractThrowableAssert<CallAssert, Throwable> {
        /** They may be a ring. */
        private static final int MOST_CAUSES = 16;

        private final String otherwise;

        @SuppressWarnings("NullAway") // AssertJ's own way of saying that there is none
        private CallAssert(@Nullable Throwable error, String otherwise) {
            super(unwrapped(error), CallAssert.class);
            this.otherwise = otherwise;
        }

        static CallAssert of(Call call) {
            Object value;
            try {
                value = call.call();
            } catch (Throwable thrown) {
                return new CallAssert(thrown, "");
            }
            return value instanceof CompletionStage<?> stage
                    ? of(stage.toCompletableFuture())
                    : new CallAssert(null, "it ended well");
        }

        static CallAssert of(CompletableFuture<?> call) {
            if (!call.isDone()) {
                return new CallAssert(null, "it has not ended (on virtual time, run() or advance() comes first)");
            }
            try {
                return new CallAssert(null, "it ended well, with <" + call.join() + ">");
            } catch (CompletionException | CancellationException thrown) {
                return new CallAssert(thrown, "");
            }
        }

        private static @Nullable Throwable unwrapped(@Nullable Throwable thrown) {
            Throwable error = thrown;
            while ((error instanceof CompletionException || error instanceof ExecutionException)
                    && error.getCause() != null) {
                error = error.getCause();
            }
            return error;
        }

        /**
         * The call was rejected locally, by this policy and for this reason.
         *
         * @param policy the policy's name, such as {@code bulkhead}; {@code pipeline} if it was no policy
         */
        public CallAssert wasRejectedBy(String policy, Reason reason) {
            CallRejectedException rejection = cause(CallRejectedException.class);
            if (rejection == null || !rejection.policy().equals(policy) || rejection.reason() != reason) {
                throw failure("Expected the call to be rejected by %s: %s, but %s", policy, reason, end());
            }
            return this;
        }

        /** The limit of this policy, such as {@code timeout}, ended the last attempt. */
        public CallAssert hasTimedOutBy(String policy) {
            CallTimeoutException timeout = cause(CallTimeoutException.class);
            if (timeout == null || !timeout.policy().equals(policy)) {
                throw failure("Expected the call to time out by %s, but %s", policy, end());
            }
            return this;
        }

        private String end() {
            if (actual == null) {
                return otherwise;
            }
            CallRejectedException rejection = cause(CallRejectedException.class);
            if (rejection != null) {
                return "it was rejected by " + rejection.policy() + ": " + rejection.reason() + " ("
                        + rejection.getMessage() + ")";
            }
            return "it failed with " + actual;
        }

        /** The error itself, or the first of its causes. */
        private <E extends Throwable> @Nullable E cause(Class<E> type) {
            Throwable cause = actual;
            for (int i = 0; cause != null && i < MOST_CAUSES; i++, cause = cause.getCause()) {
                if (type.isInstance(cause)) {
                    return type.cast(cause);
                }
            }
            return null;
        }
    }
}
