/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.factories;

import dev.holdfast.internal.Checks;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Makes a policy of a configuration file that has only a limit. */
abstract class LimitPolicyFactory implements PolicyFactory<LimitPolicyFactory.Limit> {
    private final String key;
    private final int position;
    private final Duration standard;
    private final Function<Duration, Policy> policy;
    private final String meaning;

    LimitPolicyFactory(String key, int position, Duration standard, Function<Duration, Policy> policy, String meaning) {
        this.meaning = meaning;
        this.key = key;
        this.position = position;
        this.standard = standard;
        this.policy = policy;
    }

    /** The one option of a file. */
    public static final class Limit {
        private Duration limit;

        private Limit(Duration limit) {
            this.limit = limit;
        }
    }

    @Override
    public String key() {
        return key;
    }

    @Override
    public Limit builder() {
        return new Limit(standard);
    }

    @Override
    public List<Option<Limit, ?>> options() {
        return List.of(
                Option.<Limit>duration("limit", builder -> builder.limit, (builder, value) -> builder.limit = value)
                        .range(Checks.LEAST_LIMIT, Checks.MOST_LIMIT)
                        .means(meaning)
                        .defaultIs(Checks.text(standard) + " in `Pipeline.standard` and in a file; none in code"));
    }

    @Override
    public Policy create(Limit builder) {
        return policy.apply(builder.limit);
    }

    @Override
    public Optional<String> shorthand() {
        return Optional.of("limit");
    }

    @Override
    public int position() {
        return position;
    }
}
