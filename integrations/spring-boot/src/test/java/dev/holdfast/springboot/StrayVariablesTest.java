/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.Holdfast;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/** Variables of the environment that are probably misspelt. */
class StrayVariablesTest {
    private static final Logger LOGGER = Logger.getLogger(Holdfast.class.getName());

    private final List<String> logged = new CopyOnWriteArrayList<>();
    private final ApplicationContextRunner runner =
            new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class));
    private final ApplicationContextRunner shops = runner.withPropertyValues(
            "holdfast.pipelines.shops.timeout=2s",
            "holdfast.pipelines.my-prices.timeout=2s",
            "holdfast.pipelines[eu.v2].timeout=2s");

    @BeforeEach
    void hear() {
        LOGGER.setFilter(entry -> !logged.add(entry.getMessage()));
    }

    @AfterEach
    void hearNoMore() {
        LOGGER.setFilter(null);
    }

    private static ApplicationContextRunner with(ApplicationContextRunner runner, Map<String, Object> variables) {
        return runner.withInitializer(context -> context.getEnvironment()
                .getPropertySources()
                .addFirst(new SystemEnvironmentPropertySource("test-systemEnvironment", variables)));
    }

    @ParameterizedTest
    @CsvSource({
        "HOLDFAST_PIPELINES_SHOP_TIMEOUT, SHOP, did you mean 'shops'?",
        "HOLDFAST_PIPELINES_INVENTORY_TIMEOUT, INVENTORY, 'the others have shops, my-prices, eu.v2'"
    })
    void aPipelineThatVariablesAloneMakeIsWarnedOf(String variable, String name, String meant) {
        with(shops, Map.of(variable, "1s"))
                .run(context -> assertThat(logged)
                        .containsExactly("the variable " + variable + " makes the pipeline '"
                                + name.toLowerCase(Locale.ROOT) + "', which no other source has; " + meant));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HOLDFAST_PIPELINES_SHOPS_TIMEOUT",
                "HOLDFAST_PIPELINES_MYPRICES_TIMEOUT",
                "HOLDFAST_DEFAULTS_TIMEOUT"
            })
    void aVariableOfAPipelineThatAnotherSourceHasIsNot(String variable) {
        with(shops, Map.of(variable, "1s")).run(context -> assertThat(logged).isEmpty());
    }

    @Test
    void pipelinesOfWhichAllAreOfVariablesAreNot() {
        with(runner, Map.of("HOLDFAST_PIPELINES_SHOP_TIMEOUT", "1s", "HOLDFAST_PIPELINES_SHOPS_TIMEOUT", "1s"))
                .run(context -> {
                    assertThat(context.getBean(Holdfast.class).pipelines()).hasSize(2);
                    assertThat(logged).isEmpty();
                });
    }

    /** Also where nothing else asks for Holdfast. */
    @ParameterizedTest
    @CsvSource({
        "HOLDFAST_PIPELINE_SHOPS_TIMEOUT, HOLDFAST_PIPELINES_SHOPS_TIMEOUT",
        "HOLDFAST_DEFAULT_TIMEOUT, HOLDFAST_DEFAULTS_TIMEOUT",
        "HOLDFAST_SPRNG_HTTPCLIENTS, HOLDFAST_SPRING_HTTPCLIENTS",
        "HOLDFAST_TEMPLATE_CAREFUL_TIMEOUT, HOLDFAST_TEMPLATES_CAREFUL_TIMEOUT"
    })
    void aVariableWhoseSectionIsMisspeltIsWarnedOf(String variable, String meant) {
        String warning = "the variable " + variable + " does nothing; did you mean " + meant + "?";
        with(shops, Map.of(variable, "1s")).run(context -> assertThat(logged).containsExactly(warning));
        with(runner, Map.of(variable, "1s")).run(context -> assertThat(logged).containsExactly(warning, warning));
    }

    /** Whoever sets it believes that protection is off. */
    @ParameterizedTest
    @ValueSource(strings = {"HOLDFAST_ENABLED", "HOLDFAST_DISABLED", "holdfast_enabled"})
    void aVariableThatWouldBeASwitchIsWarnedOf(String variable) {
        with(shops, Map.of(variable, "false"))
                .run(context -> assertThat(logged)
                        .singleElement()
                        .asString()
                        .startsWith("the variable " + variable
                                + " does nothing: there is no such switch; expected mode: shadow"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HOLDFAST_SERVICE_HOST",
                "HOLDFAST_PORT_8080_TCP_ADDR",
                "HOLDFAST_DEFAULT_SERVICE_PORT_HTTP",
                "HOLDFAST_VERSION",
                "HOLDFAST_SHARD_ID",
                "HOLDFAST_DEFAULT",
                "HOLDFAST_SERVER_URL",
                "HOLDFASTS_PIPELINE_SHOPS_TIMEOUT"
            })
    void otherVariablesAreNot(String variable) {
        with(shops, Map.of(variable, "1")).run(context -> assertThat(logged).isEmpty());
    }

    @Test
    void aChildContextDoesNotWarnAgain() {
        Map<String, Object> variables = Map.of("HOLDFAST_PIPELINES_SHOP_TIMEOUT", "1s");
        with(shops, variables)
                .run(parent -> with(shops.withParent(parent), variables)
                        .run(context -> assertThat(logged).hasSize(1)));
    }
}
