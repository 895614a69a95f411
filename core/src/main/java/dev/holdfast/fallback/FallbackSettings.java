/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.fallback;

import dev.holdfast.internal.Checks;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link FallbackPolicy}. Immutable. */
public final class FallbackSettings {
    private static final int ONLY_OF_OPERATIONS = 8;

    private final Builder builder;

    private FallbackSettings(Builder builder) {
        this.builder = builder;
    }

    /** The defaults, changed by this function. */
    public static FallbackSettings of(Consumer<? super Builder> configure) {
        Builder builder = builder();
        configure.accept(builder);
        return builder.build();
    }

    /** A builder that holds the defaults; one of value, function, async function and "only of operations" must be given. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that holds these settings. */
    public Builder toBuilder() {
        return new Builder(builder);
    }

    @Nullable
    Object value() {
        return builder.value;
    }

    @Nullable
    Function<@Nullable Throwable, ?> function() {
        return builder.function;
    }

    @Nullable
    Function<@Nullable Throwable, ? extends CompletionStage<?>> asyncFunction() {
        return builder.asyncFunction;
    }

    boolean onlyOfOperations() {
        return builder.given == ONLY_OF_OPERATIONS;
    }

    /** Whether the caller's own faults are answered too. */
    public boolean onIgnored() {
        return builder.onIgnored;
    }

    /** Collects settings. */
    public static final class Builder {
        private @Nullable Object value;
        private @Nullable Function<@Nullable Throwable, ?> function;
        private @Nullable Function<@Nullable Throwable, ? extends CompletionStage<?>> asyncFunction;
        private boolean onIgnored;
        private int given;

        private Builder() {}

        private Builder(Builder other) {
            value = other.value;
            function = other.function;
            asyncFunction = other.asyncFunction;
            onIgnored = other.onIgnored;
            given = other.given;
        }

        /** Always this value; may be null. */
        public Builder value(@Nullable Object newValue) {
            value = newValue;
            given |= 1;
            return this;
        }

        /** Returns the answer for the error, quickly; the error is null if the failure was a value. */
        public Builder function(Function<@Nullable Throwable, ?> newFunction) {
            function = Objects.requireNonNull(newFunction, "function");
            given |= 2;
            return this;
        }

        /** Returns a stage that completes with the answer; not called when the call's time is over. */
        public Builder asyncFunction(Function<@Nullable Throwable, ? extends CompletionStage<?>> newFunction) {
            asyncFunction = Objects.requireNonNull(newFunction, "asyncFunction");
            given |= 4;
            return this;
        }

        /** No answer of its own, only those that operations and calls have. */
        public Builder onlyOfOperations() {
            given |= ONLY_OF_OPERATIONS;
            return this;
        }

        /** Whether the caller's own faults ({@link dev.holdfast.Outcome#IGNORED}) are answered too; default false. */
        public Builder onIgnored(boolean newOnIgnored) {
            onIgnored = newOnIgnored;
            return this;
        }

        /**
         * Makes the settings.
         *
         * @throws dev.holdfast.spi.InvalidSettingsException unless exactly one of value, function, async function and "only of operations" is given
         */
        public FallbackSettings build() {
            new Checks("fallback")
                    .that(
                            Integer.bitCount(given) == 1,
                            "function",
                            given == 0 ? "missing" : "not alone",
                            "exactly one of function, asyncFunction, value and onlyOfOperations")
                    .done();
            return new FallbackSettings(new Builder(this));
        }
    }

    @Override
    public String toString() {
        String answer = switch (builder.given) {
            case 1 -> "value";
            case 2 -> "function";
            case 4 -> "asyncFunction";
            default -> "onlyOfOperations";
        };
        return "FallbackSettings[" + answer + ", onIgnored=" + builder.onIgnored + "]";
    }
}
