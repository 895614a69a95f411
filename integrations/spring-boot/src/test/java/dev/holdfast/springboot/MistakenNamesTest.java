/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.core.io.ByteArrayResource;

/** Mistakes in names of properties, and what the start says of them. */
class MistakenNamesTest {
    private final ApplicationContextRunner runner =
            new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class));

    private ApplicationContextRunner yaml(String text) {
        ByteArrayResource file = new ByteArrayResource(text.getBytes(StandardCharsets.UTF_8), "application.yml") {
            @Override
            public String getFilename() {
                return getDescription().replaceAll(".*\\[|]", "");
            }
        };
        return runner.withInitializer(context -> {
            try {
                new YamlPropertySourceLoader()
                        .load("application.yml", file)
                        .forEach(source ->
                                context.getEnvironment().getPropertySources().addLast(source));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private static String told(ApplicationContextRunner runner) {
        String[] told = new String[1];
        runner.run(context -> told[0] = context.getStartupFailure() == null
                ? "nothing"
                : String.valueOf(NestedExceptionUtils.getMostSpecificCause(context.getStartupFailure())
                        .getMessage()));
        return String.valueOf(told[0]);
    }

    private static String names(ApplicationContextRunner runner) {
        String[] names = new String[1];
        runner.run(context -> names[0] = context.getBean(Holdfast.class).pipelines().stream()
                .map(Pipeline::name)
                .toList()
                .toString());
        return String.valueOf(names[0]);
    }

    /** To Spring, all of these are one prefix. */
    @ParameterizedTest
    @ValueSource(strings = {"hold-fast", "hold_fast", "holdFast", "HOLDFAST"})
    void thePrefixIsSpeltAsSpringAllows(String prefix) {
        assertThat(names(yaml(prefix + ":\n  pipelines:\n    shop: { timeout: 1s }\n")))
                .isEqualTo("[shop]");
        assertThat(told(yaml(prefix + ":\n  spring: { http-client: a }\n  pipelines:\n    shop: { timeout: 1s }\n")))
                .endsWith("spring.http-client: unknown option; did you mean http-clients?");
    }

    @Test
    @Logs("the property holdfst.pipelines.shop.timeout does nothing; did you mean holdfast.pipelines.shop.timeout?")
    void aPrefixThatIsMisspeltIsWarnedOf() {
        assertThat(told(yaml("holdfst:\n  pipelines:\n    shop: { timeout: 1s, deadline: 2s }\n")))
                .isEqualTo("nothing");
    }

    /** Those of others are left alone. */
    @Test
    void otherPrefixesAreNot() {
        assertThat(told(yaml("holdfst:\n  url: a.example\nholder:\n  pipelines:\n    shop: { timeout: 1s }\n")))
                .isEqualTo("nothing");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "shop.v2: { timeout: 1s } | shop.v2 | shop.v2",
                "shop.v2: { extends: standard } | shop.v2 | shop.v2",
                "shop: { v2: { retry: { max-attempts: 2 } } } | shop.v2 | shop.v2",
                "eu.1: { timeout: 1s } | eu.1 | eu.1",
                "a.b.c: { timeout: 1s, deadline: 3s } | a.b | a.b.c"
            })
    void aNameWithADotNeedsBrackets(String pipeline, String place, String name) {
        assertThat(told(yaml("holdfast:\n  pipelines:\n    " + pipeline + "\n")))
                .contains(" pipelines." + place
                        + ": unknown section, with sections below it; expected brackets around a name with a dot, \"["
                        + name + "]\", or one of deadline, ");
    }

    @Test
    void soItIsBesideThePipelineInBrackets() {
        assertThat(told(yaml("""
                        holdfast:
                          pipelines:
                            "[shop.v2]": { timeout: 1s }
                            shop.v2: { retry: { max-attempts: 2 } }
                        """)))
                .contains("pipelines.shop.v2: unknown section")
                .contains("\"[shop.v2]\"");
        assertThat(names(yaml("holdfast:\n  pipelines:\n    \"[shop.v2]\": { timeout: 1s }\n")))
                .isEqualTo("[shop.v2]");
    }

    @Test
    void twoSpellingsOfOneKeyInOneSourceAreRefused() {
        assertThat(told(yaml("holdfast:\n  pipelines:\n    shop: { retry: { max-attempts: 2, maxAttempts: 3 } }\n")))
                .matches("application.yml:3 pipelines.shop.retry.max-?attempts: to Spring, maxAttempts and max-attempts"
                        + " are one key; expected one of the two");
        assertThat(told(runner.withInitializer(context -> {
                    for (String key : List.of("max-attempts", "maxAttempts")) {
                        context.getEnvironment()
                                .getPropertySources()
                                .addLast(new MapPropertySource(
                                        key, Map.of("holdfast.pipelines.shop.retry." + key, "2")));
                    }
                })))
                .contains("did you mean max-attempts?");
    }

    /** Spring makes a blank value of it, as of a section without options. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "timeout: [] | timeout",
                "retry: [] | retry",
                "retry: { backoff: [] } | retry.backoff",
                "retry: { max-attempts: [] } | retry.max-attempts"
            })
    void anEmptyListWhereNoListMayBeIsRefused(String section, String place) {
        assertThat(told(yaml("holdfast:\n  pipelines:\n    \"[shop.v2]\": { " + section + " }\n")))
                .startsWith("application.yml:3:")
                .contains("." + place + ": is an empty list; expected '" + place.replaceAll(".*\\.", "")
                        + ":' without the brackets, or options");
    }

    @Test
    void soItIsInJsonAndInCode() {
        assertThat(told(runner.withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addLast(new MapPropertySource("json", Map.of("holdfast.pipelines.shop.timeout", List.of()))))))
                .isEqualTo("json pipelines.shop.timeout: is an empty list; expected \"\"");
    }

    @Test
    void whereAListMayBeItMayBeEmpty() {
        assertThat(names(yaml("""
                        holdfast:
                          spring: { health: { down-if-open: [] } }
                          pipelines:
                            shop: { extends: standard, without: [], silence: [], classifier: { ignored: [] } }
                        """))).isEqualTo("[shop]");
    }

    @ParameterizedTest
    @CsvSource({"on, true", "false, false", "shop, shop"})
    void thePrefixIsNoSwitch(String written, String shown) {
        assertThat(told(yaml("holdfast: " + written + "\n")))
                .isEqualTo("application.yml:1:11 holdfast: is " + shown
                        + "; expected keys below it: defaults, templates, shared, pipelines, spring");
    }

    @Test
    void thePrefixIsNoList() {
        assertThat(told(yaml("holdfast:\n  - pipelines: { shop: { timeout: 1s } }\n")))
                .endsWith(
                        " holdfast: is a list; expected keys below it: defaults, templates, shared, pipelines, spring");
    }

    private ApplicationContextRunner withVariable(String name) {
        return yaml("""
                        holdfast:
                          pipelines:
                            "[eu.1]": { timeout: 1s }
                            "[shop v2]": { timeout: 1s }
                        """)
                .withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new SystemEnvironmentPropertySource("test-systemEnvironment", Map.of(name, "2s"))));
    }

    @ParameterizedTest
    @CsvSource({"HOLDFAST_PIPELINES_EU_1_TIMEOUT, eu.1", "HOLDFAST_PIPELINES_SHOP_V2_RETRY_MAXATTEMPTS, shop v2"})
    void noVariableCanHaveANameWithADotOrABlank(String variable, String pipeline) {
        assertThat(told(withVariable(variable)))
                .startsWith("\"" + variable + "\" from property source \"test-systemEnvironment\"")
                .endsWith(": no variable can have the name " + pipeline + "; " + StrayVariables.IN_PLACE_OF_VARIABLES);
    }

    @Test
    @Logs(
            "the variable HOLDFAST_PIPELINES_EU1_TIMEOUT makes the pipeline 'eu1', which no other source has; if 'eu.1' is"
                    + " meant, no variable can have this name; expected SPRING_APPLICATION_JSON")
    void aNameThatNoVariableCanHaveIsNotTheOneThatIsMeant() {
        assertThat(names(withVariable("HOLDFAST_PIPELINES_EU1_TIMEOUT"))).contains("eu1");
    }
}
