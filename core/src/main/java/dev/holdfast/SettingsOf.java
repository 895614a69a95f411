/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.Policy;
import java.time.Duration;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The settings of policies by kind and option. Of several policies of a kind the least value counts: the one that is felt. */
final class SettingsOf {
    private final List<Policy> policies;
    private final List<String> names;
    /** A policy makes its map each time that it is asked. */
    private final IdentityHashMap<Policy, Map<String, Object>> asked = new IdentityHashMap<>();

    SettingsOf(List<Policy> policies) {
        this.policies = policies;
        names = policies.stream().map(Policy::name).toList();
    }

    private Map<String, Object> of(Policy policy) {
        return asked.computeIfAbsent(policy, Policy::settingsMap);
    }

    boolean has(String kind) {
        return names.contains(kind);
    }

    private <V extends Comparable<V>> Optional<V> least(String kind, String option, Class<V> type) {
        return policies.stream()
                .filter(policy -> policy.name().equals(kind))
                .map(policy -> of(policy).get(option))
                .filter(type::isInstance)
                .map(type::cast)
                .min(Comparator.naturalOrder());
    }

    Optional<Duration> time(String kind, String option) {
        return least(kind, option, Duration.class);
    }

    Optional<Integer> count(String kind, String option) {
        return least(kind, option, Integer.class);
    }

    /** Whether an option of a kind has this value in all its policies. */
    boolean is(String kind, String option, Object value) {
        return policies.stream()
                .filter(policy -> policy.name().equals(kind))
                .allMatch(policy -> value.equals(of(policy).get(option)));
    }

    /** Whether a policy of this kind has a value for this option. */
    boolean says(String kind, String option) {
        return policies.stream()
                .filter(policy -> policy.name().equals(kind))
                .anyMatch(policy -> of(policy).containsKey(option));
    }

    /** Whether there are two such kinds, and each policy of the first stands further out than each of the second. */
    boolean isOutside(String outer, String inner) {
        int last = names.lastIndexOf(outer);
        return last >= 0 && last < names.indexOf(inner);
    }
}
