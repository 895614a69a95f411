/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.Node.Entry;
import dev.holdfast.config.Node.Mapping;
import dev.holdfast.config.Node.Scalar;
import dev.holdfast.internal.Owners;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Makes layers of sections: with options of their own, or with a policy that code or {@code shared} has given a name. */
final class Layers {
    /** In a section: the name of the policy. */
    static final String USE = "use";

    private final Factories factories;
    private final Bindings bindings;
    private final Values values;
    private final Memory memory;
    private final Problems problems;
    private final Map<String, Layer> shared = new LinkedHashMap<>();

    Layers(Factories factories, Bindings bindings, Values values, Memory memory, Problems problems) {
        this.memory = memory;
        this.factories = factories;
        this.bindings = bindings;
        this.values = values;
        this.problems = problems;
    }

    /** Makes a policy for each pipeline that asks. */
    private record Own<B>(PolicyFactory<B> factory, Section<B> section) implements Layer {
        @Override
        public String key() {
            return factory.key();
        }

        @Override
        public OptionalInt position() {
            return OptionalInt.of(factory.position());
        }

        @Override
        public Object madeOf() {
            return List.of(key(), section.values());
        }

        @Override
        public Optional<Policy> policy(Problems problems) {
            return section.make(factory::create, problems);
        }
    }

    /** Makes one policy for all. */
    private static final class Shared implements Layer {
        private final String name;
        private final Layer layer;
        private final Memory memory;

        Shared(String name, Layer layer, Memory memory) {
            this.name = name;
            this.layer = layer;
            this.memory = memory;
        }

        @Override
        public String key() {
            return layer.key();
        }

        @Override
        public OptionalInt position() {
            return layer.position();
        }

        @Override
        public Object madeOf() {
            return List.of(name, layer.madeOf());
        }

        @Override
        public Optional<Policy> policy(Problems problems) {
            Optional<Policy> one = memory.kept(madeOf(), () -> layer.policy(problems));
            one.ifPresent(Owners::share);
            return one;
        }
    }

    /** Has a policy that code has made. */
    private record Bound(Policy policy, OptionalInt position) implements Layer {
        @Override
        public String key() {
            return policy.name();
        }

        @Override
        public Object madeOf() {
            return policy;
        }

        @Override
        public Optional<Policy> policy(Problems problems) {
            Owners.share(policy);
            return Optional.of(policy);
        }
    }

    /** Gives a name to the policy of a section. */
    void share(String name, Place place, Entry section) {
        own(place, section, Set.of(Form.BUDGET.key())).ifPresent(layer -> {
            Layer one = new Shared(name, layer, memory);
            memory.carry(one.madeOf());
            shared.put(name, one);
        });
    }

    /**
     * The layer of a section; empty if it cannot be read, which is then reported.
     *
     * @param others what may stand there beside sections
     */
    Optional<Layer> layer(Place place, Entry section, Set<String> others) {
        if (section.value() instanceof Mapping mapping) {
            Optional<Entry> use = mapping.find(USE);
            if (use.isPresent()) {
                return used(place, section.key(), mapping, use.get());
            }
        }
        return own(place, section, others);
    }

    private Optional<Layer> own(Place place, Entry section, Set<String> others) {
        String key = section.key();
        Optional<PolicyFactory<?>> factory = factories.find(key);
        if (factory.isPresent()) {
            return Optional.of(own(factory.get(), place, section.value()));
        }
        Optional<String> artifact = Factories.artifact(key);
        if (artifact.isPresent()) {
            problems.add(place, "section " + key + " needs " + artifact.get() + " on the class path");
        } else {
            Set<String> known = new LinkedHashSet<>(factories.keys());
            known.addAll(others);
            String expected = "one of " + String.join(", ", known);
            known.addAll(Factories.knownKeys());
            problems.add(place, "unknown section", expected, Nearest.to(key, known));
        }
        return Optional.empty();
    }

    private <B> Layer own(PolicyFactory<B> factory, Place place, Node node) {
        Section<B> section = new SectionReader<>(Form.of(factory), values, problems).read(place, node);
        section.check(factory::create, problems);
        return new Own<>(factory, section);
    }

    private Optional<Layer> used(Place place, String key, Mapping mapping, Entry use) {
        Place here = place.child(use).value(use.value());
        if (mapping.entries().size() > 1) {
            problems.add(
                    place.child(use), "stands beside options, which would mean nothing", "use alone, or options alone");
            return Optional.empty();
        }
        if (!(use.value() instanceof Scalar scalar) || scalar.isNothing()) {
            problems.add(here, "is " + use.value().described(), "the name of a policy");
            return Optional.empty();
        }
        Optional<Layer> found = named(scalar.text());
        if (found.isEmpty() && bindings.hasAny()) {
            return found;
        } else if (found.isEmpty()) {
            Set<String> names = new LinkedHashSet<>(shared.keySet());
            names.addAll(bindings.names(Policy.class));
            String expected = names.isEmpty()
                    ? "a name below shared, or one that code binds, and there is none"
                    : "one of " + String.join(", ", names);
            String what = "is " + scalar.described() + ", which is no policy's name";
            problems.add(here, what, expected, Nearest.to(scalar.text(), names));
        } else if (!found.get().key().equals(key)) {
            String what = "is " + scalar.described() + ", which is a policy of the kind "
                    + found.get().key();
            problems.add(here, what, "the name of a " + key);
            return Optional.empty();
        }
        return found;
    }

    private Optional<Layer> named(String name) {
        Layer layer = shared.get(name);
        if (layer != null) {
            return Optional.of(layer);
        }
        return bindings.find(name)
                .filter(Policy.class::isInstance)
                .map(Policy.class::cast)
                .map(policy -> new Bound(policy, position(policy.name())));
    }

    private OptionalInt position(String key) {
        Optional<PolicyFactory<?>> factory = factories.find(key);
        return factory.isPresent() ? OptionalInt.of(factory.get().position()) : OptionalInt.empty();
    }
}
