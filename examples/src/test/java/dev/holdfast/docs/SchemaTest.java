/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.holdfast.config.Holdfast;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import tools.jackson.databind.ObjectMapper;

/** The JSON Schema of the configuration is up to date, accepts every sample, and finds what an editor should find. */
class SchemaTest {
    private static final String FIRST_LINE =
            "# yaml-language-server: $schema=https://holdfast.dev/schema/0.1/holdfast.schema.json\n";

    private static final Path RESOURCES = Pages.ROOT.resolve("config/src/main/resources/dev/holdfast/config");

    private final Schema schema = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
            .getSchema(Holdfast.schema(), InputFormat.JSON);

    private List<Error> errors(String yaml) {
        // Aliases and merges are resolved first, as an editor does.
        Object document = new Yaml(new SafeConstructor(new LoaderOptions())).load(yaml);
        return schema.validate(new ObjectMapper().writeValueAsString(document), InputFormat.JSON);
    }

    @Test
    void theFileInTheJarIsWhatTheOptionsSay() throws IOException {
        Path made = Files.writeString(Pages.ROOT.resolve("examples/target/holdfast.schema.json"), Holdfast.schema());
        assertThat(RESOURCES.resolve("holdfast.schema.json"))
                .as("an option has changed; cp %s %s", made, RESOURCES)
                .hasSameTextualContentAs(made);
    }

    @Test
    void theSchemaIsOneItself() {
        Schema dialect = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(SchemaLocation.of("https://json-schema.org/draft/2020-12/schema"));
        assertThat(dialect.validate(Holdfast.schema(), InputFormat.JSON)).isEmpty();
    }

    @Test
    void everySampleOfThePagesNamesItAndIsValid() throws IOException {
        for (Path page : Pages.all()) {
            for (String sample : Pages.blocks(page, "yaml")) {
                if (YamlSamplesTest.isOfSpring(sample)) {
                    // An editor completes these by the metadata of the starter.
                    continue;
                }
                assertThat(sample).as("a sample of %s", page).startsWith(FIRST_LINE);
                assertThat(errors(sample))
                        .as("a sample of %s: %s", page, sample)
                        .isEmpty();
            }
        }
    }

    @Test
    void everyFileOfTheProjectIsValid() throws IOException {
        try (Stream<Path> files = Files.walk(Pages.ROOT)) {
            List<Path> samples = files.filter(file -> file.toString().endsWith(".yaml"))
                    .filter(file -> file.toString().contains("/src/main/")
                            || file.toString().contains("/src/it/"))
                    .toList();
            for (Path sample : samples) {
                String yaml = Files.readString(sample);
                assertThat(yaml).as("%s", sample).startsWith(FIRST_LINE);
                assertThat(errors(yaml)).as("%s", sample).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "pipelines: { a: { retry: { max-atempts: 3 } } }",
                "pipelines: { a: { retry: { max-attempts: 0 } } }",
                "pipelines: { a: { retry: { max-attempts: many } } }",
                "pipelines: { a: { retry: { backoff: { jitter: ful } } } }",
                "pipelines: { a: { timeout: 250 } }",
                "pipelines: { a: { timeout: 2.5s } }",
                "pipelines: { a: { retries: {} } }",
                "pipelines: { a: { bulkhead: { use: pool, lease: 1s } } }",
                "pipelines: { a: { classifier: { failed: 500 }, retry: } }",
                "pipelines: { a: { retry: { interval: 100 } } }",
                "pipelines: { a: { retry: { interval: 100ms } } }",
                "pipelines: { a: { retry: , classifier: true } }",
                "pipelines: { a: { retry: , classifier: '' } }",
                "pipelines: { a: { fallback: 42 } }",
                "pipelines: { a: { chaos: { error: 0.05 } } }",
                "pipelines: { a: { bulkhead: { use: '5' } } }",
                "shared: { 5th: { bulkhead: } }",
                "shared: { '${A}': { bulkhead: } }",
                "templates: { '${A}': { bulkhead: } }",
                "pipelines: { '${A}': { bulkhead: } }",
                "pipelines: { a: { order: retry, retry: } }",
                "pipeline: { a: { retry: } }",
                "shared: { a: { retry: , timeout: } }",
                "defaults: { order: [retry] }",
                "defaults: { audit: { use: audit-all } }",
                "pipelines: { a: { timeout: , silence: 5 } }",
                "pipelines: { a: { timeout: , silence: '' } }",
                "pipelines: { a: { throttle: { limit: 5, per: 1s, replicas: '1__0' } } }",
                "pipelines: { a: { retry: , histograms: { percentiles: [99] } } }",
                "pipelines: { a: { retry: , histograms: { slo: [100] } } }",
                "pipelines: { a: { retry: , histograms: { histogram: true } } }"
            })
    void whatAnEditorShouldFindIsInvalid(String yaml) {
        assertThat(errors(yaml)).isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "pipelines: { a: { extends: standard, without: [bulkhead] } }",
                "pipelines: { a: { retry: { max-attempts: '${ATTEMPTS:3}', backoff: { initial: '${WAIT}' } } } }",
                "pipelines: { a: { retry: { max-attempts: 10_000, budget: spare } } }",
                "pipelines: { a: { retry: { budget: { max-tokens: 20 } }, timeout: 1s } }",
                "pipelines: { a: { audit: { use: audit }, order: [audit] } }",
                "pipelines: { a: { classifier: { failures: [500, 502-504], ignored: java.io.IOException }, retry: } }",
                "pipelines: { a: { fallback: größe.Shop$Inner#0, retry: { interval: '${I}' } } }",
                "shared: { my-pool.1: { bulkhead: } }",
                "pipelines: { a: { order: '${O:retry,timeout}', retry: , timeout: pt1s } }",
                "pipelines: { a: { order: '${O:retry}', retry: } }",
                "pipelines: { a: { deadline: +PT1M30.5S } }",
                "pipelines: { a: { extends: 404 }, '404': { timeout: } }",
                "pipelines: { a: { extends: true }, 'true': { timeout: } }",
                "defaults: { timeout: 1s }",
                "defaults: { histograms: { slo: [100ms, '${SLO}'] } }",
                "pipelines: { a: { retry: , histograms: } }",
                "pipelines: { a: { retry: , histograms: { percentiles: 0.5 }, without: histograms } }"
            })
    void whatTheReaderAcceptsIsValid(String yaml) {
        assertThat(errors(yaml)).isEmpty();
    }

    /** To YAML 1.2, a number with underscores is a text. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "throttle: { limit: '1_000', per: 1s, replicas: '10_000' }",
                "bulkhead: { replicas: '+1_0' }",
                "retry: { budget: { replicas: '1_0' }, backoff: { multiplier: '1_0.5' } }",
                "circuit-breaker: { failure-rate-threshold: '1_0.5e-1' }"
            })
    void soIsANumberWithUnderscores(String section) {
        assertThat(errors("pipelines: { a: { " + section + " } }")).isEmpty();
    }
}
