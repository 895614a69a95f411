/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.internal.SafeLog;
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
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Which policies are on the class path, and where each stands if nothing else is said. */
final class DefaultOrder {
    /** A jar that somebody put on the class path changes every standard pipeline: it is to be seen. */
    private static final Set<String> LOGGED = ConcurrentHashMap.newKeySet();

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
            rejectSecond(factory.key(), factory, byKey.put(factory.key(), factory));
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

    private static void rejectSecond(String name, PolicyFactory<?> one, @Nullable PolicyFactory<?> other) {
        if (other != null) {
            throw new IllegalStateException("two policies on the class path claim the name " + name + ": "
                    + other.getClass().getName() + " and " + one.getClass().getName());
        }
    }

    /**
     * The policies that make sense without settings.
     *
     * @throws IllegalStateException if one has another name than its factory says
     */
    List<Policy> standard() {
        List<Policy> policies = new ArrayList<>();
        List<String> order = new ArrayList<>();
        for (PolicyFactory<?> factory : factories) {
            factory.standard().ifPresent(policy -> {
                String made = factory.getClass().getName();
                if (!policy.name().equals(factory.key())) {
                    throw new IllegalStateException(
                            made + " has the key " + factory.key() + ", but made a policy named " + policy.name());
                }
                policies.add(policy);
                order.add(policy.name() + " (" + made + ")");
            });
        }
        logOnce(String.join(" > ", order));
        return policies;
    }

    private static void logOnce(String order) {
        if (LOGGED.add(order)) {
            SafeLog.of("dev.holdfast").info("the standard pipeline is: " + order + " > call");
        }
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
            if (other.isPresent() && other.getAsInt() > position.getAsInt()) {
                place = i;
            }
        }
        return place;
    }

    private OptionalInt position(Policy policy) {
        return factories.stream()
                .filter(factory -> factory.key().equals(policy.name()))
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
