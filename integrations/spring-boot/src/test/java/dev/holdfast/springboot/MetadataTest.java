/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.Holdfast;
import dev.holdfast.internal.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;

/**
 * What editors complete: made of the JSON Schema of the file, which is made of the options of the policies. If a test fails, copy
 * what it wrote to {@code target/metadata}.
 */
class MetadataTest {
    private static final String RESOURCE = "META-INF/spring-configuration-metadata.json";
    private static final Path MODULE = Path.of("..", "spring-boot");

    private final Map<String, Object> schema = read(Holdfast.schema());

    @SuppressWarnings("unchecked") // JSON is YAML
    private static Map<String, Object> read(String json) {
        LoaderOptions options = new LoaderOptions();
        options.setNestingDepthLimit(100);
        return (Map<String, Object>) new Yaml(options).load(json);
    }

    @Test
    void theMetadataAreThoseOfTheOptions() throws IOException {
        isAsWritten(MODULE.resolve("src/main/resources").resolve(RESOURCE), Json.text(new Metadata().all()) + "\n");
    }

    @Test
    void theRecordsAreThoseOfTheOptions() throws IOException {
        isAsWritten(
                MODULE.resolve("src/main/java/dev/holdfast/springboot/HoldfastProperties.java"), new Records().all());
    }

    private static void isAsWritten(Path file, String wanted) throws IOException {
        Path target = Path.of("target", "metadata", file.getFileName().toString());
        Files.createDirectories(target.getParent());
        Files.writeString(target, wanted);
        String found = Files.readString(file);
        // The formatter breaks lines.
        assertThat(found.replaceAll("\\s+\\*?", ""))
                .as("an option has changed; cp %s %s", target.toAbsolutePath(), file)
                .isEqualTo(wanted.replaceAll("\\s+\\*?", ""));
    }

    // ---- the schema

    @SuppressWarnings("unchecked") // of the schema
    private static Map<String, Object> map(@Nullable Object value) {
        return (Map<String, Object>) Objects.requireNonNull(value, "part of the schema");
    }

    private Map<String, Object> resolved(Map<String, Object> node) {
        Object reference = node.get("$ref");
        return reference == null
                ? node
                : map(map(schema.get("$defs")).get(reference.toString().substring("#/$defs/".length())));
    }

    /** Its keys, if it may be a mapping of options. */
    private Optional<Map<String, Object>> keys(@Nullable Object schemaOf) {
        Map<String, Object> node = resolved(map(schemaOf));
        Optional<Map<String, Object>> found = Optional.empty();
        for (Object way : ways(node)) {
            Object properties = resolved(map(way)).get("properties");
            boolean named = properties != null && map(properties).keySet().equals(Set.of("use"));
            if (properties != null && !named) {
                found = Optional.of(map(properties));
            }
        }
        return found;
    }

    private static List<?> ways(Map<String, Object> node) {
        return node.get("anyOf") instanceof List<?> several ? several : List.of(node);
    }

    private String type(@Nullable Object option) {
        String type = "java.lang.String";
        for (Object way : ways(map(option))) {
            Map<String, Object> node = map(way);
            if ("#/$defs/duration".equals(node.get("$ref"))) {
                return "java.time.Duration";
            }
            String named = String.valueOf(node.get("type"));
            if (type.equals("java.lang.Long") && "#/$defs/name".equals(node.get("$ref"))) {
                return "java.lang.String"; // a number, or a name that code binds
            }
            switch (named) {
                case "integer" -> type = "java.lang.Long";
                case "number" -> type = "java.lang.Double";
                case "boolean" -> type = "java.lang.Boolean";
                case "array" -> {
                    return "java.util.List<java.lang.String>";
                }
                default -> {}
            }
        }
        return type;
    }

    private static String description(@Nullable Object option) {
        return String.valueOf(map(option).getOrDefault("description", ""));
    }

    private static List<?> words(@Nullable Object option) {
        for (Object way : ways(map(option))) {
            if (map(way).get("enum") instanceof List<?> all) {
                return all;
            }
        }
        return List.of();
    }

    // ---- the metadata of properties that have fixed names

    private final class Metadata {
        private final List<Object> properties = new ArrayList<>();
        private final List<Object> hints = new ArrayList<>();

        Map<String, Object> all() {
            Map<String, Object> root = map(schema.get("properties"));
            String type = HoldfastProperties.class.getName();
            property(
                    "holdfast.pipelines",
                    "java.util.Map<java.lang.String," + type + "$Pipeline>",
                    description(root.get("pipelines")),
                    null);
            property(
                    "holdfast.templates",
                    "java.util.Map<java.lang.String," + type + "$Pipeline>",
                    description(root.get("templates")),
                    null);
            property(
                    "holdfast.shared",
                    "java.util.Map<java.lang.String," + type + "$Pipeline>",
                    description(root.get("shared")),
                    null);
            below("holdfast.defaults", keys(root.get("defaults")).orElseThrow(), 0);
            property(
                    "holdfast.spring.http-clients",
                    "java.lang.String",
                    "name of the pipeline that Spring Boot's builders of RestClient, RestTemplate and WebClient get, one for each host; none by default",
                    null);
            property(
                    "holdfast.spring.service-groups",
                    "java.lang.Boolean",
                    "whether a group of HTTP services gets the pipeline of its name, if there is one",
                    true);
            property(
                    "holdfast.spring.server.max-deadline",
                    "java.time.Duration",
                    "the longest time that a request may have; with it, the headers of its sender bind its deadline; none by default",
                    null);
            property(
                    "holdfast.spring.health.down-if-open",
                    "java.util.Set<java.lang.String>",
                    "names of the pipelines whose open breaker makes the health DOWN, with"
                            + " management.health.holdfast.enabled=true; none by default",
                    null);
            property(
                    "management.health.holdfast.enabled",
                    "java.lang.Boolean",
                    "whether the health shows the breakers",
                    false);
            Map<String, Object> all = new LinkedHashMap<>();
            all.put("groups", List.of());
            all.put("properties", properties);
            all.put("hints", hints);
            return all;
        }

