/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.Node.Entry;
import dev.holdfast.config.Node.Kind;
import dev.holdfast.config.Node.Mapping;
import dev.holdfast.config.Node.Scalar;
import dev.holdfast.config.Node.Sequence;
import dev.holdfast.internal.Shown;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.events.AliasEvent;
import org.yaml.snakeyaml.events.Event;
import org.yaml.snakeyaml.events.Event.ID;
import org.yaml.snakeyaml.events.MappingStartEvent;
import org.yaml.snakeyaml.events.NodeEvent;
import org.yaml.snakeyaml.events.ScalarEvent;
import org.yaml.snakeyaml.events.SequenceStartEvent;

/**
 * Makes nodes of the parser's events, resolves anchors and merges, and finds duplicate keys. Makes no object of a tag's
 * class, and nothing larger than {@link Bounds} allow.
 */
final class NodeReader {
    private final Iterator<Event> events;
    private final String file;
    private final Placeholders placeholders;
    private final Problems problems;
    private final Map<String, Anchored> anchors = new HashMap<>();
    private int depth;
    private int values;

    /**
     * The node of an anchor, for its aliases.
     *
     * @param values how many values it has, with the values that its own aliases repeat
     */
    private record Anchored(Node node, int values) {}

    NodeReader(String file, String text, Placeholders placeholders, Problems problems) {
        this.file = file;
        this.placeholders = placeholders;
        this.events =
                new Yaml(new LoaderOptions()).parse(new StringReader(text)).iterator();
        this.problems = problems;
    }

    /** The only document's root. */
    Optional<Node> document() {
        events.next(); // the stream's start
        if (events.next().is(ID.StreamEnd)) {
            problems.add(Place.document(Location.whole(file)), "is empty", PlanReader.EXPECTED);
            return Optional.empty();
        }
        Event first = events.next();
        Node root = node(first, Place.document(at(first)));
        events.next(); // the document's end
        if (!events.next().is(ID.StreamEnd)) {
            problems.add(Place.document(at(events.next())), "a second document begins here", "one document");
        }
        return Optional.of(root);
    }

    private Node node(Event event, Place place) {
        Place here = place.at(at(event));
        if (event instanceof AliasEvent alias) {
            return aliased(alias.getAnchor(), here);
        }
        int before = values;
        count(1, here);
        Node node;
        if (event instanceof MappingStartEvent start) {
            checkTag(start.getTag(), here);
            node = nested(() -> mapping(here.at(), place), here);
        } else if (event instanceof SequenceStartEvent start) {
            checkTag(start.getTag(), here);
            node = nested(() -> sequence(here.at(), place), here);
        } else {
            ScalarEvent scalar = (ScalarEvent) event;
            checkTag(scalar.getTag(), here);
            Scalar written = new Scalar(here.at(), kind(scalar), scalar.getValue());
            node = placeholders.resolve(written, scalar.isPlain(), here, problems);
        }
        anchor((NodeEvent) event, node, values - before);
        return node;
    }

    private Node aliased(String name, Place place) {
        Anchored anchored = anchors.get(name);
        if (anchored != null) {
            count(anchored.values(), place);
            return anchored.node();
        }
        String shown = Shown.line(name, Bounds.WORD);
        problems.add(place, "*" + shown + " has no anchor before it", "&" + shown + " further up");
        return new Scalar(place.at(), Kind.NOTHING, "");
    }

    private void anchor(NodeEvent event, Node node, int size) {
        if (event.getAnchor() != null) {
            anchors.put(event.getAnchor(), new Anchored(node, size));
        }
    }

    /** Values of an alias count each time, because later steps read them each time. So this bounds those steps, too. */
    private void count(int more, Place place) {
        values += more;
        if (values > Bounds.VALUES) {
            throw problems.stop(
                    place, "is one value too many, with what aliases repeat", "at most " + Bounds.VALUES + " values");
        }
    }

