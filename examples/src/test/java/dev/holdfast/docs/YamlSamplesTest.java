/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.retry.RetryBudget;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.throttling.ThrottlePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;

/** Every YAML sample of every page is a file that can be loaded. */
@Logs({"timeout-outside-retry", "chaos-enabled", "retry-waits-without-deadline"})
class YamlSamplesTest {
    @TempDir
    Path folder;

    @Test
    void everyYamlSampleLoads() throws IOException {
        for (Path page : Pages.all()) {
            for (String sample : Pages.blocks(page, "yaml")) {
                try (Holdfast loaded = load(sample)) {
                    assertThat(loaded.pipelines()).as("pipelines of %s", page).isNotEmpty();
                }
            }
        }
    }

    @Test
    void theStandardPipelineIsAsItsPageSays() throws IOException {
        Path page = Pages.DOCS.resolve("standard.md");
        List<String> samples = Pages.blocks(page, "yaml");
        try (Pipeline standard = Pipeline.standard("inventory");
                Holdfast loaded = load(samples.get(0))) {
            assertThat(Pages.text(page)).contains("`" + standard + "`");
            assertThat(loaded.pipeline("inventory")).hasToString(standard.toString());
        }
    }

    private Holdfast load(String sample) throws IOException {
        return Holdfast.builder()
                .bind("http-status", Classifier.DEFAULT)
                .bind("shared", RetryBudget.of(budget -> {}))
                .bind("audit-all", new Policy("audit", 0) {})
                .bind("of-all", ThrottlePolicy.ofDefaults())
                .bind("processes", IntSupplier.class, () -> 10)
                .bind("last-resort", Function.class, error -> "none")
                .bind("unknown-stock", Function.class, error -> "unknown")
                .load(Files.writeString(folder.resolve("sample.yaml"), ofSpring(sample)));
    }

    static boolean isOfSpring(String sample) {
        return Pattern.compile("(?m)^holdfast:").matcher(sample).find();
    }

    /** What stands below {@code holdfast} in the properties of an application is a file. */
    private static String ofSpring(String sample) {
        if (!isOfSpring(sample)) {
            return sample;
        }
        Map<Object, Object> file = new LinkedHashMap<>();
        for (Object document : new Yaml().loadAll(sample)) {
            if (((Map<?, ?>) document).get("holdfast") instanceof Map<?, ?> ours) {
                file.putAll(ours);
            }
        }
        file.remove("spring");
        return new Yaml().dump(file);
    }
}
