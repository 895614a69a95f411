/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.fallback;

import dev.holdfast.internal.Options;
import dev.holdfast.spi.PolicyFactory.Option;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link FallbackPolicy}. Immutable. */
public final class FallbackSettings {
    private static final int ONLY_OF_OPERATIONS = 8;

    @SuppressWarnings("unchecked") // a file gives functions by name, without their type arguments
    private static final Options<Builder> OPTIONS = new Options<>(
            "fallback",
            Builder::new,
            List.of(
                    Option.of(
                                    "function",
                                    Function.class,
                                    (Builder b) -> b.function,
                                    (b, function) -> b.function(function))
                            .means("makes an answer of the error (`null` if the failure was a value)"),
                    Option.of(
                                    "async-function",
                                    Function.class,
                                    (Builder b) -> b.asyncFunction,
                                    (b, function) -> b.asyncFunction(function))
                            .means("the same with a `CompletionStage`"),
                    Option.of("value", String.class, Builder::text, Builder::value)
                            .means("always this answer")
                            .rangeIs("a text; in code any object, also null"),
                    Option.flag(
                                    "only-of-operations",
                                    (Builder b) -> b.given == ONLY_OF_OPERATIONS,
                                    Builder::onlyOfOperations)
                            .means("no answer of its own, only those of operations and calls")
                            .defaultIs("–")
                            .rangeIs("true"),
                    Option.flag("on-ignored", (Builder b) -> b.onIgnored, Builder::onIgnored)
                            .means("whether IGNORED outcomes are answered, too")));

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

    /** The options, for files and pages. */
    public static List<Option<Builder, ?>> options() {
        return OPTIONS.list();
    }

    /** The values by their names in a file; without those that are not set. */
    public Map<String, Object> asMap() {
        return OPTIONS.values(builder);
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
        /** Of a file, which may say false of {@code onlyOfOperations}. */
        private boolean saidFalse;

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

        /** Returns a stage that completes with the answer; when the call's time is over, only one that is complete answers. */
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

        private void onlyOfOperations(boolean value) {
            saidFalse = !value;
            if (value) {
                onlyOfOperations();
            }
        }

        private @Nullable String text() {
            return value instanceof String text ? text : null;
        }

        /** Whether the caller's own faults ({@link dev.holdfast.Outcome#IGNORED}) are answered too; default false. */
        public Builder onIgnored(boolean newOnIgnored) {
            onIgnored = newOnIgnored;
            return this;
        }

        /**
         * Makes the settings.
         *
         * @throws dev.holdfast.spi.InvalidSettingsException unless exactly one of value, function, async function and "only of
         *     operations" is given
         */
        public FallbackSettings build() {
            OPTIONS.check(this)
                    .that(
                            Integer.bitCount(given) == 1,
                            "function",
                            given == 0 ? "missing" : "not alone",
                            "exactly one of function, asyncFunction, value and onlyOfOperations"
                                    + (saidFalse ? " (onlyOfOperations: false is as if it were not there)" : ""))
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
