/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.Node.Entry;
import dev.holdfast.config.Node.Kind;
import dev.holdfast.config.Node.Mapping;
import dev.holdfast.config.Node.Scalar;
import dev.holdfast.internal.Nearest;
import dev.holdfast.internal.Options;
import dev.holdfast.spi.PolicyFactory.Items;
import dev.holdfast.spi.PolicyFactory.Option;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads a section by its options. The section is a mapping, or nothing for the defaults, or a single value if an option is meant
 * by it.
 *
 * @param <B> the builder of the policy's settings
 */
final class SectionReader<B> {
    private final Form<B> form;
    private final Map<String, Option<B, ?>> options = new LinkedHashMap<>();
    private final Values values;
    private final Problems problems;

    SectionReader(Form<B> form, Values values, Problems problems) {
        this.form = form;
        this.values = values;
        this.problems = problems;
        form.options().forEach(option -> options.put(option.name(), option));
    }

    Section<B> read(Place place, Node node) {
        Section<B> section = new Section<>(form, place);
        if (node instanceof Mapping mapping) {
            mapping(section, place, "", mapping);
        } else if (!node.isNothing()) {
            single(section, place, node);
        }
        section.checkRanges(problems);
        return section;
    }

    private void single(Section<B> section, Place place, Node node) {
        Optional<? extends Option<B, ?>> meant =
                form.shorthand().flatMap(name -> Optional.ofNullable(options.get(name)));
        Optional<Boolean> flag = flag(node, meant);
        if (flag.isPresent()) {
            problems.add(place.value(node), "is " + node.described(), flag.get() ? on() : off());
            section.refused("");
        } else if (meant.isPresent() && node instanceof Scalar) {
            set(section, meant.get(), place, node);
        } else {
            problems.add(
                    place.value(node),
                    "is " + node.described(),
                    "a mapping of " + listed(inside("")),
                    form.isPolicy() && node instanceof Scalar scalar ? optionFor(scalar) : Optional.empty());
            section.refused("");
        }
    }

    /** Whether the section as a whole is turned on or off; empty if its value may be true or false, or is something else. */
    private Optional<Boolean> flag(Node node, Optional<? extends Option<B, ?>> shorthand) {
        boolean mayBe =
                shorthand.filter(option -> option.type() != Duration.class).isPresent();
        if (mayBe || !form.isPolicy() || !(node instanceof Scalar scalar)) {
            return Optional.empty();
        }
        Kind kind = scalar.kind();
        return kind == Kind.TRUE || kind == Kind.FALSE ? Optional.of(kind == Kind.TRUE) : Optional.empty();
    }

    private String on() {
        return "'" + form.key() + ":' without a value, for the defaults";
    }

    private String off() {
        return "without: [" + form.key() + "] in its place, or nothing if the pipeline does not inherit it";
    }

    /** The first option whose type the value has: {@code retry: 2} is {@code max-attempts}. */
    private Optional<String> optionFor(Scalar value) {
        boolean number = value.kind() == Kind.NUMBER;
        return options.values().stream()
                .filter(option ->
                        number ? Number.class.isAssignableFrom(option.type()) : option.type() == Duration.class)
                .findFirst()
                .filter(option -> parsed(value, number)
                        .filter(parsed -> Options.allows(option.range(), parsed))
                        .isPresent())
                .map(option -> form.key() + ": { " + option.name() + ": " + value.described() + " }"
                        + (option.name().equals("max-concurrent-calls") ? ", a fixed limit" : ""));
    }

    private static Optional<?> parsed(Scalar value, boolean number) {
        String text = value.text();
        // Only such a number is one for every reader.
        boolean plain = text.matches("[1-9][0-9]{0,8}");
        return !number ? Durations.parse(text) : plain ? Optional.of(Integer.valueOf(text)) : Optional.empty();
    }

