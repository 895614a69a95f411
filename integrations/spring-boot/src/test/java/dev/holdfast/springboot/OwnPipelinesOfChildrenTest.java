/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.testlogs.Logs;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/** A child context that makes a bean of Holdfast itself, beside that of its parent. */
class OwnPipelinesOfChildrenTest {
    private static final String OF_PARENT = "pipelines: { inventory: { timeout: 1m }, prices: { timeout: 1m } }";
    private static final String OF_CHILD =
            "pipelines: { inventory: { circuit-breaker: { initial-state: forced-open } } }";

    static class Inventory {
        @Protected("inventory")
        public String stock() {
            return "ten";
        }
    }

    /** It gets them by a parameter whose name is that of the parent's bean. */
    record Asking(Holdfast holdfast) {}

    record Pipelines(
            @Qualifier("inventory") Pipeline inventory,
            @Qualifier("prices") Pipeline prices) {}

    @Configuration(proxyBeanMethods = false)
    @Import({Inventory.class, Asking.class})
    static class Shop {}

    private static Holdfast of(String text) {
        return Holdfast.builder().load("code", new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static ApplicationContextRunner runner() {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withUserConfiguration(Shop.class);
    }

    private static ApplicationContextRunner starters() {
        return runner().withPropertyValues(
                        "management.endpoints.web.exposure.include=holdfast",
                        "holdfast.pipelines.inventory.timeout=1m",
                        "holdfast.pipelines.prices.timeout=1m");
    }

    private static ApplicationContextRunner own(String name) {
        return runner().withBean(name, Holdfast.class, () -> of(OF_PARENT));
    }

    private static ApplicationContextRunner child(ApplicationContext parent, String name) {
        return runner().withParent(parent).withBean(name, Holdfast.class, () -> of(OF_CHILD));
    }

    private static void usesItsOwn(ApplicationContext child, String name) {
        Holdfast own = child.getBean(name, Holdfast.class);
        assertThat(child.getBean(Asking.class).holdfast()).isSameAs(own);
        assertThatThrownBy(() -> child.getBean(Inventory.class).stock()).isInstanceOf(CallRejectedException.class);
        ApplicationContext parent = Objects.requireNonNull(child.getParent(), "parent");
        assertThat(parent.getBean(Inventory.class).stock()).isEqualTo("ten");
        assertThat(parent.getBean(Asking.class).holdfast())
                .isSameAs(parent.getBean(Holdfast.class))
                .isNotSameAs(own);
    }

    @ParameterizedTest
    @CsvSource({"parents,mine", "parents,holdfast", "holdfast,mine", "same,same"})
    void theyAreUsedThereWhateverTheNamesOfTheBeans(String ofParent, String ofChild) {
        own(ofParent).run(parent -> child(parent, ofChild).run(child -> usesItsOwn(child, ofChild)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"mine", "holdfast"})
    @Logs("properties below holdfast.pipelines .* mean nothing: the application makes the bean")
    void theyAreUsedThereBesideThoseOfTheParentsProperties(String name) {
        starters()
                .run(parent -> child(parent, name).run(child -> {
                    usesItsOwn(child, name);
                    assertThat(String.valueOf(
                                    child.getBean(HoldfastEndpoint.class).pipeline("inventory")))
                            .contains("forced-open");
                    assertThat(String.valueOf(
                                    parent.getBean(HoldfastEndpoint.class).pipeline("inventory")))
                            .doesNotContain("circuit-breaker");
                }));
    }

    @ParameterizedTest
    @ValueSource(strings = {"mine", "holdfast"})
    @Logs("properties below holdfast.pipelines .* mean nothing: the application makes the bean")
    void aPipelineThatIsABeanIsTheirsAndThatOfTheParentIfTheyHaveNone(String name) {
        starters()
                .run(parent -> child(parent, name).withBean(Pipelines.class).run(child -> {
                    Pipelines pipelines = child.getBean(Pipelines.class);
                    assertThat(pipelines.inventory())
                            .isSameAs(child.getBean(name, Holdfast.class).pipeline("inventory"));
                    assertThat(pipelines.prices())
                            .isSameAs(parent.getBean(Holdfast.class).pipeline("prices"));
                }));
    }

    @ParameterizedTest
    @ValueSource(strings = {"parents", "holdfast"})
    void twoOfThemAreRefusedAsWithoutAParent(String ofParent) {
        own(ofParent)
                .run(parent -> child(parent, "mine")
                        .withBean("other", Holdfast.class, () -> of(OF_CHILD))
                        .run(child -> assertThat(child.getStartupFailure())
                                .hasStackTraceContaining("expected single matching bean but found")));
    }
}
