/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.factories;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.SettingsPolicyFactory;
import dev.holdfast.spi.Policy;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Makes a policy of a configuration file that has only a limit. */
abstract class LimitPolicyFactory extends SettingsPolicyFactory<LimitPolicyFactory.Limit> {

    LimitPolicyFactory(String key, int position, Duration standard, Function<Duration, Policy> policy, String meaning) {
        super(
                key,
                position,
                () -> new Limit(standard),
                () -> options(standard, meaning),
                builder -> policy.apply(builder.limit));
    }

    /** The one option of a file. */
    public static final class Limit {
        private Duration limit;

        private Limit(Duration limit) {
            this.limit = limit;
        }
    }

    private static List<Option<Limit, ?>> options(Duration standard, String meaning) {
        return List.of(
                Option.<Limit>duration("limit", builder -> builder.limit, (builder, value) -> builder.limit = value)
                        .range(Checks.LEAST_LIMIT, Checks.MOST_LIMIT)
                        .means(meaning)
                        .defaultIs(Checks.text(standard) + " in `Pipeline.standard` and in a file; none in code"));
    }

    @Override
    public Optional<String> shorthand() {
        return Optional.of("limit");
    }
}
