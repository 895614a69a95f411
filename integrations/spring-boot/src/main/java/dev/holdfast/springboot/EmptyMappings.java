/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import org.springframework.core.io.Resource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;

/**
 * Refuses {@code retry: {}}. A file of Holdfast may say so, but Spring makes no property of an empty mapping, and the policy would be
 * missing without a word.
 */
final class EmptyMappings {
    private EmptyMappings() {}

    /**
     * Reads the YAML files among these again.
     *
     * @throws IllegalArgumentException for the first one
     */
    static void refuse(Collection<Resource> resources) {
        for (Resource resource : resources) {
            String name = String.valueOf(resource.getFilename());
            if (name.endsWith(".yml") || name.endsWith(".yaml")) {
                try (Reader text = new InputStreamReader(resource.getInputStream(), StandardCharsets.UTF_8)) {
                    for (Node document : new Yaml(new LoaderOptions()).composeAll(text)) {
                        look(document, "", name);
                    }
                } catch (IOException unreadable) {
                    throw new UncheckedIOException(name + " cannot be read again", unreadable);
                }
            }
        }
    }

    private static void look(Node node, String path, String file) {
        if (!(node instanceof MappingNode mapping)) {
            return;
        }
        if (mapping.getValue().isEmpty() && !path.isEmpty()) {
            String key = path.substring(path.lastIndexOf('.') + 1);
            throw new IllegalArgumentException(file + ":" + (node.getStartMark().getLine() + 1) + ":"
                    + (node.getStartMark().getColumn() + 1) + " " + path
                    + ": is an empty mapping, which Spring leaves out; expected '" + key + ":' without the braces");
        }
        for (NodeTuple entry : mapping.getValue()) {
            String key = entry.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "";
            String below = path.isEmpty() ? key : path + "." + key;
            if (below.equals(EnvironmentProperties.PREFIX) || below.startsWith(EnvironmentProperties.PREFIX + ".")) {
                look(entry.getValueNode(), below, file);
            }
        }
    }
}
