/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.config.Holdfast;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Spring's files: their forms, names and inheritance. */
class MigrateFormsTest {
    @TempDir
    Path directory;

    private Migrated yaml(String text) throws IOException {
        return Migrated.of(directory, "application.yml", text);
    }

    @Test
    void propertiesAndYamlGiveTheSame() throws IOException {
        try (Migrated properties = Migrated.ofProperties(
                        directory,
                        "retry.instances.my-backend.max-attempts=3",
                        "retry.instances.my-backend.wait-duration=100ms",
                        "retry.instances.my-backend.retry-exceptions=java.io.IOException, java.net.ConnectException",
                        "circuitbreaker.configs.default.sliding-window-size=10",
                        "circuitbreaker.instances.my-backend.base-config=default");
                Migrated yaml = yaml("""
                        resilience4j:
                          retry.instances:
                            my-backend:
                              max-attempts: 3
                              wait-duration: 100ms
                              retry-exceptions:
                                - java.io.IOException
                                - java.net.ConnectException
                          circuitbreaker:
                            configs.default: { sliding-window-size: 10 }
                            instances:
                              my-backend:
                                base-config: default
                        """)) {
            assertThat(yaml.yaml()).isEqualTo(properties.yaml().replace("application.properties", "application.yml"));
        }
    }

    @Test
    void spellingsOfAnNameAreEqual() throws IOException {
        for (String spelling : new String[] {
            "resilience4j.circuitbreaker.instances.a.sliding-window-size",
            "resilience4j.circuitBreaker.instances.a.slidingWindowSize",
            "resilience4j.circuit-breaker.instances.a.sliding_window_size",
            "RESILIENCE4J.CIRCUITBREAKER.INSTANCES.a.SLIDING_WINDOW_SIZE",
            "resilience4j.circuit_breaker.backends.a.slidingwindowsize"
        }) {
            try (Migrated made = Migrated.of(directory, "application.properties", spelling + " = 11")) {
                assertThat(made.breaker("a").slidingWindowSize()).as(spelling).isEqualTo(11);
            }
        }
    }

    @Test
    void listInTwoSpellingsIsOneList() throws IOException {
        String of = "circuitbreaker.instances.a.";
        try (Migrated made = Migrated.ofProperties(
                directory,
                of + "record-exceptions[0]=java.io.IOException",
                of + "RECORD_EXCEPTIONS[1]=java.sql.SQLException",
                of + "recordExceptions[2]=java.net.SocketException")) {
            assertThat(made.text())
                    .contains(
                            "record-exceptions = java.io.IOException, java.sql.SQLException, java.net.SocketException")
                    .doesNotContain("another part or file has");
        }
    }

    @Test
    void spellingsOfAnInstanceHaveAllSettingsOfIt() throws IOException {
        Path first = Files.writeString(directory.resolve("application.properties"), """
                resilience4j.retry.instances.inventoryService.max-attempts=6
                resilience4j.retry.instances.inventoryService.wait-duration=100ms
                """);
        Path second = Files.writeString(directory.resolve("application-prod.yml"), """
                resilience4j.retry:
                  instances:
                    inventory-service: { max-attempts: 2 }
                    Shop: { max-attempts: 8, wait-duration: 9ms }
                    shop: { max-attempts: 9 }
                    "[SHOP]": { max-attempts: 7 }
                """);
        try (Migrated made = Migrated.of(first, second)) {
            assertThat(made.names()).containsExactly("inventoryService", "inventory-service", "Shop", "shop", "SHOP");
            assertThat(made.retry("inventoryService"))
                    .isEqualTo(made.retry("inventory-service"))
                    .contains("maxAttempts=2", "initialBackoff=100ms");
            assertThat(made.retry("Shop"))
                    .isEqualTo(made.retry("shop"))
                    .contains("maxAttempts=9", "initialBackoff=9ms");
            assertThat(made.retry("SHOP")).contains("maxAttempts=7");
            assertThat(made.text())
                    .contains("note: for Spring, inventory-service is the same name, and has the same settings."
                            + " Delete the pipelines that your code does not ask for")
                    .contains("note: for Spring, Shop is the same name", "note: for Spring, shop is the same name")
                    .doesNotContain("note: for Spring, SHOP", "note: for Spring, Shop, ");
        }
    }

    @Test
    void ofTwoSpellingsInAFileSpringsOwnHolds() throws IOException {
        String of = "retry.instances.a.";
        try (Migrated first = Migrated.ofProperties(directory, of + "max-attempts=11", of + "maxAttempts=12");
                Migrated last = Migrated.ofProperties(
                        directory, of + "MAX_ATTEMPTS=12", of + "maxattempts=12", of + "max-attempts=11")) {
            assertThat(first.retry("a")).contains("maxAttempts=11");
            assertThat(first.text())
                    .contains("left out: resilience4j.retry.instances.a.maxAttempts = 12; here"
                            + " resilience4j.retry.instances.a.max-attempts = 11 holds")
                    .doesNotContain("another part");
            assertThat(last.retry("a")).contains("maxAttempts=11");
        }
    }

    @Test
    void instanceThatIsAValueIsNamed() throws IOException {
        try (Migrated made =
                Migrated.of(directory, "a.yml", "resilience4j: { retry: { instances: { a: 5, b: , c: {} } } }")) {
            assertThat(made.names()).containsExactly("a", "b", "c");
            assertThat(made.text())
                    .containsOnlyOnce("it is no setting")
                    .contains("left out: resilience4j.retry.instances.a = 5; it is no setting");
        }
    }

    @Test
    void namesOfInstancesStayAsTheyAre() throws IOException {
        try (Migrated made = yaml("""
                resilience4j.timelimiter.instances:
                  "[catalog.v2]": { timeout-duration: 1s }
                  myService:
                  123: { timeoutDuration: 2s }
                  "say \\"hi\\" # now": {}
                """)) {
            assertThat(made.names()).containsExactly("catalog.v2", "myService", "123", "say \"hi\" # now");
        }
    }

