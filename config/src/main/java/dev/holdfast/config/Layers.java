/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.Node.Entry;
import dev.holdfast.config.Node.Mapping;
import dev.holdfast.config.Node.Scalar;
import dev.holdfast.config.ShadowSection.Mode;
import dev.holdfast.internal.Nearest;
import dev.holdfast.internal.Owners;
import dev.holdfast.retry.RetryBudget;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import java.util.HashSet;
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
    /** Also of those that could not be read, which is told there. */
    private final Set<String> namesBelowShared = new HashSet<>();

    Layers(Factories factories, Bindings bindings, Values values, Memory memory, Problems problems) {
        this.memory = memory;
        this.factories = factories;
        this.bindings = bindings;
        this.values = values;
        this.problems = problems;
    }

    private static <B> Policy created(PolicyFactory<B> factory, B builder) {
        Policy policy = factory.create(builder);
        if (policy == null) {
            throw new IllegalArgumentException("create of its factory returned null");
        }
        return policy;
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
        public boolean isOwn() {
            return true;
        }

        @Override
        public Optional<Policy> policy(Problems problems) {
            return section.make(builder -> created(factory, builder), problems);
        }

        Optional<Policy> inShadow(Problems problems) {
            return section.make(builder -> ShadowPolicy.of(created(factory, builder)), problems);
        }
    }

    /** Another layer, with a difference. */
    private abstract static class Around implements Layer {
        final Layer layer;

        Around(Layer layer) {
            this.layer = layer;
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
            return layer.madeOf();
        }

        @Override
        public boolean isOwn() {
            return layer.isOwn();
        }

        @Override
        public Optional<Policy> policy(Problems problems) {
            return layer.policy(problems);
        }
    }

    /** Its policy decides and counts, and changes nothing. */
    private static final class InShadow extends Around {
        private final Own<?> own;

        InShadow(Own<?> own) {
            super(own);
            this.own = own;
        }

        @Override
        public Object madeOf() {
            return List.of(ShadowSection.SECOND, layer.madeOf());
        }

        @Override
        public Optional<Policy> policy(Problems problems) {
            return own.inShadow(problems);
        }
    }

    /** Has a second policy in shadow beside it. */
    private static final class WithSecond extends Around {
        private final Layer second;

        WithSecond(Layer layer, Layer second) {
            super(layer);
            this.second = second;
        }

        @Override
        public List<Layer> withShadow() {
            return List.of(second, layer);
        }
    }

    /** Makes one policy for all. */
    private static final class Shared extends Around {
        private final String name;
        private final Memory memory;

        Shared(String name, Layer layer, Memory memory) {
            super(layer);
            this.name = name;
            this.memory = memory;
        }

        @Override
        public Object madeOf() {
            return List.of(name, layer.madeOf());
        }

        @Override
        public boolean isOwn() {
            return false;
        }

        @Override
        public Optional<Policy> policy(Problems problems) {
            Optional<Policy> one = memory.kept(madeOf(), () -> layer.policy(problems));
            one.ifPresent(policy -> {
                Owners.share(ShadowPolicy.inside(policy));
                memory.share(name, policy);
            });
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
        public boolean isOwn() {
            return false;
        }

        @Override
        public Optional<Policy> policy(Problems problems) {
            Owners.share(ShadowPolicy.inside(policy));
            return Optional.of(policy);
        }
    }

    /** Something of this name stands below {@code shared}. */
    void isShared(String name) {
        namesBelowShared.add(name);
    }

    /** Gives a name to the policy of a section. */
    void share(String name, Place place, Entry section) {
        isShared(name);
        ShadowSection.of(section.value())
                .second()
                .ifPresent(second ->
                        problems.add(place.child(second), "stands in what pipelines share", "no second options there"));
        own(place, section, Set.of(Form.BUDGET.key())).ifPresent(layer -> {
            Layer one = new Shared(name, layer, memory);
            memory.carry(one.madeOf());
            memory.carryShared((other, any) -> other.equals(name));
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

    /** Whether nobody has a section of this name, which is then told. */
    boolean isUnknown(Entry section) {
        String key = section.key();
        boolean uses =
                section.value() instanceof Mapping mapping && mapping.find(USE).isPresent();
        return !uses && factories.find(key).isEmpty() && Factories.artifact(key).isEmpty();
    }

    /** The same, of a section that has options itself. */
    Optional<Layer> own(Place place, Entry section, Set<String> others) {
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
            Optional<String> name = SplitNames.whole(place, section.value(), known::contains);
            if (name.isPresent()) {
                problems.add(
                        place,
                        "unknown section, with sections below it",
                        "brackets around a name with a dot, \"[" + name.get() + "]\", or " + expected);
                return Optional.empty();
            }
            problems.add(
                    place, "unknown section", expected, Factories.meant(key).or(() -> Nearest.to(key, known)));
        }
        return Optional.empty();
    }

    private <B> Layer own(PolicyFactory<B> factory, Place place, Node node) {
        ShadowSection shadow = ShadowSection.of(node);
        boolean inShadow = isInShadow(place, shadow);
        Own<B> own = own(factory, place, shadow.options(), inShadow);
        if (shadow.second().isEmpty()) {
            return inShadow ? new InShadow(own) : own;
        }
        Entry second = shadow.second().get();
        Place there = place.child(second);
        if (inShadow) {
            problems.add(there, "stands beside mode: shadow", "one or the other");
        }
        Optional<Node> over = options(factory, there, second);
        Node base = ShadowSection.normal(shadow.options(), factory.shorthand());
        return over.isEmpty()
                ? own
                : new WithSecond(own, new InShadow(own(factory, there, Inheritance.options(base, over.get()), true)));
    }

    /** Those of a second policy; empty if there are none, which is then reported. */
    private Optional<Node> options(PolicyFactory<?> factory, Place place, Entry second) {
        Node options = ShadowSection.normal(second.value(), factory.shorthand());
        if (options instanceof Mapping) {
            return Optional.of(options);
        }
        problems.add(place.value(options), options.fact(), "options of " + factory.key());
        return Optional.empty();
    }

    private <B> Own<B> own(PolicyFactory<B> factory, Place place, Node options, boolean inShadow) {
        Section<B> section = new SectionReader<>(Form.of(factory), values, problems).read(place, options);
        section.check(builder -> created(factory, builder), problems);
        if (inShadow && section.values().values().stream().anyMatch(RetryBudget.class::isInstance)) {
            problems.add(
                    place,
                    "has a budget that others use, too, and would take its tokens although it is in shadow",
                    "a budget of its own");
        }
        return new Own<>(factory, section);
    }

    private boolean isInShadow(Place place, ShadowSection shadow) {
        return shadow.mode()
                .flatMap(mode -> values.read(Mode.class, place.child(mode), mode.value()))
                .filter(Mode.SHADOW::equals)
                .isPresent();
    }

    /** Looks at a section that may be incomplete. */
    void look(PolicyFactory<?> factory, Place place, Node node) {
        ShadowSection shadow = ShadowSection.of(node);
        boolean unused = isInShadow(place, shadow);
        look(Form.of(factory), place, shadow.options());
        shadow.second()
                .ifPresent(second -> options(factory, place.child(second), second)
                        .ifPresent(options -> look(Form.of(factory), place.child(second), options)));
    }

    private <B> void look(Form<B> form, Place place, Node options) {
        Section<B> unused = new SectionReader<>(form, values, problems).read(place, options);
    }

    private Optional<Layer> used(Place place, String key, Mapping mapping, Entry use) {
        Place here = place.child(use).value(use.value());
        if (mapping.entries().size() > 1) {
            problems.add(
                    place.child(use), "stands beside options, which would mean nothing", "use alone, or options alone");
            return Optional.empty();
        }
        if (!(use.value() instanceof Scalar scalar) || !scalar.hasValue()) {
            problems.add(here, use.value().fact(), "the name of a policy");
            return Optional.empty();
        }
        Optional<Layer> found = named(scalar.text());
        boolean mayBeBound = bindings.hasAny()
                && Names.isName(scalar.text())
                && Names.near(scalar.text(), shared.keySet()).isEmpty();
        if (found.isEmpty() && (mayBeBound || namesBelowShared.contains(scalar.text()))) {
            return found;
        } else if (found.isEmpty()) {
            Set<String> names = new LinkedHashSet<>(shared.keySet());
            names.addAll(bindings.names(Policy.class));
            String expected = bindings.hasAny()
                    ? "a name below shared, or one that code binds"
                    : names.isEmpty()
                            ? "a name below shared, or one that code binds, and there is none"
                            : "one of " + String.join(", ", names);
            String what = "is " + scalar.described() + ", which is no policy's name";
            problems.add(here, what, expected, Nearest.to(scalar.text(), names));
        } else if (!found.get().key().equals(key)) {
            String what = "is " + scalar.described() + ", which is a policy of the kind "
                    + found.get().key();
            String kind = found.get().key();
            problems.add(
                    here, what, kind + ": { use: " + scalar.described() + " }: a section has the name of its kind");
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
