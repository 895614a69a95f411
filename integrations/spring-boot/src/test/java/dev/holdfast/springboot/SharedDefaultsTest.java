/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.Holdfast;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.DefaultResourceLoader;

/** Defaults that the services of a company share, as the page of Spring Boot shows them. */
class SharedDefaultsTest {
    private static final Path PAGE = Path.of("../../docs/spring-boot.md");
    private static final String OWN = """
            holdfast:
              defaults: { timeout: 500ms }
              pipelines:
                inventory: { extends: standard }
            """;
    private static final String IMPORT = """
            spring:
              config:
                import: classpath:holdfast-company.properties
            """;

    @TempDir
    Path jar;

    @TempDir
    Path folder;

    @Configuration(proxyBeanMethods = false)
    @ImportAutoConfiguration(HoldfastAutoConfiguration.class)
    static class Service {}

    private static String section() throws IOException {
        String page = Files.readString(PAGE);
        return page.substring(page.indexOf("### Defaults for many services\n"), page.indexOf("### Ahead of time\n"));
    }

    private static String block(String language) throws IOException {
        return Pattern.compile("(?ms)^```" + language + "\\n(.*?)^```$")
                .matcher(section())
                .results()
                .map(block -> block.group(1))
                .findFirst()
                .orElseThrow();
    }

    @BeforeEach
    void company() throws IOException {
        Files.writeString(jar.resolve("holdfast-company.properties"), block("properties"));
    }

    /** What an application with this file has: of the timeout, and of the retry. */
    private String started(String file, String... arguments) throws IOException {
        Files.writeString(folder.resolve("application.yml"), file);
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {jar.toUri().toURL()}, getClass().getClassLoader())) {
            SpringApplication application = new SpringApplication(new DefaultResourceLoader(loader), Service.class);
            application.setWebApplicationType(WebApplicationType.NONE);
            application.setLogStartupInfo(false);
            application.setAdditionalProfiles("prod");
            application.setDefaultProperties(java.util.Map.of(
                    "spring.config.location", folder.toUri().toString(), "spring.main.banner-mode", "off"));
            try (ConfigurableApplicationContext context = application.run(arguments)) {
                return shown(context.getBean(Holdfast.class));
            }
        }
    }

    private static String shown(Holdfast holdfast) {
        List<String> options = List.of("limit", "max-attempts");
        return holdfast.pipeline("inventory").snapshot().policies().stream()
                .filter(policy ->
                        policy.name().startsWith("timeout") || policy.name().equals("retry"))
                .map(policy -> policy.name() + " "
                        + options.stream()
                                .map(policy.settings()::get)
                                .filter(value -> value != null)
                                .toList())
                .toList()
                .toString();
    }

    @Test
    void theServicesOwnValuesWinAndTheOthersAreTheCompanys() throws IOException {
        assertThat(started(block("yaml"))).isEqualTo("[retry [2], timeout [PT0.5S]]");
        assertThat(started(block("yaml").replaceFirst("(?s)  defaults:.*?  pipelines:", "  pipelines:")))
                .isEqualTo("[retry [2], timeout [PT2S]]");
    }

    /** What the page warns of. */
    @Test
    void inTheDocumentOfTheImportTheCompanysWin() throws IOException {
        assertThat(started(IMPORT + OWN)).isEqualTo("[retry [2], timeout [PT2S]]");
        assertThat(started(OWN + "---\n" + IMPORT)).isEqualTo("[retry [2], timeout [PT2S]]");
    }

    @Test
    void profilesVariablesAndArgumentsWinOverBoth() throws IOException {
        Files.writeString(folder.resolve("application-prod.yml"), "holdfast.defaults.timeout.mode: shadow\n");
        assertThat(started(block("yaml"), "--holdfast.defaults.timeout=700ms"))
                .isEqualTo("[retry [2], timeout-shadow [PT0.7S]]");
    }
}