    @Test
    void namesThatNoFileCanHaveBecomeOthers() throws IOException {
        try (Migrated made = yaml("""
                resilience4j.retry.instances:
                  inventory: { max-attempts: 4 }
                  inventory-eu: { max-attempts: 5 }
                  "[inventory/eu]": { max-attempts: 6 }
                  "[inventory/eu/x]": { max-attempts: 7 }
                  "[inventory/eu-x]": { max-attempts: 7 }
                  "[orders/eu]": { max-attempts: 8 }
                  "[a${X}]": { max-attempts: 9 }
                """)) {
            assertThat(made.names())
                    .containsExactly(
                            "inventory",
                            "inventory-eu",
                            "inventory-eu-",
                            "inventory-eu-x",
                            "inventory-eu-x-",
                            "orders/eu",
                            "a-X}");
            assertThat(made.retry("inventory-eu-")).contains("maxAttempts=6");
            assertThat(made.text())
                    .contains("note: no pipeline here can have the name inventory/eu: ", "name a${X}: ")
                    .doesNotContain("name orders/eu");
        }
    }

    @Test
    void unknownSettingsAreNamed() throws IOException {
        try (Migrated made = Migrated.ofProperties(
                directory,
                "retry.instances.a.max-atempts=3",
                "retry.nonsense=1",
                "nonsense.a.b=2",
                "retry.tags.team=stock",
                "circuitbreaker.metrics.enabled=false",
                "thread.type=virtual",
                "micrometer.timer.instances.a.metric-names=x",
                "endpoints.circuitbreaker.enabled=true")) {
            assertThat(made.text())
                    .contains(
                            "unknown: max-atempts = 3;",
                            "unknown: nonsense = 1;",
                            "unknown: resilience4j.nonsense.a.b = 2;")
                    .contains("without meaning: tags.team = stock;", "without meaning: metrics.enabled = false;")
                    .contains("without meaning: resilience4j.thread.type = virtual;")
                    .contains("without meaning: resilience4j.micrometer.timer.instances.a.metric-names = x;")
                    .contains("without meaning: resilience4j.endpoints.circuitbreaker.enabled = true;");
        }
    }

    @Test
    void settingsOfTheApplicationThatSpeakOfResilience4jAreNamed() throws IOException {
        try (Migrated made = yaml("""
                management:
                  health: { circuitbreakers.enabled: true, ratelimiters.enabled: true, redis.enabled: true }
                  metrics.distribution.percentiles-histogram.resilience4j.circuitbreaker.calls: true
                logging.level.io.github.resilience4j: DEBUG
                server.port: 80
                resilience4j.timelimiter.instances.a.timeout-duration: 1s
                """)) {
            assertThat(made.text())
                    .contains("without meaning: management.health.circuitbreakers.enabled = true; there is no health"
                            + " indicator by default; with Spring Boot see Health")
                    .contains("without meaning: management.health.ratelimiters.enabled = true;")
                    .contains("without meaning: management.metrics.distribution.percentiles-histogram"
                            + ".resilience4j.circuitbreaker.calls = true; meters and events are those of Holdfast")
                    .contains("in code: logging.level.io.github.resilience4j = DEBUG; it speaks of resilience4j")
                    .doesNotContain("redis", "server.port");
        }
    }

    @Test
    void summaryCountsTheNotesAndABaseConfigIsNone() throws IOException {
        try (Migrated made = Migrated.ofProperties(
                directory,
                "retry.configs.default.max-attempts=3",
                "timelimiter.instances.a.timeout-duration=1s",
                "timelimiter.instances.b.timeout-duration=1s",
                "bulkhead.configs.c.max-concurrent-calls=3",
                "bulkhead.instances.b.base-config=c")) {
            assertThat(made.text()).contains("kept: base-config = c\n");
            assertThat(made.summary()).contains(" 2 notes, ");
        }
    }

    @Test
    void namesOfResilience4j1AreKnown() throws IOException {
        try (Migrated made = Migrated.ofProperties(
                directory,
                "retry.backends.a.maxRetryAttempts=7",
                "circuitbreaker.backends.a.ringBufferSizeInClosedState=9",
                "circuitbreaker.backends.a.ringBufferSizeInHalfOpenState=2",
                "circuitbreaker.backends.a.waitInterval=1000",
                "ratelimiter.limiters.a.limitRefreshPeriod=1s",
                "bulkhead.backends.a.maxConcurrentCall=4",
                "bulkhead.backends.a.maxWaitTime=10")) {
            assertThat(made.retry("a")).contains("7");
            assertThat(made.breaker("a").slidingWindowSize()).isEqualTo(9);
            assertThat(made.breaker("a").permittedNumberOfCallsInHalfOpenState())
                    .isEqualTo(2);
            assertThat(made.breaker("a").waitDurationInOpenState()).isEqualTo(Duration.ofSeconds(1));
            assertThat(made.throttle("a").limit()).isEqualTo(50);
            assertThat(made.bulkhead("a").maxConcurrentCalls()).isEqualTo(4);
            assertThat(made.bulkhead("a").maxWait()).isEqualTo(Duration.ofMillis(10));
            assertThat(made.text())
                    .contains("kept: maxRetryAttempts = 7; resilience4j 2 does not know this name, and ignores it");
        }
    }

    @Test
    void oldNameOfAnInstanceHoldsAlsoIfAConfigHasTheNewOne() throws IOException {
        try (Migrated made = Migrated.ofProperties(
                directory,
                "retry.configs.default.maxAttempts=3",
                "retry.instances.a.maxRetryAttempts=4",
                "bulkhead.configs.default.maxConcurrentCalls=50",
                "bulkhead.instances.a.maxConcurrentCall=7",
                "timelimiter.configs.default.timeoutDuration=2s",
                "timelimiter.instances.b.timeout=5s",
                "thread-pool-bulkhead.instances.b.queueCapacity=1")) {
            assertThat(made.retry("a")).contains("maxAttempts=4");
            assertThat(made.bulkhead("a").maxConcurrentCalls()).isEqualTo(7);
            assertThat(made.timeout("b")).isEqualTo(Duration.ofSeconds(5));
            assertThat(made.bulkhead("b").maxWait()).isEqualTo(Duration.ofSeconds(5));
            assertThat(made.text())
                    .contains("kept: maxRetryAttempts = 4; resilience4j 2 does not know this name, and ignores it")
                    .contains("left out: maxAttempts = 3 (of configs.default); here maxRetryAttempts holds")
                    .doesNotContain("unknown:");
        }
    }

