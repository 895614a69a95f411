/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.core.io.Resource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * Refuses what a file of Holdfast may say and Spring drops without a word: {@code retry: {}}, of which it makes no property, so that the
 * policy would be missing; and letters in the name of a pipeline, or a name that is a number or a boolean, so that it would have
 * another name; and a list of pipelines, whose names would be 0, 1 and so on; and {@code retry: []}.
 */
final class YamlTraps {
    /** What Spring keeps of a key. */
    private static final Pattern KEPT = Pattern.compile("[A-Za-z0-9_.-]+|.*\\[.*].*");

    /** A name that Spring takes as it is. */
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_-]+");

    /** What a key without quotes may be. Spring leaves a date as it is. */
    private static final Set<Tag> READ = Set.of(Tag.BOOL, Tag.INT, Tag.FLOAT);

    private YamlTraps() {}

    /**
     * Reads the YAML files among these again, whatever they are called: an import may say of a file without an extension what it is,
     * and of a variable of the environment, too.
     *
     * @param resources with the names of those that have none themselves
     * @throws WrongSettingException for the first one
     */
    static void refuse(Map<Resource, String> resources) {
        resources.forEach((resource, given) -> {
            String name = Objects.requireNonNullElse(resource.getFilename(), given);
            if (!name.endsWith(".properties") && !name.endsWith(".xml")) {
                try (Reader text = new InputStreamReader(resource.getInputStream(), StandardCharsets.UTF_8)) {
                    LoaderOptions options = new LoaderOptions();
                    options.setCodePointLimit(Integer.MAX_VALUE); // as Spring
                    String shown = Found.shownFile(resource, given);
                    for (Node document : new Yaml(options).composeAll(text)) {
                        look(document, "", shown);
                    }
                } catch (YAMLException | IOException unreadable) {
                    // Spring has read it in its own way. Where there is no other one, nothing is known of it.
                }
            }
        });
    }

    private static void look(Node node, String path, String file) {
        if (!(node instanceof MappingNode mapping)) {
            if (node instanceof SequenceNode list && !list.getValue().isEmpty() && isOfNames(path)) {
                throw wrong(
                        file,
                        node,
                        path,
                        "is a list, of which Spring makes names: 0, 1, …; expected a mapping with a name for each, such as"
                                + " 'my-shop:' in place of '-'");
            }
            if (node instanceof SequenceNode list && list.getValue().isEmpty() && isNoList(path)) {
                String key = path.substring(path.lastIndexOf('.') + 1);
                throw wrong(
                        file, node, path, "is an empty list; expected '" + key + ":' without the brackets, or options");
            }
            return;
        }
        Collection<NodeTuple> entries = entries(mapping).values();
        if (entries.isEmpty() && path.contains(".")) {
            String key = path.substring(path.lastIndexOf('.') + 1);
            throw wrong(
                    file,
                    node,
                    path,
                    "is an empty mapping, which Spring leaves out; expected '" + key + ":' without the braces");
        }
        for (NodeTuple entry : entries) {
            String key = key(entry);
            String below = path.isEmpty() ? key : path + "." + key;
            if (!path.isEmpty() || isOurs(key)) {
                if (!KEPT.matcher(key).matches()) {
                    throw wrong(
                            file,
                            entry.getKeyNode(),
                            below,
                            "has letters in its name that Spring leaves out; expected "
                                    + (path.isEmpty() ? bracketed(key) : "\"[" + key + "]\"") + ", with the brackets");
                }
                refuseRead(entry.getKeyNode(), key, below, file);
                look(entry.getValueNode(), below, file);
            }
        }
    }

    private static boolean isOfNames(String path) {
        ConfigurationPropertyName name = ConfigurationPropertyName.adapt(path, '.');
        return name.getNumberOfElements() == 2 && Spelling.isOfNames(name.getElement(1, Form.UNIFORM));
    }

    /** Spring makes a blank value of it, as of a section without options. */
    private static boolean isNoList(String path) {
        ConfigurationPropertyName name = ConfigurationPropertyName.adapt(path.replace(".[", "["), '.');
        return name.getNumberOfElements() > 1
                && !name.getElement(1, Form.UNIFORM).equals("spring")
                && !new Spelling().isList(name);
    }

    /** {@code no} is false to Spring, and 1.10 is 1.1: a pipeline would have this name. */
    private static void refuseRead(Node node, String key, String path, String file) {
        if (node instanceof ScalarNode && READ.contains(node.getTag())) {
            String read = String.valueOf(new Values().value(node));
            if (!read.equals(key)) {
                throw wrong(
                        file,
                        node,
                        path,
                        "is " + read + " to YAML, which would be its name; expected \""
                                + (PLAIN.matcher(key).matches()
                                        ? key + "\", with the quotes"
                                        : "[" + key + "]\", with the brackets"));
            }
        }
    }

    /** As Spring reads them. */
    private static final class Values extends SafeConstructor {
        Values() {
            super(new LoaderOptions());
        }

        Object value(Node node) {
            return constructDocument(node);
        }
    }

    /** To Spring, {@code Holdfast} and {@code hold-fast} are the same. */
    private static boolean isOurs(String key) {
        ConfigurationPropertyName name = ConfigurationPropertyName.adapt(key, '.');
        return EnvironmentProperties.ROOT.equals(name) || EnvironmentProperties.ROOT.isAncestorOf(name);
    }

    /** Of several keys in one, with dots between them. */
    private static String bracketed(String keys) {
        return Stream.of(keys.split("\\.", -1))
                .map(key -> KEPT.matcher(key).matches() ? key : "[" + key + "]")
                .collect(Collectors.joining(".", "\"", "\""));
    }

    /** With those that it merges ({@code <<: *patient}), where it does not say them itself. */
    private static Map<String, NodeTuple> entries(MappingNode mapping) {
        Map<String, NodeTuple> own = new LinkedHashMap<>();
        List<Node> merged = new ArrayList<>();
        for (NodeTuple entry : mapping.getValue()) {
            if (!entry.getKeyNode().getTag().equals(Tag.MERGE)) {
                own.put(key(entry), entry);
            } else if (entry.getValueNode() instanceof SequenceNode several) {
                merged.addAll(several.getValue());
            } else {
                merged.add(entry.getValueNode());
            }
        }
        for (Node one : merged) {
            if (one instanceof MappingNode more) {
                entries(more).forEach(own::putIfAbsent);
            }
        }
        return own;
    }

    private static String key(NodeTuple entry) {
        return entry.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "";
    }

    private static WrongSettingException wrong(String file, Node node, String path, String what) {
        Mark at = node.getStartMark();
        String shown = path.substring(path.indexOf('.') + 1);
        return new WrongSettingException(
                file + ":" + (at.getLine() + 1) + ":" + (at.getColumn() + 1) + " " + shown + ": " + what);
    }
}
