/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.HistogramOptions;
import dev.holdfast.internal.Options;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.valkey.SharedThrottleSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PolicyPagesTest {
    private static final List<String> SECTIONS = List.of("Why", "Use", "Options", "Metrics", "Mistakes to avoid");

    static Stream<Named<PolicyFactory<?>>> factories() {
        return ServiceLoader.load(PolicyFactory.class).stream()
                .map(ServiceLoader.Provider::get)
                .<PolicyFactory<?>>map(factory -> (PolicyFactory<?>) factory)
                .map(factory -> Named.of(factory.key(), factory));
    }

    private static Path page(PolicyFactory<?> factory) {
        return Pages.DOCS.resolve(factory.key() + ".md");
    }

    @ParameterizedTest
    @MethodSource("factories")
    void everyPolicyHasAPageWithTheSameSections(PolicyFactory<?> factory) {
        assertThat(Pages.sections(page(factory))).containsSubsequence(SECTIONS);
    }

    /** Name, default and range of each option, in their order; the meaning begins as the option says. */
    @ParameterizedTest
    @MethodSource("factories")
    <B> void tableSaysOfEachOptionWhatTheCodeSays(PolicyFactory<B> factory) {
        assertTable(page(factory), "Options", new Options<>(factory.key(), factory::builder, factory.options()));
    }

    @Test
    void theTableOfPositionsSaysWhatTheFactoriesSay() {
        List<String> rows = Pages.section(Pages.DOCS.resolve("policy.md"), "In a file")
                .lines()
                .filter(line -> line.startsWith("| `"))
                .toList();
        assertThat(rows)
                .containsExactlyElementsOf(factories()
                        .map(Named::getPayload)
                        .sorted(Comparator.comparingInt(PolicyFactory::position))
                        .map(factory -> "| `" + factory.key() + "` | " + factory.position() + " |")
                        .toList());
    }

    @Test
    void tableOfHistogramsSaysWhatTheCodeSays() {
        List<Option<HistogramOptions, ?>> all = HistogramOptions.options();
        assertTable(
                Pages.DOCS.resolve("metrics.md"),
                "Histograms",
                new Options<>("histograms", HistogramOptions::new, all));
    }

    @Test
    void tableOfTheSharedThrottleSaysWhatTheCodeSays() {
        Path page = Pages.DOCS.resolve("many-machines.md");
        assertThat(Pages.sections(page)).containsSubsequence(SECTIONS);
        assertTable(
                page,
                "Options",
                new Options<>("shared throttle", SharedThrottleSettings::builder, SharedThrottleSettings.options()));
    }

    private static <B> void assertTable(Path page, String section, Options<B> options) {
        List<String> rows = Pages.section(page, section)
                .lines()
                .filter(line -> line.startsWith("| `") && !line.startsWith("| `holdfast."))
                .toList();
        assertThat(rows)
                .as("options in %s", page)
                .zipSatisfy(
                        options.list(),
                        (row, option) -> assertThat(row)
                                .startsWith("| `" + option.name() + "` | " + options.byDefault(option) + " | "
                                        + Options.expected(option) + " | " + option.meaning()));
    }

    @Test
    void theReadmeLinksToEveryPolicy() {
        assertThat(Pages.links(Pages.README))
                .containsAll(factories()
                        .map(factory -> "docs/" + factory.getPayload().key() + ".md")
                        .toList());
    }

    @Test
    void noLinkLeadsNowhere() throws IOException {
        for (Path page : Pages.all()) {
            assertThat(Pages.links(page))
                    .as("links of %s", page)
                    .allSatisfy(link ->
                            assertThat(Files.exists(page.resolveSibling(link))).isTrue());
        }
    }
}