    @Test
    void oldNameBesideTheNewOneIsLeftOut() throws IOException {
        try (Migrated made = Migrated.ofProperties(
                directory,
                "retry.configs.default.maxRetryAttempts=5",
                "retry.instances.both.maxRetryAttempts=4",
                "retry.instances.both.maxAttempts=2",
                "retry.instances.newer.maxAttempts=6")) {
            assertThat(made.retry("both")).contains("maxAttempts=2");
            assertThat(made.retry("newer")).contains("maxAttempts=6");
            assertThat(made.text())
                    .contains("left out: maxRetryAttempts = 4; here maxAttempts holds")
                    .contains("left out: maxRetryAttempts = 5 (of configs.default); here maxAttempts holds")
                    .doesNotContain("unknown:");
        }
    }

    @Test
    void instancesInheritFromTheirConfigs() throws IOException {
        try (Migrated made = Migrated.ofProperties(
                directory,
                "bulkhead.configs.default.max-wait-duration=7ms",
                "bulkhead.configs.shared.max-concurrent-calls=20",
                "bulkhead.configs.special.base-config=shared",
                "bulkhead.configs.special.max-wait-duration=9ms",
                "bulkhead.instances.plain.max-concurrent-calls=1",
                "bulkhead.instances.sharing.base-config=shared",
                "bulkhead.instances.chained.base-config=special",
                "bulkhead.configs.nobody.max-concurrent-calls=3",
                "timelimiter.configs.default.timeout-duration=5s")) {
            assertThat(made.bulkhead("plain").maxWait()).isEqualTo(Duration.ofMillis(7));
            assertThat(made.bulkhead("sharing").maxConcurrentCalls()).isEqualTo(20);
            assertThat(made.bulkhead("sharing").maxWait()).isEqualTo(Duration.ofMillis(7));
            assertThat(made.bulkhead("chained").maxConcurrentCalls()).isEqualTo(20);
            assertThat(made.bulkhead("chained").maxWait()).isEqualTo(Duration.ofMillis(9));
            assertThat(made.text())
                    .contains("kept: max-wait-duration = 7ms (of configs.default)")
                    .contains("left out: resilience4j.bulkhead.configs.nobody: no instance here has it\n")
                    .contains(
                            "configs.default: no instance here has it. resilience4j takes it for each @TimeLimiter in your"
                                    + " code whose name is not among the instances");
        }
    }

    @Test
    void settingsOfAConfigThatNoInstanceTakesAreNamed() throws IOException {
        try (Migrated made = Migrated.ofProperties(
                directory,
                "retry.configs.default.max-attempts=7",
                "retry.configs.default.wait-duration=111ms",
                "retry.configs.mid.max-attempts=5",
                "retry.instances.a.max-attempts=2",
                "retry.instances.a.wait-duration=50ms",
                "retry.instances.b.base-config=mid",
                "retry.instances.b.max-attempts=3")) {
            assertThat(made.text())
                    .contains("left out: resilience4j.retry: max-attempts = 7 (of configs.default); each instance here"
                            + " has its own. resilience4j takes it for each @Retry in your code whose name is not among"
                            + " the instances\n")
                    .contains("left out: resilience4j.retry: max-attempts = 5 (of configs.mid); each instance here has"
                            + " its own\n")
                    .contains("# kept: wait-duration = 111ms (of configs.default)");
        }
    }

    @Test
    void breakerInheritsAsInResilience4j() throws IOException {
        try (Migrated made = Migrated.ofProperties(
                directory,
                "circuitbreaker.configs.default.failure-rate-threshold=70",
                "circuitbreaker.configs.shared.sliding-window-size=10",
                "circuitbreaker.configs.same.sliding-window-size=11",
                "circuitbreaker.instances.sharing.base-config=shared",
                "circuitbreaker.instances.same.minimum-number-of-calls=3",
                "circuitbreaker.instances.plain.minimum-number-of-calls=4")) {
            assertThat(made.breaker("sharing").failureRateThreshold()).isEqualTo(90);
            assertThat(made.breaker("sharing").slidingWindowSize()).isEqualTo(10);
            assertThat(made.breaker("same").slidingWindowSize()).isEqualTo(11);
            assertThat(made.breaker("same").failureRateThreshold()).isEqualTo(90);
            assertThat(made.breaker("plain").failureRateThreshold()).isEqualTo(70);
        }
    }

    @Test
    void configOfABreakersOwnNameInheritsNothing() throws IOException {
        String of = "circuitbreaker.";
        try (Migrated made = Migrated.ofProperties(
                directory,
                of + "configs.default.failure-rate-threshold=70",
                of + "configs.base.base-config=default",
                of + "configs.base.sliding-window-size=11",
                of + "instances.base.minimum-number-of-calls=3",
                of + "instances.named.base-config=base")) {
            assertThat(made.breaker("base").slidingWindowSize()).isEqualTo(11);
            assertThat(made.breaker("base").failureRateThreshold()).isEqualTo(90);
            assertThat(made.breaker("named").failureRateThreshold()).isEqualTo(70);
            assertThat(made.text())
                    .containsOnlyOnce(
                            "left out: base-config = default (of configs.base); resilience4j ignores it, since"
                                    + " the config has the name of the instance");
        }
    }

    @Test
    void configThatIsNotThereIsNamed() throws IOException {
        try (Migrated made = Migrated.ofProperties(directory, "retry.instances.a.base-config=elsewhere")) {
            assertThat(made.text())
                    .contains("left out: resilience4j.retry: base-config elsewhere of a; there is no such config")
                    .doesNotContain("kept: base-config");
        }
    }

    @Test
    void configsAloneBecomePipelines() throws IOException {
        try (Migrated made = Migrated.ofProperties(
                directory,
                "retry.configs.default.max-attempts=2",
                "retry.configs.patient.max-attempts=5",
                "timelimiter.configs.default.timeout-duration=4s")) {
            assertThat(made.names()).containsExactly("default", "patient");
            assertThat(made.timeout("default")).isEqualTo(Duration.ofSeconds(4));
            assertThat(made.text()).contains("there are configs and no instances");
        }
    }

