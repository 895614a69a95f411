/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.holdfast.config.Holdfast;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** What the reader accepts is valid by the schema, whatever stands in whatever place. */
@Logs(value = "pipeline 'p'", sometimes = true)
class SchemaComparisonTest {
    private static final int FILES = 800;

    private static final String[] VALUES = {
        "5",
        "0",
        "-1",
        "0.5",
        ".5",
        "1e3",
        "10_000",
        "1_0.5",
        "010",
        "0x10",
        "1:30",
        "'5'",
        "250ms",
        "PT1S",
        "'1s'",
        "true",
        "yes",
        "''",
        "~",
        "",
        "[]",
        "{}",
        "[5]",
        "[1s, 2s]",
        "[~]",
        "fn",
        "a/b",
        "1st",
        "'no'",
        "2026-01-01",
        "full",
        "shadow",
        "'${X}'",
        "'${X:5}'",
        "'${X:1s}'",
        "'${X:fn}'",
        "'${X:}'",
        "'${X:null}'",
        "a${X}b",
        "$${x}",
        "404",
        "[404, 500-504]",
        "java.io.IOException",
        "UNAVAILABLE",
        "standard",
        "retry",
        "{ use: fn }",
        "{ limit: 1s }",
        "{ value: ~ }",
        "{ enabled: ~ }"
    };

    @TempDir
    Path folder;

    private final ObjectMapper json = new ObjectMapper();

    /** The names of all options, with those further in. */
    private static void options(JsonNode schema, String before, Set<String> found) {
        schema.path("anyOf").forEach(way -> options(way, before, found));
        schema.path("properties").properties().forEach(option -> {
            found.add(before + option.getKey());
            options(option.getValue(), before + option.getKey() + ".", found);
        });
    }

    private List<String> places() {
        JsonNode definitions = json.readTree(Holdfast.schema()).get("$defs");
        Set<String> keys = new LinkedHashSet<>();
        definitions.get("pipeline").get("properties").properties().forEach(key -> {
            keys.add(key.getKey());
            options(definitions.path(key.getKey()), key.getKey() + ".", keys);
        });
        List<String> places = new ArrayList<>(List.of("defaults: @", "templates: @", "shared: @", "shared: { s: @ }"));
        for (String key : keys) {
            String option = key.replace(".", ": { ") + ": @" + " }".repeat(key.split("\\.").length - 1);
            places.add("pipelines: { p: { timeout: , " + option + " }, '404': { gate: } }");
            places.add("defaults: { " + option + " }");
        }
        return places;
    }

    @Test
    void whatTheReaderAcceptsIsValid() throws IOException {
        Schema schema = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(Holdfast.schema(), InputFormat.JSON);
        Path file = folder.resolve("holdfast.yaml");
        List<String> places = places();
        Random random = new Random(7);
        int accepted = 0;
        for (int i = 0; i < FILES; i++) {
            String place = places.get(random.nextInt(places.size()));
            String yaml = "{ " + place.replace("@", VALUES[random.nextInt(VALUES.length)])
                    + (place.contains("pipelines") ? " }" : ", pipelines: { p: { timeout: } } }");
            boolean isAccepted = Holdfast.builder()
                    .bind("fn", Function.class, error -> "none")
                    .placeholders(name -> "5")
                    .check(Files.writeString(file, yaml))
                    .isEmpty();
            if (isAccepted) {
                accepted++;
                Object document = new Yaml(new SafeConstructor(new LoaderOptions())).load(yaml);
                assertThat(schema.validate(json.writeValueAsString(document), InputFormat.JSON))
                        .as(yaml)
                        .isEmpty();
            }
        }
        assertThat(accepted).isGreaterThan(FILES / 20);
    }
}
