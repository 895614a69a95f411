/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import dev.holdfast.config.Node.Entry;
import dev.holdfast.config.Node.Kind;
import dev.holdfast.config.Node.Mapping;
import dev.holdfast.config.Node.Scalar;
import dev.holdfast.config.Node.Sequence;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Makes nodes of the parser's tokens: resolves anchors and merges, and finds duplicate keys. */
final class NodeReader implements AutoCloseable {
    private static final YAMLFactory YAML = new YAMLFactory();
    private static final String STANDARD_TAG = "tag:yaml.org,2002:";
    private static final Pattern SCALAR_ANCHOR = Pattern.compile("(?:!\\S*\\s+)?&(\\S+)");

    private final YAMLParser parser;
    private final List<String> lines;
    private final Problems problems;
    private final Map<String, Node> anchors = new HashMap<>();

    NodeReader(String text, Problems problems) throws IOException {
        this.parser = YAML.createParser(text);
        this.lines = text.lines().toList();
        this.problems = problems;
    }

    /** The only document's root. */
    Optional<Node> document() throws IOException {
        JsonToken first = parser.nextToken();
        if (first == null) {
            problems.add(new Place(Location.WHOLE_FILE, ""), "is empty", PlanReader.EXPECTED);
            return Optional.empty();
        }
        Node root = node(first, new Place(at(), ""));
        if (parser.nextToken() != null) {
            problems.add(new Place(at(), ""), "a second document begins here", "one document");
        }
        return Optional.of(root);
    }

    private Node node(JsonToken token, Place place) throws IOException {
        Location at = at();
        if (parser.isCurrentAlias()) {
            return aliased(parser.getText(), new Place(at, place.path()));
        }
        checkTag(new Place(at, place.path()));
        String anchor = anchor(token, at);
        Node node = switch (token) {
            case START_OBJECT -> mapping(at, place);
            case START_ARRAY -> sequence(at, place);
            default -> new Scalar(at, kind(token), parser.getText());
        };
        if (anchor != null) {
            anchors.put(anchor, node);
        }
        return node;
    }

    private Node aliased(String name, Place place) {
        Node node = anchors.get(name);
        if (node != null) {
            return node;
        }
        problems.add(place, "*" + name + " has no anchor before it", "&" + name + " further up");
        return new Scalar(place.at(), Kind.NOTHING, "");
    }

    private void checkTag(Place place) throws IOException {
        Object tag = parser.getTypeId();
        if (tag != null && !tag.toString().startsWith(STANDARD_TAG)) {
            problems.add(place, "the tag !" + tag + " means nothing here", "no tag");
        }
    }

    /** The parser knows the anchors of mappings and lists; that of a scalar has to be read where its token begins. */
    private @Nullable String anchor(JsonToken token, Location at) throws IOException {
        if (token.isStructStart()) {
            Object id = parser.getObjectId();
            return id == null ? null : id.toString();
        }
        String line = at.line() <= lines.size() ? lines.get(at.line() - 1) : "";
        int begin = line.offsetByCodePoints(0, Math.min(at.column() - 1, line.codePointCount(0, line.length())));
        Matcher matcher = SCALAR_ANCHOR.matcher(line).region(begin, line.length());
        return matcher.lookingAt() ? matcher.group(1) : null;
    }

    private Node mapping(Location at, Place place) throws IOException {
        List<Entry> entries = new ArrayList<>();
        List<Node> merged = new ArrayList<>();
        Map<String, Location> seen = new HashMap<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            Location keyAt = at();
            Place here = place.child(new Entry(keyAt, key, new Scalar(keyAt, Kind.NOTHING, "")));
            Location first = seen.putIfAbsent(key, keyAt);
            if (first != null) {
                problems.add(here, "is there twice, first in line " + first.line());
            }
            Node value = node(parser.nextToken(), here);
            if (key.equals("<<")) {
                merged.add(value);
                checkMerge(value, here);
            } else {
                entries.add(new Entry(keyAt, key, value));
            }
        }
        merged.forEach(source -> merge(source, seen, entries));
        return new Mapping(at, List.copyOf(entries));
    }

    private void checkMerge(Node source, Place place) {
        boolean mergeable = source instanceof Mapping
                || (source instanceof Sequence list && list.items().stream().allMatch(Mapping.class::isInstance));
        if (!mergeable) {
            problems.add(place, "cannot be merged", "an alias of a mapping");
        }
    }

    /** What stands in the mapping itself wins over what is merged, and an earlier merge over a later one. */
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

    private Node sequence(Location at, Place place) throws IOException {
        List<Node> items = new ArrayList<>();
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            items.add(node(token, place));
        }
        return new Sequence(at, List.copyOf(items));
    }

    private static Kind kind(JsonToken token) {
        return switch (token) {
            case VALUE_NULL -> Kind.NOTHING;
            case VALUE_TRUE -> Kind.TRUE;
            case VALUE_FALSE -> Kind.FALSE;
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> Kind.NUMBER;
            default -> Kind.TEXT;
        };
    }

    private Location at() {
        JsonLocation location = parser.currentTokenLocation();
        return new Location(location.getLineNr(), location.getColumnNr());
    }

    @Override
    public void close() throws IOException {
        parser.close();
    }
}