    private Node nested(Supplier<Node> inner, Place place) {
        depth++;
        if (depth > Bounds.DEPTH) {
            throw problems.stop(place, "is nested too deeply", "at most " + Bounds.DEPTH + " levels");
        }
        Node node = inner.get();
        depth--;
        return node;
    }

    /** Refuses YAML's own tags too: the text of a value decides its type. */
    private void checkTag(@Nullable String tag, Place place) {
        if (tag != null) {
            String standard = "tag:yaml.org,2002:";
            String written = tag.startsWith(standard) ? "!!" + tag.substring(standard.length()) : tag;
            problems.add(place, "the tag " + Shown.line(written, Bounds.WORD) + " means nothing here", "no tag");
        }
    }

    private Node mapping(Location at, Place place) {
        List<Entry> entries = new ArrayList<>();
        List<Node> merged = new ArrayList<>();
        Map<String, Location> seen = new HashMap<>();
        for (Event event = events.next(); !event.is(ID.MappingEnd); event = events.next()) {
            ScalarEvent written = key(event, place);
            String key = written.getValue();
            Location keyAt = at(event);
            Place here = place.child(keyAt, key);
            Location first = seen.putIfAbsent(key, keyAt);
            if (first != null) {
                problems.add(here, "is there twice, first in line " + first.line());
            }
            Node value = node(events.next(), here);
            if (written.isPlain() && key.equals("<<")) {
                if (first == null && mergeable(value, here)) {
                    merged.add(value);
                }
            } else {
                entries.add(new Entry(keyAt, key, value));
            }
        }
        merged.forEach(source -> merge(source, seen, entries));
        return new Mapping(at, List.copyOf(entries));
    }

    private ScalarEvent key(Event event, Place place) {
        Place here = place.at(at(event));
        if (!(event instanceof ScalarEvent key)) {
            throw problems.stop(Place.document(here.at()), "not YAML: a key must be a plain text");
        }
        checkTag(key.getTag(), here);
        int length = key.getValue().length();
        if (length > Bounds.KEY) {
            throw problems.stop(
                    here, "has a key of " + length + " characters", "at most " + Bounds.KEY + " characters");
        }
        if (!key.getValue().isEmpty() && kind(key) == Kind.NOTHING) {
            problems.add(
                    here,
                    "has the key " + key.getValue() + ", which means nothing in YAML",
                    "quotation marks around a name");
        }
        count(1, here);
        anchor(key, new Scalar(here.at(), kind(key), key.getValue()), 1);
        return key;
    }

    private boolean mergeable(Node source, Place place) {
        boolean mergeable = source instanceof Mapping
                || (source instanceof Sequence list && list.items().stream().allMatch(Mapping.class::isInstance));
        if (!mergeable) {
            problems.add(place, "cannot be merged", "an alias of a mapping");
        }
        return mergeable;
    }

    /** A key of the mapping itself wins over a merged one, and an earlier merge over a later one. */
    private static void merge(Node source, Map<String, Location> seen, List<Entry> entries) {
        if (source instanceof Sequence list) {
            list.items().forEach(item -> merge(item, seen, entries));
        } else if (source instanceof Mapping mapping) {
            for (Entry entry : mapping.entries()) {
                if (seen.putIfAbsent(entry.key(), entry.at()) == null) {
                    entries.add(entry);
                }
            }
        }
    }

    private Node sequence(Location at, Place place) {
        List<Node> items = new ArrayList<>();
        for (Event event = events.next(); !event.is(ID.SequenceEnd); event = events.next()) {
            items.add(node(event, place));
        }
        return new Sequence(at, List.copyOf(items));
    }

    private static Kind kind(ScalarEvent scalar) {
        return scalar.isPlain() ? Scalars.kind(scalar.getValue()) : Kind.TEXT;
    }

    private Location at(Event event) {
        return YamlFile.location(file, event.getStartMark());
    }
}