    @Test
    void partsOfAFileAreTakenTogetherAndThoseOfProfilesSaidSo() throws IOException {
        try (Migrated made = yaml("""
                spring.application.name: shop
                resilience4j.bulkhead.instances.a: { max-concurrent-calls: 3 }
                ---
                spring.config.activate.on-profile: prod
                resilience4j.bulkhead.instances.a: { max-concurrent-calls: 30, max-wait-duration: 5ms }
                ---
                spring:
                  config.activate.on-profile: docker
                server.port: 8080
                ---
                resilience4j.retry.instances.a.max-attempts: 2
                """)) {
            assertThat(made.pipeline("a")).hasToString("a: retry > bulkhead > call");
            assertThat(made.bulkhead("a").maxConcurrentCalls()).isEqualTo(3);
            assertThat(made.bulkhead("a").maxWait()).isEqualTo(Duration.ofMillis(5));
            assertThat(made.text())
                    .contains("the part for profile prod has settings of resilience4j")
                    .contains(
                            "left out: max-concurrent-calls = 30 (of profile prod); here max-concurrent-calls = 3 holds")
                    .contains(
                            "max-wait: 5ms # added: max-wait-duration = 5ms (of profile prod); no part without a condition has it")
                    .doesNotContain("docker");
        }
    }

    @Test
    void partForACloudPlatformIsTakenOnlyWhereNoOtherPartHasItsSettings() throws IOException {
        try (Migrated made = yaml("""
                resilience4j.bulkhead.instances.a: { max-concurrent-calls: 3 }
                ---
                spring.config.activate: { on-cloud-platform: kubernetes, on-profile: prod }
                resilience4j.bulkhead.instances.a.max-concurrent-calls: 44
                ---
                spring.config.activate.on-cloud-platform: kubernetes
                resilience4j.bulkhead.instances.a: { max-concurrent-calls: 55, max-wait-duration: 5ms }
                """)) {
            assertThat(made.bulkhead("a").maxConcurrentCalls()).isEqualTo(3);
            assertThat(made.bulkhead("a").maxWait()).isEqualTo(Duration.ofMillis(5));
            assertThat(made.text())
                    .contains("the part for cloud platform kubernetes has settings of resilience4j")
                    .contains("the part for cloud platform kubernetes and profile prod has settings of resilience4j")
                    .contains("max-concurrent-calls = 55 (of cloud platform kubernetes); here max-concurrent-calls = 3")
                    .contains("max-concurrent-calls = 44 (of cloud platform kubernetes and profile prod); here");
        }
    }

    @Test
    void partsOfPropertiesAreSeparatedAsInSpring() throws IOException {
        try (Migrated made = Migrated.of(directory, "application.properties", """
                resilience4j.retry.instances.a.max-attempts=2
                #---
                spring.config.activate.on-profile=test
                resilience4j.retry.instances.a.max-attempts=9
                """)) {
            assertThat(made.text())
                    .contains(
                            "max-attempts: 2 # kept\n",
                            "left out: max-attempts = 9 (of profile test); here max-attempts = 2 holds");
        }
    }

    @Test
    void laterFilesWin() throws IOException {
        Path first = Files.writeString(
                directory.resolve("application.yml"), "resilience4j.retry.instances.a: { maxAttempts: 2 }");
        Path second = Files.writeString(
                directory.resolve("application-prod.properties"), "resilience4j.retry.instances.a.max-attempts=4");
        try (Migrated made = Migrated.of(first, second)) {
            assertThat(made.text())
                    .contains(
                            "max-attempts: 4 # kept (of application-prod.properties)",
                            "maxAttempts = 2 (of application.yml); another part or file has 4 (of"
                                    + " application-prod.properties)");
        }
    }

    @Test
    void laterFileWinsAlsoWithAnOldNameOfTheInstances() throws IOException {
        Path first = Files.writeString(directory.resolve("a.yml"), "resilience4j.retry.backends.a: { maxAttempts: 2 }");
        Path second = Files.writeString(directory.resolve("b.yml"), "resilience4j.retry.backends.a.max-attempts: 4");
        try (Migrated made = Migrated.of(first, second)) {
            assertThat(made.retry("a")).contains("maxAttempts=4");
            assertThat(made.text()).contains("maxAttempts = 2 (of a.yml); another part or file has 4 (of b.yml)");
        }
    }

    /** In whichever file they are. resilience4j binds them one after the other into one map. */
    @Test
    void instanceReplacesABackendOfItsNameAndALimiterAnInstance() throws IOException {
        Path first =
                Files.writeString(directory.resolve("a.yml"), "resilience4j.retry.instances.a: { wait-duration: 2s }");
        Path second = Files.writeString(directory.resolve("b.properties"), """
                resilience4j.retry.backends.a.max-attempts=5
                resilience4j.retry.backends.b.max-attempts=6
                resilience4j.ratelimiter.limiters.a.limit-for-period=50
                resilience4j.ratelimiter.instances.a.limit-for-period=60
                resilience4j.ratelimiter.instances.a.timeout-duration=2s
                resilience4j.bulkhead.backends.a.max-concurrent-calls=7
                #---
                spring.config.activate.on-profile=p
                resilience4j.bulkhead.instances.a.max-concurrent-calls=8
                """);
        try (Migrated made = Migrated.of(first, second)) {
            assertThat(made.retry("a")).contains("maxAttempts=3", "initialBackoff=2s");
            assertThat(made.retry("b")).contains("maxAttempts=6");
            assertThat(made.throttle("a").maxWait()).isEqualTo(Duration.ofSeconds(5));
            assertThat(made.bulkhead("a").maxConcurrentCalls()).isEqualTo(7);
            assertThat(made.text())
                    .contains("left out: max-attempts = 5 (of b.properties) of resilience4j.retry.backends.a;"
                            + " only resilience4j.retry.instances.a holds\n")
                    .contains(
                            "left out: timeout-duration = 2s (of b.properties) of resilience4j.ratelimiter.instances.a;"
                                    + " only resilience4j.ratelimiter.limiters.a holds\n")
                    .contains("left out: max-concurrent-calls = 8 (of profile p, b.properties) of"
                            + " resilience4j.bulkhead.instances.a");
        }
    }