    private void mapping(Section<B> section, Place place, String prefix, Mapping mapping) {
        for (Entry entry : mapping.entries()) {
            String name = prefix + entry.key();
            Place here = place.child(entry);
            // A dot in an option's name means a mapping. A file must not write the dot.
            boolean dotted = entry.key().indexOf('.') >= 0;
            @Nullable Option<B, ?> option = dotted ? null : options.get(name);
            Set<String> nested = dotted ? Set.of() : inside(name + ".");
            if (entry.value() instanceof Mapping inner && !nested.isEmpty()) {
                section.given(name, here);
                mapping(section, here, name + ".", inner);
            } else if (option != null) {
                set(section, option, here, entry.value());
            } else if (nested.isEmpty()) {
                unknown(here, prefix, entry.key());
                section.refused(name);
            } else if (!entry.value().isNothing()) {
                problems.add(
                        here.value(entry.value()), "is " + entry.value().described(), "a mapping of " + listed(nested));
                section.refused(name);
            }
        }
    }

    private <V> void set(Section<B> section, Option<B, V> option, Place place, Node node) {
        Optional<V> value = option.items().isPresent()
                ? list(option.items().get(), place, node).map(option.type()::cast)
                : values.read(option.type(), option.range(), place, node);
        if (value.isEmpty()) {
            section.refused(option.name());
            return;
        }
        section.given(option.name(), place.value(node), node);
        try {
            option.set(section.builder(), value.get());
        } catch (IllegalArgumentException e) {
            problems.add(place.value(node), String.valueOf(e.getMessage()));
            section.refused(option.name());
        }
    }

    /** The values of a list, or a single one; empty if one of them is invalid, which is then reported at its place. */
    private Optional<List<Object>> list(Items items, Place place, Node node) {
        List<Node> nodes = node.items();
        if (nodes.size() > items.most()) {
            problems.add(place.value(node), "has " + nodes.size() + " values", "at most " + items.most());
            return Optional.empty();
        }
        List<Object> read = new ArrayList<>();
        for (Node item : nodes) {
            values.read(items.type(), items.range(), place, item)
                    .filter(value -> allowed(items, value, place.value(item), item))
                    .ifPresent(read::add);
        }
        return read.size() == nodes.size() ? Optional.of(read) : Optional.empty();
    }

    private boolean allowed(Items items, Object value, Place place, Node item) {
        boolean allowed = Options.allows(items.range(), value);
        if (!allowed) {
            problems.add(place, "is " + item.described(), Options.expected(items.range()));
        }
        return allowed;
    }

    private void unknown(Place place, String prefix, String key) {
        Set<String> known = inside(prefix);
        boolean own = prefix.isEmpty() && form.isPolicy();
        if (own && (key.equals("enabled") || key.equals("disabled"))) {
            problems.add(place, "unknown option", "no such option: a section that is there is on; or " + off());
            return;
        }
        Optional<String> other = own ? OtherNames.meant(form.key(), key) : Optional.empty();
        Optional<String> nearest = other.or(() -> Nearest.to(key, known));
        problems.add(
                place,
                "unknown option",
                known.size() == 1 ? listed(known) : "one of " + listed(known),
                nearest.isPresent() ? nearest : elsewhere(key));
    }

    /** The same option at another level: {@code jitter under backoff}. */
    private Optional<String> elsewhere(String key) {
        Map<String, String> byLeaf = new LinkedHashMap<>();
        for (String name : options.keySet()) {
            int dot = name.lastIndexOf('.');
            String parent = dot < 0 ? form.key() : name.substring(0, dot);
            byLeaf.putIfAbsent(name.substring(dot + 1), parent);
        }
        return Nearest.to(key.substring(key.lastIndexOf('.') + 1), byLeaf.keySet())
                .map(leaf -> leaf + " under " + byLeaf.get(leaf));
    }

    /** The keys that a mapping may have, in the order of the options. */
    private Set<String> inside(String prefix) {
        Set<String> names = new LinkedHashSet<>();
        for (String name : options.keySet()) {
            if (name.startsWith(prefix)) {
                int dot = name.indexOf('.', prefix.length());
                names.add(name.substring(prefix.length(), dot < 0 ? name.length() : dot));
            }
        }
        return names;
    }

    private static String listed(Set<String> names) {
        return String.join(", ", names);
    }
}
