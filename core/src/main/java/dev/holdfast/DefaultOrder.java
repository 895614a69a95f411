/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Which policies are on the class path, and where each stands if nothing else is said. */
final class DefaultOrder {
    /**
     * What the standard pipeline consists of, and the module of each. Fixed: a jar on the class path must not change the
     * pipelines of a service.
     */
    private static final Map<String, String> STANDARD = Map.of(
            "deadline", "holdfast-core",
            "retry", "holdfast-core",
            "circuit-breaker", "holdfast-circuitbreaker",
            "bulkhead", "holdfast-bulkhead",
            "timeout", "holdfast-core");

    private final List<PolicyFactory<?>> factories;

    /**
     * Of these.
     *
     * @throws IllegalStateException if two claim the same name
     */
    DefaultOrder(List<PolicyFactory<?>> factories) {
        this.factories = factories.stream()
                .sorted(Comparator.<PolicyFactory<?>>comparingInt(PolicyFactory::position)
                        .thenComparing(PolicyFactory::key))
                .toList();
        Map<String, PolicyFactory<?>> byKey = new HashMap<>();
        for (PolicyFactory<?> factory : this.factories) {
            PolicyFactory<?> other = byKey.put(factory.key(), factory);
            if (other != null) {
                throw new IllegalStateException("two policies on the class path claim the name " + factory.key() + ": "
                        + other.getClass().getName() + " and "
                        + factory.getClass().getName());
            }
        }
    }

    static DefaultOrder ofClassPath() {
        List<PolicyFactory<?>> found = new ArrayList<>();
        // The loader of core: a pool's thread may have a context loader that knows nothing.
        for (PolicyFactory<?> factory : ServiceLoader.load(PolicyFactory.class, Pipeline.class.getClassLoader())) {
            found.add(factory);
        }
        return new DefaultOrder(found);
    }

    /** The policies of the standard pipeline whose modules are on the class path. */
    List<Policy> standard() {
        List<Policy> policies = new ArrayList<>();
        for (PolicyFactory<?> factory : factories) {
            if (STANDARD.containsKey(factory.key())) {
                policies.add(ofDefaults(factory));
            }
        }
        return policies;
    }

    private static <B> Policy ofDefaults(PolicyFactory<B> factory) {
        return factory.create(factory.builder());
    }

    /** The kinds of policies that a standard pipeline has and these are not. */
    static Set<String> missing(List<Policy> standard) {
        Set<String> missing = new TreeSet<>(STANDARD.keySet());
        standard.forEach(policy -> missing.remove(policy.name()));
        return missing;
    }

    /** What is to be done about them. */
    static String wayOut(Set<String> missing) {
        String modules = missing.stream().map(STANDARD::get).collect(Collectors.joining(" and "));
        String calls = missing.stream().map(kind -> "without(\"" + kind + "\")").collect(Collectors.joining(" and "));
        return "the standard pipeline needs " + modules + " on the class path; or say " + calls;
    }

    /**
     * The policies with this one, at its place or in place of the one of its kind.
     *
     * @throws IllegalArgumentException if its place is not known, or there are several of its kind
     */
    List<Policy> with(List<Policy> outermostFirst, Policy policy) {
        List<Policy> changed = new ArrayList<>(outermostFirst);
        List<Policy> same = outermostFirst.stream()
                .filter(other -> other.name().equals(policy.name()))
                .toList();
        if (same.size() > 1) {
            throw new IllegalArgumentException("there are " + same.size() + " policies of the kind " + policy.name()
                    + " in " + names(outermostFirst) + ", and which one to replace is not known; use policies()");
        }
        if (same.isEmpty()) {
            changed.add(place(outermostFirst, policy), policy);
        } else {
            changed.set(outermostFirst.indexOf(same.get(0)), policy);
        }
        return List.copyOf(changed);
    }

    private int place(List<Policy> outermostFirst, Policy policy) {
        OptionalInt position = position(policy);
        if (position.isEmpty()) {
            throw new IllegalArgumentException("the default order has no place for " + policy.name()
                    + ", since no factory on the class path has this name; use policies()");
        }
        int place = outermostFirst.size();
        for (int i = outermostFirst.size() - 1; i >= 0; i--) {
            OptionalInt other = position(outermostFirst.get(i));
            // One in shadow stands outside the one that is active: it must see what that one turns away.
            int least = position.getAsInt() + (AroundPolicy.behind(policy) instanceof ShadowPolicy ? 0 : 1);
            if (other.isPresent() && other.getAsInt() >= least) {
                place = i;
            }
        }
        return place;
    }

    private OptionalInt position(Policy policy) {
        return factories.stream()
                .filter(factory ->
                        factory.key().equals(ShadowPolicy.inside(policy).name()))
                .mapToInt(PolicyFactory::position)
                .findFirst();
    }

    /**
     * The policies without those of this kind.
     *
     * @throws IllegalArgumentException if there is none
     */
    static List<Policy> without(List<Policy> outermostFirst, String kind) {
        List<Policy> left = outermostFirst.stream()
                .filter(policy -> !policy.name().equals(kind))
                .toList();
        if (left.size() == outermostFirst.size()) {
            throw new IllegalArgumentException(
                    "there is no policy of the kind " + kind + " in " + names(outermostFirst));
        }
        return left;
    }

    private static String names(List<Policy> policies) {
        return policies.stream().map(Policy::name).collect(Collectors.joining(" > ", "[", "]"));
    }
}