    @Test
    void whatALaterFileReplacesInAConfigIsNamed() throws IOException {
        Path first = Files.writeString(directory.resolve("application.yml"), """
                shop.wait: 5s
                resilience4j:
                  circuitbreaker:
                    configs.default: { failure-rate-threshold: 60, wait-duration-in-open-state: "${shop.wait}" }
                    instances: { inventory: {}, orders: { failure-rate-threshold: 70 } }
                """);
        Path second = Files.writeString(directory.resolve("application-loadtest.yml"), """
                shop.wait: 1s
                resilience4j.circuitbreaker.instances.inventory: { failure-rate-threshold: 1, initial-state: DISABLED }
                """);
        try (Migrated made = Migrated.of(first, second)) {
            assertThat(made.breaker("inventory").failureRateThreshold()).isEqualTo(1);
            assertThat(made.text())
                    .contains("failure-rate-threshold: 1 # kept (of application-loadtest.yml)")
                    .contains("initial-state = DISABLED (of application-loadtest.yml)")
                    .contains("left out: failure-rate-threshold = 60 (of configs.default, application.yml); here"
                            + " failure-rate-threshold = 1 (of application-loadtest.yml) holds")
                    .contains(
                            "= ${shop.wait}, which is 1s (of configs.default, application.yml); not taken: shop.wait ="
                                    + " 5s (of application.yml); the value replaces")
                    .containsOnlyOnce("left out:"); // An instance may override a config of its own file.
        }
    }

    @Test
    void valuesOfAProfileDoNotReplaceWhatHoldsWithoutIt() throws IOException {
        try (Migrated made = yaml("""
                resilience4j:
                  circuitbreaker:
                    configs:
                      default: { failure-rate-threshold: 60, sliding-window-size: 20 }
                    instances:
                      inventory: { base-config: default }
                  timelimiter:
                    configs.default.timeout-duration: 5s
                    instances.inventory.base-config: default
                ---
                spring.config.activate.on-profile: loadtest
                resilience4j:
                  circuitbreaker.instances.inventory: { failure-rate-threshold: 1, initial-state: DISABLED }
                  timelimiter.instances.inventory.timeout-duration: 60s
                """)) {
            assertThat(made.breaker("inventory").failureRateThreshold()).isEqualTo(60);
            assertThat(made.timeout("inventory")).isEqualTo(Duration.ofSeconds(5));
            assertThat(made.text())
                    .contains("left out: failure-rate-threshold = 1 (of profile loadtest); here"
                            + " failure-rate-threshold = 60 (of configs.default) holds")
                    .contains("left out: timeout-duration = 60s (of profile loadtest); here timeout-duration = 5s (of"
                            + " configs.default) holds")
                    .contains(
                            "added: initial-state = DISABLED (of profile loadtest); no part without a condition has it");
        }
    }

    @Test
    void configsOfAProfileDoNotReplaceThoseThatHoldWithoutIt() throws IOException {
        try (Migrated made = yaml("""
                resilience4j:
                  circuitbreaker:
                    configs:
                      default: { failure-rate-threshold: 60 }
                      strict: { failure-rate-threshold: 20 }
                    instances: { named: {}, same: {} }
                  retry:
                    configs.default: { wait-duration: 100ms }
                    instances: { named: { max-attempts: 3 } }
                ---
                spring.config.activate.on-profile: test
                resilience4j:
                  circuitbreaker:
                    configs:
                      same: { failure-rate-threshold: 10 }
                      default: { failure-rate-threshold: 30 }
                    instances:
                      named: { base-config: strict }
                      only: { base-config: strict }
                      other: { failure-rate-threshold: 40 }
                  retry.instances.named: { enable-exponential-backoff: true, maxRetryAttempts: 9 }
                  retry.retry-aspect-order: 2147483646
                  timelimiter.configs.default.timeout-duration: 60s
                """)) {
            assertThat(made.breaker("named").failureRateThreshold()).isEqualTo(60);
            assertThat(made.breaker("same").failureRateThreshold()).isEqualTo(60);
            assertThat(made.breaker("only").failureRateThreshold()).isEqualTo(20);
            assertThat(made.breaker("other").failureRateThreshold()).isEqualTo(40);
            assertThat(made.retry("named")).contains("maxAttempts=3");
            assertThat(made.text())
                    .contains("left out: base-config = strict (of profile test); other parts say what is inherited")
                    .contains("left out: failure-rate-threshold = 30 (of configs.default, profile test); here")
                    .contains("left out: resilience4j.circuitbreaker.configs.same: no instance here has it")
                    .contains("added: base-config = strict (of profile test)")
                    .contains("note: only parts with a condition have this instance, such as the one for profile test")
                    .contains("left out: maxRetryAttempts = 9 (of profile test); here max-attempts holds")
                    .contains(
                            "left out: enable-exponential-backoff = true (of profile test); resilience4j heeds it only"
                                    + " beside the wait itself")
                    .contains("multiplier: 1 # added")
                    .contains("added: retry-aspect-order = 2147483646 (of profile test)")
                    .contains("added: the aspect orders (of profile test). The least number")
                    .doesNotContain("#timeout: 60s");
        }
    }

    @Test
    void anAspectOrderThatIsNoNumberIsLeftOut() throws IOException {
        try (Migrated made = Migrated.of(directory, "application.yml", """
                resilience4j.retry:
                  retryAspectOrder: ${O}
                  instances.a.max-attempts: 3
                """)) {
            assertThat(made.text())
                    .contains("left out: retryAspectOrder = ${O}; it is no number, and the usual order is taken");
        }
    }

