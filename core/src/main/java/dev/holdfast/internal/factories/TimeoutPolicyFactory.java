/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.factories;

import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Makes the {@code timeout} of a configuration file. */
public final class TimeoutPolicyFactory implements PolicyFactory<TimeoutPolicyFactory.Limit> {
    private static final Duration STANDARD = Duration.ofSeconds(3);

    /** What a file can say. */
    public static final class Limit {
        private Duration limit = STANDARD;

        Limit() {}
    }

    /** For the service loader. */
    public TimeoutPolicyFactory() {}

    @Override
    public String key() {
        return "timeout";
    }

    @Override
    public Limit builder() {
        return new Limit();
    }

    @Override
    public List<Option<Limit, ?>> options() {
        return List.of(Option.duration("limit", (builder, value) -> builder.limit = value));
    }

    @Override
    public Policy create(Limit builder) {
        return TimeoutPolicy.of(builder.limit);
    }

    @Override
    public Optional<String> shorthand() {
        return Optional.of("limit");
    }

    @Override
    public int position() {
        return 800;
    }

    @Override
    public Optional<Policy> standard() {
        return Optional.of(TimeoutPolicy.of(STANDARD));
    }
}
