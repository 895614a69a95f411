/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.regex.Pattern;
import org.springframework.core.io.Resource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;

/**
 * Refuses what a file of Holdfast may say and Spring drops without a word: {@code retry: {}}, of which it makes no property, so that the
 * policy would be missing; and letters in the name of a pipeline, so that it would have another name.
 */
final class YamlTraps {
    /** What Spring keeps of a key. */
    private static final Pattern KEPT = Pattern.compile("[A-Za-z0-9_.-]+|.*\\[.*].*");

    private YamlTraps() {}

    /**
     * Reads the YAML files among these again.
     *
     * @throws WrongSettingException for the first one
     */
    static void refuse(Collection<Resource> resources) {
        for (Resource resource : resources) {
            String name = String.valueOf(resource.getFilename());
            if (name.endsWith(".yml") || name.endsWith(".yaml")) {
                try (Reader text = new InputStreamReader(resource.getInputStream(), StandardCharsets.UTF_8)) {
                    LoaderOptions options = new LoaderOptions();
                    options.setCodePointLimit(Integer.MAX_VALUE); // as Spring
                    for (Node document : new Yaml(options).composeAll(text)) {
                        look(document, "", name);
                    }
                } catch (YAMLException | IOException unreadable) {
                    // Spring has read it in its own way. Where there is no other one, nothing is known of it.
                }
            }
        }
    }

    private static void look(Node node, String path, String file) {
        if (!(node instanceof MappingNode mapping)) {
            return;
        }
        if (mapping.getValue().isEmpty() && path.contains(".")) {
            String key = path.substring(path.lastIndexOf('.') + 1);
            throw wrong(
                    file,
                    node,
                    path,
                    "is an empty mapping, which Spring leaves out; expected '" + key + ":' without the braces");
        }
        for (NodeTuple entry : mapping.getValue()) {
            String key = entry.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "";
            String below = path.isEmpty() ? key : path + "." + key;
            if (!path.isEmpty() && !KEPT.matcher(key).matches()) {
                throw wrong(
                        file,
                        entry.getKeyNode(),
                        below,
                        "has letters in its name that Spring leaves out; expected \"[" + key
                                + "]\", with the brackets");
            }
            if (below.equals(EnvironmentProperties.PREFIX) || below.startsWith(EnvironmentProperties.PREFIX + ".")) {
                look(entry.getValueNode(), below, file);
            }
        }
    }

    private static WrongSettingException wrong(String file, Node node, String path, String what) {
        Mark at = node.getStartMark();
        String shown = path.substring(EnvironmentProperties.PREFIX.length() + 1);
        return new WrongSettingException(
                file + ":" + (at.getLine() + 1) + ":" + (at.getColumn() + 1) + " " + shown + ": " + what);
    }
}