    @Test
    void placeholdersGetNoValueOfAProfile() throws IOException {
        Path file = Files.writeString(directory.resolve("application.yml"), """
                shop.size: 30
                resilience4j:
                  circuitbreaker.instances.a:
                    wait-duration-in-open-state: ${shop.wait:5s}
                    sliding-window-size: ${shop.size}
                    failure-rate-threshold: ${shop.rate}
                ---
                spring.config.activate.on-profile: dev
                shop: { wait: 1s, size: 10, rate: 20, slow: 3s }
                resilience4j.circuitbreaker.instances.a.slow-call-duration-threshold: ${shop.slow:1s}
                """);
        try (Migrated made = Migrated.of(name -> name.equals("shop.rate") ? "70" : null, file)) {
            assertThat(made.breaker("a").waitDurationInOpenState()).isEqualTo(Duration.ofSeconds(5));
            assertThat(made.breaker("a").slidingWindowSize()).isEqualTo(30);
            assertThat(made.breaker("a").failureRateThreshold()).isEqualTo(70);
            assertThat(made.breaker("a").slowCallDurationThreshold()).isEqualTo(Duration.ofSeconds(3));
            assertThat(made.text())
                    .contains("= ${shop.wait:5s}, which is 5s; not taken: shop.wait = 1s (of profile dev); the value")
                    .contains("= ${shop.size}, which is 30; not taken: shop.size = 10 (of profile dev); the value")
                    .contains("failure-rate-threshold = ${shop.rate}; not taken: shop.rate = 20 (of profile dev);"
                            + " shop.rate must be set");
        }
    }

    @Test
    void placeholdersHaveTheirValueOrTheirDefault() throws IOException {
        Path file = Files.writeString(directory.resolve("application.yml"), """
                limits: { calls: 12 }
                resilience4j:
                  bulkhead.instances.a:
                    max-concurrent-calls: ${limits.calls}
                    max-wait-duration: ${A_WAIT:${ANOTHER:30}ms}
                  retry.instances.a.max-attempts: ${ATTEMPTS}
                """);
        try (Migrated made = Migrated.of(name -> name.equals("ATTEMPTS") ? "7" : null, file)) {
            assertThat(made.bulkhead("a").maxConcurrentCalls()).isEqualTo(12);
            assertThat(made.bulkhead("a").maxWait()).isEqualTo(Duration.ofMillis(30));
            assertThat(made.text()).contains("max-attempts: ${ATTEMPTS} # kept; ATTEMPTS must be set\n");
            assertThat(made.retry("a")).contains("maxAttempts=7");
        }
    }

    @Test
    void placeholderWithNeitherValueNorDefaultStays() throws IOException {
        Path file = Files.writeString(directory.resolve("application.yml"), """
                resilience4j:
                  retry.instances:
                    a: { waitDuration: "${R_WAIT}", enableExponentialBackoff: true }
                    most: { waitDuration: 300ms, enableExponentialBackoff: true, exponentialBackoffMultiplier: 2, exponentialMaxWaitDuration: "${R_MOST}" }
                  circuitbreaker.instances:
                    a:
                      failureRateThreshold: ${RATE}
                      slidingWindowSize: ${WIN}
                      waitDurationInOpenState: ${CB_WAIT}
                      initialState: ${STATE}
                    min: { slidingWindowSize: "${WIN}", minimumNumberOfCalls: 150, failureRateThreshold: 60, waitDurationInOpenState: 1s }
                  thread-pool-bulkhead.instances.a: { maxThreadPoolSize: "${POOL}", queueCapacity: 3 }
                  timelimiter.instances.a.timeoutDuration: ${LIMIT}
                  bulkhead.instances.b: { maxConcurrentCalls: "${POOL}", maxWaitDuration: "${LIMIT}" }
                  ratelimiter.instances.b: { limitForPeriod: "${CALLS}", limitRefreshPeriod: "${PER}", timeoutDuration: "${LIMIT}" }
                """);
        Map<String, String> variables = Map.of(
                "R_WAIT", "200ms", "R_MOST", "4s", "RATE", "70", "WIN", "200", "CB_WAIT", "7s", "POOL", "6", "LIMIT",
                "900ms", "CALLS", "8", "PER", "2s");
        try (Migrated made = Migrated.of(variables::get, file)) {
            assertThat(made.breaker("a").failureRateThreshold()).isEqualTo(70);
            assertThat(made.breaker("a").waitDurationInOpenState()).isEqualTo(Duration.ofSeconds(7));
            assertThat(made.breaker("a").minimumNumberOfCalls()).isEqualTo(200);
            assertThat(made.breaker("min").minimumNumberOfCalls()).isEqualTo(150);
            assertThat(made.bulkhead("a").maxConcurrentCalls()).isEqualTo(6);
            assertThat(made.bulkhead("a").maxWait()).isEqualTo(Duration.ofMillis(900));
            assertThat(made.bulkhead("b").maxWait()).isEqualTo(Duration.ofMillis(900));
            assertThat(made.timeout("a")).isEqualTo(Duration.ofMillis(900));
            assertThat(made.throttle("b").limit()).isEqualTo(8);
            assertThat(made.text())
                    .contains("failure-rate-threshold: ${RATE} # kept; RATE must be set\n")
                    .contains("kept: waitDuration = ${R_WAIT}; R_WAIT must be set; a time in the variable needs a unit")
                    .contains("resilience4j's wait has no limit; it depends on R_WAIT")
                    .contains(
                            "R_MOST must be set; a time in the variable needs a unit; it must be at least backoff.initial")
                    .contains("if WIN is above 100, write 100")
                    .contains("kept; it must be at most sliding-window-size")
                    .contains("left out: initialState = ${STATE}; the value is not understood")
                    .doesNotContain("not written: max-thread-pool-size", "resilience4j's default;")
                    .doesNotContain("failure-rate-threshold (there", "wait-duration-in-open-state (there");
        }
    }

