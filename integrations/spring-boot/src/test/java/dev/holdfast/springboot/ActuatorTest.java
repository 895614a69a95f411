/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.testlogs.Logs;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.step.StepMeterRegistry;
import io.micrometer.core.instrument.step.StepRegistryConfig;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;

/** The endpoint and the health of an application that runs. */
@Logs({"by the actuator's endpoint", "was closed and is forced_open: by hand"})
@Logs(
        value = {
            "was forced_open and is closed: by hand",
            "was closed and is disabled: by hand",
            "was disabled and is closed: by hand"
        },
        sometimes = true)
class ActuatorTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private @Nullable ConfigurableApplicationContext running;

    /** Of Spring Boot 3, where it asks only for the part of Spring Security that is for methods. */
    private static final String WEB_SECURITY =
            "org.springframework.boot.autoconfigure.security.servlet.SecurityAutoConfiguration";

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(excludeName = WEB_SECURITY)
    static class Shop {}

    private final SpringApplication application = new SpringApplication(Shop.class);

    private void start(String... more) {
        String[] properties = {
            "--server.port=0",
            "--server.address=127.0.0.1",
            "--logging.level.root=OFF",
            "--spring.main.banner-mode=off",
            "--management.endpoints.web.exposure.include=*",
            "--management.endpoint.health.show-details=always",
            "--holdfast.pipelines.inventory.extends=standard",
            "--holdfast.pipelines.inventory.keys.max=10",
            "--holdfast.pipelines.prices.timeout=1s"
        };
        String[] all =
                Stream.concat(Arrays.stream(properties), Arrays.stream(more)).toArray(String[]::new);
        running = application.run(all);
    }

    @AfterEach
    void stop() {
        if (running != null) {
            running.close();
        }
    }

    private ConfigurableApplicationContext context() {
        return Objects.requireNonNull(running, "started");
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        return CLIENT.send(request.build(), BodyHandlers.ofString());
    }

    private HttpRequest.Builder request(String path) {
        String port = context().getEnvironment().getProperty("local.server.port");
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/actuator/" + path));
    }

    private HttpResponse<String> get(String path) throws Exception {
        return send(request(path));
    }

    private HttpResponse<String> post(String json) throws Exception {
        return send(
                request("holdfast").header("Content-Type", "application/json").POST(BodyPublishers.ofString(json)));
    }

    private Pipeline inventory() {
        return context().getBean(Holdfast.class).pipeline("inventory");
    }

    @Test
    @Logs("a request to the actuator's endpoint is refused: no pipeline")
    void readingShowsOrderSettingsAndNumbers() throws Exception {
        start();
        inventory().run(() -> {});
        context()
                .getBean(Holdfast.class)
                .pipeline("inventory", "https://a.example:443")
                .run(() -> {});
        String all = get("holdfast").body();
        assertThat(all)
                .contains("\"order\":[\"deadline\",\"retry\",\"circuit-breaker\",\"bulkhead\",\"timeout\"]")
                .contains("\"max-wait\":\"PT0.1S\"")
                .contains("\"bulkhead.limit\":10")
                .contains("\"name\":\"inventory/https://a.example:443\"")
                .contains("\"name\":\"prices\"");
        String one = get("holdfast/prices").body();
        assertThat(one)
                .startsWith("{\"name\":\"prices\",\"order\":[\"timeout\"]")
                .doesNotContain("inventory");
        assertThat(get("holdfast/pricse").statusCode()).isEqualTo(404);
    }

    @Test
    void aBreakerIsForcedOpenAndClosed() throws Exception {
        start();
        assertThat(post("{\"pipeline\": \"inventory\", \"policy\": \"circuit-breaker\", \"action\": \"open\"}")
                        .body())
                .contains("state=forced_open}\":1.0");
        assertThatThrownBy(() -> inventory().run(() -> {})).isInstanceOf(CallRejectedException.class);
        assertThat(post("{\"pipeline\": \"inventory\", \"policy\": \"circuit-breaker\", \"action\": \"close\"}")
                        .statusCode())
                .isEqualTo(200);
        inventory().run(() -> {});
        assertThat(post("{\"pipeline\": \"inventory\", \"policy\": \"circuit-breaker\", \"action\": \"disable\"}")
                        .body())
                .contains("state=disabled}\":1.0");
    }

    /** Where each host has an instance, nobody calls the pipeline itself. */
    @Test
    void whatIsDoneToAPipelineIsDoneToItsInstances() throws Exception {
        start("--holdfast.pipelines.[inventory-own].extends=standard");
        Holdfast all = context().getBean(Holdfast.class);
        Pipeline a = all.pipeline("inventory", "https://a.example:443");
        Pipeline b = all.pipeline("inventory", "https://b.example:443");
        a.run(() -> {});
        b.run(() -> {});
        assertThat(post("""
                        {"pipeline": "inventory", "policy": "circuit-breaker", "action": "open"}""").body())
                .contains("\"instances\":[\"inventory/https://a.example:443\",\"inventory/https://b.example:443\"]");
        assertThatThrownBy(() -> a.run(() -> {})).isInstanceOf(CallRejectedException.class);
        assertThatThrownBy(() -> b.run(() -> {})).isInstanceOf(CallRejectedException.class);
        all.pipeline("inventory-own").run(() -> {});

        assertThat(post("""
                        {"pipeline": "inventory/https://a.example:443", "policy": "circuit-breaker", "action": "close"}""").body()).doesNotContain("\"instances\"");
        a.run(() -> {});
        assertThatThrownBy(() -> b.run(() -> {})).isInstanceOf(CallRejectedException.class);
    }

    @Test
    void anInstanceThatIsAsAskedForAlreadyHoldsNoOtherUp() throws Exception {
        List<String> logged = new CopyOnWriteArrayList<>();
        start();
        Logger logger = Logger.getLogger(Holdfast.class.getName());
        logger.setFilter(entry -> logged.add(entry.getMessage()));
        Holdfast all = context().getBean(Holdfast.class);
        Pipeline a = all.pipeline("inventory", "a");
        a.run(() -> {});
        post("""
                {"pipeline": "inventory", "policy": "bulkhead", "action": "shadow"}""");
        Pipeline b = all.pipeline("inventory", "b");
        b.run(() -> {});
        assertThat(post("""
                        {"pipeline": "inventory", "policy": "bulkhead", "action": "enforce"}""").body())
                .contains("\"instances\":[\"inventory/a\"]")
                .contains("\"refused\":[\"pipeline 'inventory/b': a bulkhead is active already");
        assertThat(a.toString()).doesNotContain("shadow");
        assertThat(post("""
                        {"pipeline": "inventory", "policy": "bulkhead", "action": "shadow"}""").body())
                .contains("\"instances\":[\"inventory/a\",\"inventory/b\"]")
                .contains("\"refused\":[]");
        logger.setFilter(null);
        assertThat(logged)
                .as("none of these requests is refused")
                .isNotEmpty()
                .allMatch(line -> line.endsWith("by the actuator's endpoint"));
    }

    /** Nobody else tells of it: a breaker that is disabled and a policy in shadow are silent. */
    @Test
    void whatAPersonChangesOrIsRefusedIsAWarningInOneLine() throws Exception {
        List<String> logged = new CopyOnWriteArrayList<>();
        start();
        Logger logger = Logger.getLogger(Holdfast.class.getName());
        logger.setFilter(entry -> !logged.add(entry.getLevel() + " " + entry.getMessage()));
        for (String json : List.of(
                "{'pipeline': 'inventory', 'policy': 'circuit-breaker', 'action': 'disable'}",
                "{'pipeline': 'inventory', 'policy': 'circuit-breaker', 'action': 'close'}",
                "{'pipeline': 'inventory', 'policy': 'timeout', 'action': 'shadow'}",
                "{'pipeline': 'inventory', 'policy': 'timeout', 'action': 'x\\nWARNING: forged'}")) {
            post(json.replace('\'', '"'));
        }
        get("holdfast/pricse");
        logger.setFilter(null);
        assertThat(logged)
                .containsExactly(
                        "WARNING pipeline 'inventory': circuit-breaker: DISABLE, by the actuator's endpoint",
                        "WARNING pipeline 'inventory': circuit-breaker: CLOSE, by the actuator's endpoint",
                        "WARNING pipeline 'inventory': timeout: SHADOW, by the actuator's endpoint",
                        "WARNING a request to the actuator's endpoint is refused: action: is x\\nWARNING: forged;"
                                + " expected one of [open, close, disable, shadow, enforce]",
                        "INFO a request to the actuator's endpoint is refused: no pipeline 'pricse'; did you mean 'prices'?");
    }

    @Test
    void whatIsRefusedIsToldInTheWordsOfARequest() throws Exception {
        List<String> logged = new CopyOnWriteArrayList<>();
        start();
        Logger logger = Logger.getLogger(Holdfast.class.getName());
        logger.setFilter(entry -> !logged.add(entry.getMessage()));
        Map<String, String> reasons = Map.of(
                "", "action: is empty; expected one of [open, close, disable, shadow, enforce]",
                "enforce", "pipeline 'inventory': a timeout is active already");
        for (Map.Entry<String, String> one : reasons.entrySet()) {
            String action = one.getKey();
            String reason = one.getValue();
            HttpResponse<String> answer =
                    post("{\"pipeline\": \"inventory\", \"policy\": \"timeout\", \"action\": \"" + action + "\"}");
            assertThat(answer.statusCode()).isEqualTo(400);
            assertThat(answer.body()).isEqualTo("{\"message\":\"" + reason + "\"}");
        }
        logger.setFilter(null);
        assertThat(logged)
                .extracting(line -> line.replace("a request to the actuator's endpoint is refused: ", ""))
                .containsExactlyInAnyOrderElementsOf(reasons.values());
    }

    @Test
    void aRequestForWhatIsNotThereIsLoggedWithTheNearestName() throws Exception {
        List<String> logged = new CopyOnWriteArrayList<>();
        start();
        Logger logger = Logger.getLogger(Holdfast.class.getName());
        logger.setFilter(entry -> !logged.add(entry.getMessage()));
        assertThat(get("holdfast/pricse").statusCode()).isEqualTo(404);
        for (String json : List.of(
                "{'pipeline': 'inventroy', 'policy': 'circuit-breaker', 'action': 'open'}",
                "{'pipeline': 'inventory', 'policy': 'circuit-braker', 'action': 'open'}",
                "{'pipeline': 'inventory', 'policy': 'bulkhead', 'action': 'open'}",
                "{'pipeline': 'inventory', 'policy': 'bulkhed', 'action': 'open'}",
                "{'pipeline': 'prices', 'policy': 'timeout', 'action': 'close'}",
                "{'pipeline': 'inventory', 'policy': 'circuit-breaker', 'action': 'opne'}",
                "{'pipeline': 'inventory', 'policy': 'circuit-breaker', 'action': 'explode'}",
                "{'pipeline': 'inventory', 'policy': 'circuit-breaker'}",
                "{'pipeline': 'inventory', 'action': 'open'}",
                "{'policy': 'circuit-breaker', 'action': 'open'}")) {
            assertThat(post(json.replace('\'', '"')).statusCode()).as(json).isEqualTo(400);
        }
        logger.setFilter(null);
        assertThat(logged)
                .extracting(line -> line.replace("a request to the actuator's endpoint is refused: ", ""))
                .containsExactly(
                        "no pipeline 'pricse'; did you mean 'prices'?",
                        "no pipeline 'inventroy'; did you mean 'inventory'?",
                        "pipeline 'inventory' has no active breaker of the name circuit-braker; did you mean circuit-breaker?",
                        "pipeline 'inventory': bulkhead is no circuit breaker; it has [circuit-breaker]",
                        "pipeline 'inventory' has no active breaker of the name bulkhed; it has [circuit-breaker]",
                        "pipeline 'prices': timeout is no circuit breaker; it has none",
                        "action: is opne; did you mean open?",
                        "action: is explode; expected one of [open, close, disable, shadow, enforce]",
                        "action: is missing; expected one of [open, close, disable, shadow, enforce]",
                        "policy: is missing; expected the kind of a policy, such as circuit-breaker",
                        "pipeline: is missing; expected the name of a pipeline");
    }

    @Test
    @Logs("a request to the actuator's endpoint is refused: no pipeline")
    void readingWhatIsNotThereTellsWhy() throws Exception {
        start();
        HttpResponse<String> misspelt = get("holdfast/pricse");
        assertThat(misspelt.statusCode()).isEqualTo(404);
        assertThat(misspelt.body()).isEqualTo("{\"message\":\"no pipeline 'pricse'; did you mean 'prices'?\"}");
        assertThat(get("holdfast/zz").body()).contains("no pipeline 'zz'; ", "inventory", "prices");
    }

    @Test
    @Logs("a request to the actuator's endpoint is refused: no pipeline")
    void anInstanceIsReadByItsName() throws Exception {
        start();
        context()
                .getBean(Holdfast.class)
                .pipeline("inventory", "https://a.example:443")
                .run(() -> {});
        assertThat(get("holdfast/inventory/https://a.example:443").body())
                .startsWith("{\"name\":\"inventory/https://a.example:443\"");
        assertThat(get("holdfast/inventory/https://b.example:443").statusCode()).isEqualTo(404);
    }

    @Test
    void aPolicyIsPutIntoShadowAndEnforcedAgain() throws Exception {
        start();
        assertThat(post("{\"pipeline\": \"inventory\", \"action\": \"shadow\", \"policy\": \"timeout\"}")
                        .body())
                .contains("\"timeout-shadow\"");
        assertThat(post("{\"pipeline\": \"inventory\", \"action\": \"enforce\", \"policy\": \"timeout\"}")
                        .body())
                .contains("\"bulkhead\",\"timeout\"]");
    }

    @Test
    @Logs("pipeline 'inventory': circuit-breaker-shadow is in shadow and rejects nothing; expected it enforced before")
    void aBreakerInShadowIsNotForced() throws Exception {
        start();
        post("{\"pipeline\": \"inventory\", \"policy\": \"circuit-breaker\", \"action\": \"shadow\"}");
        assertThat(post("{\"pipeline\": \"inventory\", \"policy\": \"circuit-breaker-shadow\", \"action\": \"open\"}")
                        .statusCode())
                .isEqualTo(400);
    }

    @Test
    @Logs("a request to the actuator's endpoint is refused")
    void whatCannotBeDoneIsABadRequest() throws Exception {
        start();
        assertThat(post("{\"pipeline\": \"inventroy\", \"policy\": \"circuit-breaker\", \"action\": \"open\"}")
                        .statusCode())
                .isEqualTo(400);
        assertThat(post("{\"pipeline\": \"prices\", \"policy\": \"circuit-breaker\", \"action\": \"open\"}")
                        .statusCode())
                .isEqualTo(400);
        assertThat(post("{\"pipeline\": \"prices\", \"policy\": \"timeout\", \"action\": \"explode\"}")
                        .statusCode())
                .isEqualTo(400);
        assertThat(post("{\"pipeline\": \"prices\"}").statusCode()).isEqualTo(400);
        assertThat(post("{\"pipeline\": \"prices\", \"action\": \"enforce\", \"policy\": \"timeout\"}")
                        .statusCode())
                .isEqualTo(400);
    }

    @Test
    void healthIsOffByDefault() throws Exception {
        start();
        assertThat(get("health").body()).doesNotContain("holdfast").contains("UP");
    }

    @Test
    void anOpenBreakerIsShownAndIsNotDown() throws Exception {
        start("--management.health.holdfast.enabled=true");
        post("{\"pipeline\": \"inventory\", \"policy\": \"circuit-breaker\", \"action\": \"open\"}");
        assertThat(get("health").body())
                .contains("\"holdfast\":{")
                .contains("\"inventory\":\"forced_open\"")
                .doesNotContain("DOWN");
    }

    @Test
    void itIsDownIfTheApplicationAsksForIt() throws Exception {
        start(
                "--management.health.holdfast.enabled=true",
                "--holdfast.pipelines.shops.extends=standard",
                "--holdfast.spring.health.down-if-open=inventory,shops");
        assertThat(get("health").body()).doesNotContain("DOWN");
        post("{\"pipeline\": \"inventory\", \"policy\": \"circuit-breaker\", \"action\": \"open\"}");
        HttpResponse<String> health = get("health");
        assertThat(health.statusCode()).isEqualTo(503);
        assertThat(health.body()).contains("DOWN");
    }

    @Test
    void itIsDownAlsoForAnInstance() throws Exception {
        start("--management.health.holdfast.enabled=true", "--holdfast.spring.health.down-if-open=inventory");
        context()
                .getBean(Holdfast.class)
                .pipeline("inventory", "https://a.example:443")
                .run(() -> {});
        assertThat(get("health").statusCode()).isEqualTo(200);
        post("""
                {"pipeline": "inventory/https://a.example:443", "policy": "circuit-breaker", "action": "open"}""");
        assertThat(get("health").statusCode()).isEqualTo(503);
    }

    private static final String IN_SHADOW =
            "down-if-open: the circuit breaker of 'inventory' is in shadow and never opens, so this does nothing for it; take its"
                    + " mode: shadow out, or the name out of down-if-open";

    private static final String[] DOWN_IF_OPEN = {
        "--management.health.holdfast.enabled=true", "--holdfast.spring.health.down-if-open=inventory"
    };

    private List<String> warningsOfAStart(String... more) {
        List<String> logged = new CopyOnWriteArrayList<>();
        Logger logger = Logger.getLogger(Holdfast.class.getName());
        logger.setFilter(entry -> !logged.add(entry.getLevel() + " " + entry.getMessage()));
        try {
            start(Stream.concat(Arrays.stream(DOWN_IF_OPEN), Arrays.stream(more))
                    .toArray(String[]::new));
        } finally {
            logger.setFilter(null);
        }
        return logged;
    }

    /** Of a pipeline that is tried out, or whose protection is turned off: a restart must not fail then. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "--holdfast.pipelines.inventory.circuit-breaker.mode=shadow",
                "--holdfast.defaults.circuit-breaker.mode=shadow"
            })
    void aBreakerInShadowIsUpAndToldOnce(String shadow) throws Exception {
        assertThat(warningsOfAStart(shadow))
                .singleElement()
                .asString()
                .startsWith("WARNING ")
                .endsWith(IN_SHADOW);
        inventory().run(() -> {});
        assertThat(get("health").body()).contains("\"holdfast\":{").doesNotContain("DOWN");
    }

    @Test
    void anActiveBreakerIsNotToldOf() {
        assertThat(warningsOfAStart()).isEmpty();
    }

    @Test
    @Logs("was forced_open and is closed: the policy went into shadow")
    void aBreakerThatSomebodyPutsIntoShadowIsUp() throws Exception {
        start(DOWN_IF_OPEN);
        post("{\"pipeline\": \"inventory\", \"policy\": \"circuit-breaker\", \"action\": \"open\"}");
        assertThat(get("health").statusCode()).isEqualTo(503);
        post("{\"pipeline\": \"inventory\", \"policy\": \"circuit-breaker\", \"action\": \"shadow\"}");
        assertThat(get("health").statusCode()).isEqualTo(200);
    }

    // ---- the end

    /** One whose time stands still: it publishes when it is closed. */
    private static final class Pushing extends StepMeterRegistry {
        final AtomicReference<@Nullable Double> calls = new AtomicReference<>();

        Pushing() {
            super(
                    new StepRegistryConfig() {
                        @Override
                        public String prefix() {
                            return "pushing";
                        }

                        @Override
                        public @Nullable String get(String key) {
                            return null;
                        }
                    },
                    new Clock() {
                        @Override
                        public long wallTime() {
                            return 1_000;
                        }

                        @Override
                        public long monotonicTime() {
                            return 1_000_000_000;
                        }
                    });
        }

        @Override
        protected TimeUnit getBaseTimeUnit() {
            return TimeUnit.SECONDS;
        }

        @Override
        protected void publish() {
            calls.set(get("holdfast.calls").functionTimer().count());
        }
    }

    /** With the pipelines, their meters go. */
    @Test
    void aRegistryThatPushesPublishesItsLastStepBeforeThePipelinesAreClosed() {
        Pushing pushing = new Pushing();
        application.addInitializers(context -> context.getBeanFactory().registerSingleton("pushing", pushing));
        start();
        inventory().run(() -> {});
        context().close();
        assertThat(pushing.calls).hasValue(1.0);
        assertThat(pushing.find("holdfast.calls").meters()).isEmpty();
    }

    // ---- the server's half of the deadline

    private HttpResponse<String> withTime(String left) throws Exception {
        return send(request("holdfast").header("Holdfast-Timeout-Ms", left));
    }

    @Test
    void aRequestWithoutTimeIsNotBegunIfTheApplicationTrustsItsSender() throws Exception {
        start("--holdfast.spring.server.max-deadline=10s");
        assertThat(withTime("0").statusCode()).isEqualTo(504);
        assertThat(withTime("60000").statusCode()).isEqualTo(200);
        assertThat(context()
                        .getBean(MeterRegistry.class)
                        .get("http.server.requests")
                        .timers())
                .extracting(timer -> timer.getId().getTag("status"))
                .containsExactlyInAnyOrder("200", "504");
    }

    @Test
    void otherwiseItIs() throws Exception {
        start();
        assertThat(withTime("0").statusCode()).isEqualTo(200);
    }
}
