/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.internal.Json;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a pipeline is at one moment: its order, its settings and its numbers. Immutable.
 *
 * @param at this moment, by the wall clock
 * @param name of the pipeline
 * @param policies the first outermost
 * @param changes the last changes of state, the latest first: at most 20 to or from {@code closed}, and 20 others
 * @param warnings as {@link Pipeline#warnings}
 * @param advice as {@link Pipeline#advice}
 */
public record PipelineSnapshot(
        Instant at,
        String name,
        List<PolicySnapshot> policies,
        List<StateChange> changes,
        List<String> warnings,
        List<Advice> advice) {

    /**
     * A policy.
     *
     * @param name its kind, as in a configuration file; the second of a kind has its number behind it, {@code throttle-2}
     * @param settings as in a configuration file: numbers, truth values, {@code Duration}s and words; {@code given} for what only
     *     code can give. Empty for a policy of your own that does not say them
     * @param numbers its gauges and totals, by the names of its meters without {@code holdfast.}; a tag follows in braces
     */
    public record PolicySnapshot(String name, Map<String, Object> settings, Map<String, Number> numbers) {}

    /**
     * A change of a policy's state.
     *
     * @param at by the wall clock
     * @param policy its name
     * @param from the state before, such as {@code closed}
     * @param to the state after
     * @param cause why, with the numbers that it rests on
     */
    public record StateChange(Instant at, String policy, String from, String to, String cause) {}

    /**
     * What an hour of traffic says of a setting.
     *
     * @param rule its name, such as {@code timeout-far-too-long}
     * @param reason the numbers that it rests on
     * @param remedy what to do about it
     * @param samples how many attempts, calls or looks it rests on
     */
    public record Advice(String rule, String reason, String remedy, long samples) {
        @Override
        public String toString() {
            return rule + ": " + reason + "; " + remedy;
        }
    }

    /**
     * The numbers of all policies by name. A name that another policy further out has already has {@code .2} behind it, and so on.
     */
    public Map<String, Number> numbers() {
        Map<String, Number> all = new LinkedHashMap<>();
        policies.forEach(policy -> policy.numbers.forEach((name, number) -> {
            String free = name;
            for (int i = 2; all.containsKey(free); i++) {
                free = numbered(name, i);
            }
            all.put(free, number);
        }));
        return all;
    }

    /** The number of this name, as in {@link #numbers}; null if there is none. */
    public @Nullable Number get(String name) {
        return numbers().get(name);
    }

    private static String numbered(String name, int count) {
        int tag = name.indexOf('{');
        return tag < 0 ? name + "." + count : name.substring(0, tag) + "." + count + name.substring(tag);
    }

    /** The same as JSON, with the names of the components. */
    public String toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("at", at.toString());
        json.put("name", name);
        json.put("policies", policies.stream().map(PipelineSnapshot::json).toList());
        json.put("changes", changes.stream().map(PipelineSnapshot::json).toList());
        json.put("warnings", warnings);
        json.put("advice", advice.stream().map(Advice::toString).toList());
        return Json.text(json);
    }

    private static Map<String, Object> json(PolicySnapshot policy) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", policy.name);
        json.put("settings", policy.settings);
        json.put("numbers", policy.numbers);
        return json;
    }

    private static Map<String, Object> json(StateChange change) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("at", change.at.toString());
        json.put("policy", change.policy);
        json.put("from", change.from);
        json.put("to", change.to);
        json.put("cause", change.cause);
        return json;
    }
}