    @Test
    void variablesOfTheEnvironmentStayPlaceholders() throws IOException {
        try (Migrated made = yaml("""
                size: 12
                resilience4j:
                  circuitbreaker.instances.a:
                    wait-duration-in-open-state: ${CB_WAIT:30000}
                    failure-rate-threshold: ${CB_RATE:62.5}
                    sliding-window-size: ${size}
                    sliding-window-type: ${CB_TYPE:TIME_BASED}
                    permitted-number-of-calls-in-half-open-state: ${cb.probes:3}
                  retry.instances.a.wait-duration: ${R_WAIT:200ms}
                """)) {
            assertThat(made.breaker("a").waitDurationInOpenState()).isEqualTo(Duration.ofSeconds(30));
            assertThat(made.breaker("a").failureRateThreshold()).isEqualTo(62.5);
            assertThat(made.text())
                    .contains(
                            "kept: wait-duration-in-open-state = ${CB_WAIT:30000}, which is 30000; a time in the variable"
                                    + " needs a unit")
                    .contains("wait-duration-in-open-state: ${CB_WAIT:30s}")
                    .contains("failure-rate-threshold: ${CB_RATE:62.5} # kept\n")
                    .contains("kept: sliding-window-size = ${size}, which is 12; the value replaces the placeholder")
                    .contains(
                            "kept: sliding-window-type = ${CB_TYPE:TIME_BASED}, which is TIME_BASED; the value replaces"
                                    + " the placeholder")
                    .contains("= ${cb.probes:3}, which is 3; the value replaces the placeholder")
                    .contains("initial: ${R_WAIT:200ms}", "max: ${R_WAIT:200ms} # added: the same");

            Path file = Files.writeString(directory.resolve("variables.yaml"), made.yaml());
            Map<String, String> variables = Map.of("CB_WAIT", "7s", "CB_RATE", "80", "R_WAIT", "1s");
            try (Holdfast holdfast =
                    Holdfast.builder().placeholders(variables::get).load(file)) {
                assertThat(holdfast.pipeline("a")
                                .policy(CircuitBreakerPolicy.class)
                                .settings()
                                .waitDurationInOpenState())
                        .isEqualTo(Duration.ofSeconds(7));
            }
        }
    }

    @Test
    void whatIsComputedFromTheDefaultOfAVariableLoadsWithOtherValues() throws IOException {
        try (Migrated made = yaml("""
                resilience4j:
                  retry.instances.a:
                    wait-duration: ${W:250ms}
                    max-attempts: ${N:5}
                    enable-exponential-backoff: true
                  circuitbreaker.instances:
                    a: { sliding-window-size: "${WIN:50}" }
                    time: { sliding-window-type: TIME_BASED, sliding-window-size: "${WIN:50}" }
                  thread-pool-bulkhead.instances.a.queue-capacity: 3
                  timelimiter:
                    instances.a.timeout-duration: ${TL:2000}
                    configs.default.timeout-duration: ${TL:3s}
                """)) {
            assertThat(made.text())
                    .contains("added: resilience4j's wait has no limit; with the default of N and W the longest of 5"
                            + " attempts is 844ms")
                    .contains("max: 1d")
                    .contains("or the size of a smaller count window; if WIN is above 100, write 100")
                    .contains("minimum-number-of-calls: 100 # added")
                    .contains("#timeout: ${TL:3s}");

            Path file = Files.writeString(directory.resolve("variables.yaml"), made.yaml());
            Map<String, String> variables = Map.of("W", "5s", "N", "9", "WIN", "10", "TL", "7s");
            try (Holdfast holdfast =
                    Holdfast.builder().placeholders(variables::get).load(file)) {
                Pipeline pipeline = holdfast.pipeline("a");
                assertThat(pipeline.policy(CircuitBreakerPolicy.class)
                                .settings()
                                .minimumNumberOfCalls())
                        .isEqualTo(10);
                assertThat(pipeline.policy(BulkheadPolicy.class).settings().maxWait())
                        .isEqualTo(Duration.ofSeconds(7));
            }
        }
    }

    @Test
    void whatMustHoldForOtherValuesOfAVariableIsSaid() throws IOException {
        try (Migrated made = yaml("""
                resilience4j:
                  retry.instances:
                    wait: { waitDuration: "${W:250ms}", enableExponentialBackoff: true, exponentialBackoffMultiplier: 1.5, exponentialMaxWaitDuration: 1s }
                    most: { waitDuration: 250ms, enableExponentialBackoff: true, exponentialBackoffMultiplier: 1.5, exponentialMaxWaitDuration: "${M:1s}" }
                    same: { waitDuration: "${W:1s}", enableExponentialBackoff: true, exponentialBackoffMultiplier: 1.5, exponentialMaxWaitDuration: "${W:1s}" }
                    none: { waitDuration: 250ms, enableExponentialBackoff: true, exponentialBackoffMultiplier: 1.5, exponentialMaxWaitDuration: 1s }
                    flag: { waitDuration: "${DAYS:2d}", enableExponentialBackoff: "${GROWS:false}" }
                  circuitbreaker.instances:
                    window: { slidingWindowSize: "${WIN:50}", minimumNumberOfCalls: 20 }
                    large: { slidingWindowSize: "${LARGE:300}" }
                    time: { slidingWindowType: TIME_BASED, slidingWindowSize: "${WIN:50}", minimumNumberOfCalls: 20 }
                    open:
                      waitDurationInOpenState: ${CBW:30s}
                      enableExponentialBackoff: true
                      exponentialBackoffMultiplier: 1.5
                      exponentialMaxWaitDurationInOpenState: 1m
                """)) {
            String text = made.text();
            assertThat(text)
                    .contains(
                            "kept: exponentialMaxWaitDuration = 1s; right for the default of W: with another value, it must"
                                    + " be at least backoff.initial")
                    .contains("; right for the default of M: with another value, it must be at least backoff.initial")
                    .contains("kept; right for the default of WIN: with another value, it must be at most"
                            + " sliding-window-size")
                    .contains("; right for the default of LARGE: with another value, it must be at most")
                    .contains("= 1m; right for the default of CBW: with another value, it has no effect"
                            + " below wait-duration-in-open-state")
                    .contains("= ${DAYS:2d}, which is 2d; the most here; the value replaces the placeholder")
                    .contains(
                            "kept: enableExponentialBackoff = ${GROWS:false}, which is false; the value replaces the placeholder");
            assertThat(text.split("right for the default", -1)).hasSize(6);
        }
    }

    @Test
    void anchorsAndMergesAreReadAsInSpring() throws IOException {
        try (Migrated made = yaml("""
                resilience4j.bulkhead.instances:
                  a: &few { max-concurrent-calls: 3 }
                  b: *few
                  c: { <<: *few, max-wait-duration: 1ms }
                routes:
                  - id: one
                    filters: [x, y]
                  - id: two
                """)) {
            assertThat(made.bulkhead("b").maxConcurrentCalls()).isEqualTo(3);
            assertThat(made.bulkhead("c").maxConcurrentCalls()).isEqualTo(3);
        }
    }

