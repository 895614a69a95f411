/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.Holdfast.Property;
import dev.holdfast.config.Node.Entry;
import dev.holdfast.config.Node.Kind;
import dev.holdfast.config.Node.Mapping;
import dev.holdfast.config.Node.Scalar;
import dev.holdfast.config.Node.Sequence;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Flat properties, each with where it stands.
 *
 * @param name what messages call all of them
 * @param sources asked for anew each time; a later one adds to the earlier ones
 */
record PropertySource(String name, Supplier<? extends List<? extends Collection<Property>>> sources) implements Source {
    private static final Pattern INDEX = Pattern.compile("\\[[0-9]+]");

    @Override
    public boolean isReadAgain() {
        return true;
    }

    @Override
    public Taken taken() {
        return new Properties(
                name, sources.get().stream().map(List::<Property>copyOf).toList());
    }

    /** What they were. */
    private record Properties(String name, List<List<Property>> sources) implements Taken {
        @Override
        public byte[] contents() {
            return sources.toString().getBytes(StandardCharsets.UTF_8);
        }

        /** No placeholder is resolved: whoever has the properties has done so. */
        @Override
        public List<Node> read(Placeholders placeholders, Problems problems) {
            Place whole = Place.document(Location.whole(name));
            int all = sources.stream().mapToInt(List::size).sum();
            if (all == 0) {
                problems.add(whole, "is empty", PlanReader.EXPECTED);
            }
            if (all > Bounds.VALUES) {
                throw problems.stop(whole, "has " + all + " properties", "at most " + Bounds.VALUES + " properties");
            }
            return sources.stream()
                    .filter(properties -> !properties.isEmpty())
                    .map(properties -> root(whole, properties, problems))
                    .toList();
        }

        private static Node root(Place whole, List<Property> properties, Problems problems) {
            Branch root = new Branch(whole);
            properties.forEach(property -> root.put(property, problems));
            return root.node(problems);
        }
    }

    /** Properties whose keys begin in the same way. */
    private static final class Branch {
        private final Place place;
        private final Map<String, Branch> children = new LinkedHashMap<>();
        private @Nullable Property own;

        Branch(Place place) {
            this.place = place;
        }

        void put(Property property, Problems problems) {
            Location at = new Location(property.file(), property.line(), property.column());
            Branch branch = this;
            int depth = 0;
            for (String key : property.keys()) {
                Place here = branch.place.child(at, key);
                if (key.length() > Bounds.KEY) {
                    throw problems.stop(
                            here,
                            "has a key of " + key.length() + " characters",
                            "at most " + Bounds.KEY + " characters");
                }
                if (++depth > Bounds.DEPTH) {
                    throw problems.stop(here, "is too deep", "at most " + Bounds.DEPTH + " levels");
                }
                Branch above = branch;
                boolean isFirst = above.children.isEmpty();
                branch = above.children.computeIfAbsent(key, any -> new Branch(here));
                if (isFirst) {
                    above.check(problems);
                }
            }
            branch.own = property;
            branch.check(problems);
        }

        /** Frameworks make an empty text of an empty mapping. So only another text is one too many. */
        private void check(Problems problems) {
            if (own != null && !own.value().isBlank() && !children.isEmpty()) {
                problems.add(place, "has a value and further keys below", "one of both");
            }
        }

        private boolean isList() {
            return !children.isEmpty()
                    && children.keySet().stream()
                            .allMatch(key -> INDEX.matcher(key).matches());
        }

        Node node(Problems problems) {
            Location at = place.at();
            if (children.isEmpty()) {
                return own == null ? new Scalar(at, Kind.NOTHING, "", true) : scalar(at, own);
            }
            if (isList()) {
                return new Sequence(at, items(problems));
            }
            List<Entry> entries = new ArrayList<>();
            children.forEach((key, child) -> entries.add(new Entry(child.place.at(), key, child.node(problems))));
            return new Mapping(at, List.copyOf(entries));
        }

        /** Blanks around a value are nothing that anybody sees. */
        private static Scalar scalar(Location at, Property property) {
            String whole = property.value();
            String text = whole.isBlank() ? whole : whole.strip();
            Kind kind = Scalars.kind(text);
            return kind == Kind.NOTHING && !property.written().equals(whole)
                    ? Scalar.empty(at, property.written(), whole, true)
                    : new Scalar(at, kind, text, true, whole);
        }

        private static BigInteger number(String index) {
            return new BigInteger(index.substring(1, index.length() - 1));
        }

        /** By their numbers, in whatever order they came. */
        private List<Node> items(Problems problems) {
            List<Node> items = new ArrayList<>();
            children.entrySet().stream()
                    .sorted(Comparator.comparing(item -> number(item.getKey())))
                    .forEach(item -> {
                        Branch child = item.getValue();
                        if (!number(item.getKey()).equals(BigInteger.valueOf(items.size()))) {
                            problems.add(
                                    child.place, "has no [" + items.size() + "] before it", "a list without a gap");
                        }
                        items.add(child.node(problems));
                    });
            return List.copyOf(items);
        }
    }
}