        private void below(String prefix, Map<String, Object> options, int depth) {
            options.forEach((key, option) -> {
                String name = prefix + "." + key;
                Optional<Map<String, Object>> inner = keys(option);
                // The second policy, in shadow, repeats all options.
                if (inner.isPresent() && !key.equals("shadow") && depth < 3) {
                    below(name, inner.get(), depth + 1);
                } else if (inner.isEmpty() && !key.equals("shadow")) {
                    property(
                            name, type(option), description(option), map(option).get("default"));
                    List<Object> values = new ArrayList<>();
                    words(option).forEach(word -> values.add(Map.of("value", word)));
                    if (!values.isEmpty()) {
                        hints.add(ordered("name", name, "values", values));
                    }
                }
            });
        }

        private void property(String name, String type, String description, @Nullable Object byDefault) {
            Map<String, Object> property = ordered("name", name, "type", type);
            if (!description.isEmpty()) {
                property.put("description", sentence(description));
            }
            if (byDefault != null) {
                property.put("defaultValue", byDefault);
            }
            properties.add(property);
        }

        private static Map<String, Object> ordered(String key, Object value, String other, Object otherValue) {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put(key, value);
            map.put(other, otherValue);
            return map;
        }
    }

    private static String sentence(String text) {
        String begun = text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
        return begun.endsWith(".") ? begun : begun + ".";
    }

    // ---- the records of properties below a name that the application gives

    private final class Records {
        private final StringBuilder text = new StringBuilder();

        String all() {
            text.append("/* SPDX-License-Identifier: Apache-2.0 */\n")
                    .append("package dev.holdfast.springboot;\n\n")
                    .append("import java.time.Duration;\nimport java.util.List;\n")
                    .append("import org.springframework.boot.context.properties.bind.Name;\n\n")
                    .append(
                            "/** What editors complete below the name of a pipeline. Nothing reads it: the properties are read as the"
                                    + " file is. Generated; MetadataTest says how. */\n")
                    .append("final class HoldfastProperties {\n")
                    .append("private HoldfastProperties() {}\n\n");
            Map<String, Object> pipeline = map(map(schema.get("$defs")).get("pipeline"));
            record("Pipeline", "A pipeline.", map(pipeline.get("properties")));
            return text.append("}\n").toString();
        }

        private void record(String name, String meaning, Map<String, Object> options) {
            Map<String, Map<String, Object>> nested = new LinkedHashMap<>();
            List<String> components = new ArrayList<>();
            StringBuilder doc = new StringBuilder("/**\n * " + meaning + "\n *\n");
            options.forEach((key, option) -> {
                if (key.equals("shadow")) {
                    return;
                }
                Optional<Map<String, Object>> inner = keys(option);
                String component = camelCase(key);
                String type = type(option).replaceAll("java\\.(lang|time|util)\\.", "");
                if (inner.isPresent()) {
                    type = pascalCase(key);
                    // The rooms of a pipeline are told apart by their names; what is inside them, too.
                    nested.put(type, inner.get());
                }
                boolean word = key.equals("extends");
                components.add((word ? "@Name(\"extends\") " : "") + (inner.isPresent() ? name + "." : "") + type + " "
                        + (word ? "base" : component));
                doc.append(" * @param ")
                        .append(word ? "base" : component)
                        .append(' ')
                        .append(described(key, option))
                        .append('\n');
            });
            text.append(doc)
                    .append(" */\n")
                    .append("record ")
                    .append(name)
                    .append('(')
                    .append(String.join(", ", components))
                    .append(") {");
            nested.forEach((type, inner) -> {
                text.append('\n');
                record(type, "Options of this section.", inner);
            });
            text.append("}\n");
        }

        private static String described(String key, Object option) {
            String said = description(option);
            return (said.isEmpty() ? "section " + key : said)
                    .replace("`", "")
                    .replace("<", "&lt;")
                    .replace(">", "&gt;")
                    .replace("@", "&#64;");
        }

        private static String pascalCase(String key) {
            String camel = camelCase(key);
            return camel.substring(0, 1).toUpperCase(Locale.ROOT) + camel.substring(1);
        }

        private static String camelCase(String key) {
            StringBuilder camel = new StringBuilder();
            for (String word : key.split("-", -1)) {
                camel.append(
                        camel.isEmpty() ? word : word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1));
            }
            return camel.toString();
        }
    }
}