    @Test
    void aByteOrderMarkBelongsToNoName() throws IOException {
        Path file = directory.resolve("application.properties");
        Files.writeString(file, "\uFEFFresilience4j.retry.instances.inv.max-attempts=5\n");
        try (Migrated made = Migrated.of(file)) {
            assertThat(made.yaml()).contains("max-attempts: 5");
        }
    }

    @Test
    void springsTimesAreKept() throws IOException {
        try (Migrated made = Migrated.ofProperties(
                directory,
                "timelimiter.instances.plain.timeout-duration=1500",
                "timelimiter.instances.millis.timeout-duration=1500ms",
                "timelimiter.instances.seconds.timeout-duration=2S",
                "timelimiter.instances.iso.timeout-duration=PT1M30.5S",
                "timelimiter.instances.micros.timeout-duration=1500us")) {
            assertThat(made.timeout("plain")).isEqualTo(Duration.ofMillis(1_500));
            assertThat(made.timeout("millis")).isEqualTo(Duration.ofMillis(1_500));
            assertThat(made.timeout("seconds")).isEqualTo(Duration.ofSeconds(2));
            assertThat(made.timeout("iso")).isEqualTo(Duration.ofMillis(90_500));
            assertThat(made.timeout("micros")).isEqualTo(Duration.ofNanos(1_500_000));
        }
    }

    @Test
    void blankValueIsNoneAndWhatIsInheritedHolds() throws IOException {
        String yaml = """
                resilience4j:
                  ratelimiter:
                    configs:
                      default: {limitForPeriod: 10, limitRefreshPeriod: 1s, timeoutDuration: 5s}
                    instances:
                      pay: {limitForPeriod: "${RATE:}", limitRefreshPeriod: , timeoutDuration: 0}
                  bulkhead:
                    configs:
                      default: {maxConcurrentCalls: 7}
                      small: {maxConcurrentCalls: "", baseConfig: ""}
                    instances:
                      pay: {baseConfig: small, maxWaitDuration: 3ms}
                  retry:
                    retryAspectOrder:
                    configs: {default: {maxAttempts: 5}}
                    instances: {pay: {baseConfig: "", maxAttempts: " "}}
                """;
        try (Migrated made = Migrated.of(directory, "application.yml", yaml)) {
            assertThat(made.throttle("pay").limit()).isEqualTo(10);
            assertThat(made.throttle("pay").per()).isEqualTo(Duration.ofSeconds(1));
            assertThat(made.bulkhead("pay").maxConcurrentCalls()).isEqualTo(7);
            assertThat(made.retry("pay")).contains("maxAttempts=5");
            assertThat(made.text())
                    .contains(
                            "left out: limitForPeriod = ${RATE:}, which is (blank); for Spring a blank value is none. If"
                                    + " RATE is set where you run it, write its value here")
                    .contains("left out: limitRefreshPeriod = (blank); for Spring a blank value is none")
                    .contains("left out: maxConcurrentCalls = (blank) (of configs.small)")
                    .contains("note: all values of this instance are blank, so for Spring it is not there")
                    .doesNotContain("not understood", "it is no number");
        }
    }

    /** Of a breaker's configs Spring takes the one of its name only for an instance that is there. */
    @Test
    void breakerWithBlankValuesAloneHasTheDefaultConfig() throws IOException {
        try (Migrated made = Migrated.ofProperties(
                directory,
                "circuitbreaker.configs.default.failure-rate-threshold=70",
                "circuitbreaker.configs.a.failure-rate-threshold=60",
                "circuitbreaker.configs.b.failure-rate-threshold=50",
                "circuitbreaker.instances.a.sliding-window-size=",
                "circuitbreaker.instances.b.sliding-window-size=9")) {
            assertThat(made.breaker("a").failureRateThreshold()).isEqualTo(70);
            assertThat(made.breaker("b").failureRateThreshold()).isEqualTo(50);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "", "\"\""})
    void emptyListTakesTheInheritedOneAway(String empty) throws IOException {
        String yaml = """
                resilience4j:
                  circuitbreaker:
                    configs:
                      default: {recordExceptions: [java.io.IOException], ignoreExceptions: [java.lang.Error]}
                    instances:
                      a: {recordExceptions: EMPTY}
                      b: {ignoreExceptions: EMPTY}
                """.replace("EMPTY", empty);
        try (Migrated made = Migrated.of(directory, "application.yml", yaml)) {
            assertThat(made.text())
                    .contains("kept: recordExceptions = (blank); it is empty, so that none is inherited")
                    .contains("kept: ignoreExceptions = (blank); it is empty, so that none is inherited")
                    .contains("#classifier: { ignored: [java.lang.Error] }")
                    .contains("#classifier: { failures: [java.io.IOException], ignored: [java.lang.Throwable] }");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TIME_BASED", "TimeBased", "time-based", "time based", "timebased"})
    void wordsAreReadAsInSpring(String type) throws IOException {
        try (Migrated made = Migrated.ofProperties(
                directory,
                "circuitbreaker.instances.a.sliding-window-type=" + type,
                "circuitbreaker.instances.a.sliding-window-size=5000",
                "circuitbreaker.instances.a.initialState=metricsOnly")) {
            assertThat(made.text())
                    .contains("sliding-window-type: time-based", "initial-state: metrics-only")
                    .contains("sliding-window-size: 3600");
        }
    }

    @Test
    void numbersAreReadAsInSpring() throws IOException {
        try (Migrated made = Migrated.ofProperties(
                directory,
                "bulkhead.instances.hex.max-concurrent-calls=#10",
                "bulkhead.instances.hexToo.max-concurrent-calls=0x1F",
                "bulkhead.instances.blanks.max-concurrent-calls=1 0",
                "bulkhead.instances.zero.max-concurrent-calls=010")) {
            assertThat(made.bulkhead("hex").maxConcurrentCalls()).isEqualTo(16);
            assertThat(made.bulkhead("hexToo").maxConcurrentCalls()).isEqualTo(31);
            assertThat(made.bulkhead("blanks").maxConcurrentCalls()).isEqualTo(10);
            assertThat(made.bulkhead("zero").maxConcurrentCalls()).isEqualTo(10);
        }
    }
}
