/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.internal.Checks;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/** A policy with the options of a test, which counts how often it was made. */
final class SampleFactory implements PolicyFactory<SampleFactory.Builder> {
    private final String key;
    private final int position;
    private final Optional<String> shorthand;
    private final List<Option<Builder, ?>> options = new ArrayList<>();
    private final List<BiConsumer<Builder, Checks>> checks = new ArrayList<>();
    private final List<Sample> created = new ArrayList<>();

    SampleFactory(String key, int position, Optional<String> shorthand) {
        this.key = key;
        this.position = position;
        this.shorthand = shorthand;
    }

    /** Adds an option; the builder keeps its value under the name of the method that it would have. */
    @SuppressWarnings("NullAway") // a builder has no value at first
    <V> SampleFactory option(String name, String method, Class<V> type) {
        options.add(Option.of(
                        name,
                        type,
                        (Builder builder) -> type.cast(builder.values.get(method)),
                        (builder, value) -> builder.values.put(method, value))
                .inCode(method));
        return this;
    }

    SampleFactory check(BiConsumer<Builder, Checks> check) {
        checks.add(check);
        return this;
    }

    List<Sample> created() {
        return created;
    }

    @Override
    public String key() {
        return key;
    }

    @Override
    public Builder builder() {
        return new Builder();
    }

    @Override
    public List<Option<Builder, ?>> options() {
        return options;
    }

    @Override
    public Policy create(Builder builder) {
        builder.build();
        Sample policy = new Sample(key, new TreeMap<>(builder.values));
        created.add(policy);
        return policy;
    }

    @Override
    public Optional<String> shorthand() {
        return shorthand;
    }

    @Override
    public int position() {
        return position;
    }

    final class Builder {
        final Map<String, Object> values = new TreeMap<>();

        /** As in any settings: tells everything that is wrong. */
        public Map<String, Object> build() {
            Checks found = new Checks(key);
            checks.forEach(check -> check.accept(this, found));
            found.done();
            return values;
        }

        <V> Optional<V> value(String method, Class<V> type) {
            return Optional.ofNullable(values.get(method)).map(type::cast);
        }
    }

    /** Does nothing, and remembers its settings. */
    static final class Sample extends Policy {
        final Map<String, Object> values;

        Sample(String name, Map<String, Object> values) {
            super(name, 0);
            this.values = values;
        }
    }
}
