/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.factories;

import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Makes the {@code deadline} of a configuration file. */
public final class DeadlinePolicyFactory implements PolicyFactory<DeadlinePolicyFactory.Limit> {
    private static final Duration STANDARD = Duration.ofSeconds(10);

    /** What a file can say. */
    public static final class Limit {
        private Duration limit = STANDARD;

        Limit() {}
    }

    /** For the service loader. */
    public DeadlinePolicyFactory() {}

    @Override
    public String key() {
        return "deadline";
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
        return DeadlinePolicy.of(builder.limit);
    }

    @Override
    public Optional<String> shorthand() {
        return Optional.of("limit");
    }

    @Override
    public int position() {
        return 100;
    }

    @Override
    public Optional<Policy> standard() {
        return Optional.of(DeadlinePolicy.of(STANDARD));
    }
}
