/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.Holdfast;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever values the settings have, the output loads, also with the line of the lists of exceptions. */
@Logs({"-inside-", "-outside-"})
@Logs(value = "pipeline '.*': ", sometimes = true)
class MigrateFuzzTest {
    private static final int ROUNDS = 200;

    private static final Map<String, List<String>> SETTINGS = Map.of(
            "retry",
            List.of(
                    "max-attempts",
                    "wait-duration",
                    "enable-exponential-backoff",
                    "exponential-backoff-multiplier",
                    "exponential-max-wait-duration",
                    "retry-exceptions",
                    "ignore-exceptions",
                    "enable-randomized-wait",
                    "randomized-wait-factor"),
            "circuitbreaker",
            List.of(
                    "failure-rate-threshold",
                    "slow-call-rate-threshold",
                    "slow-call-duration-threshold",
                    "sliding-window-type",
                    "sliding-window-size",
                    "minimum-number-of-calls",
                    "permitted-number-of-calls-in-half-open-state",
                    "max-wait-duration-in-half-open-state",
                    "transition-to-state-after-wait-duration",
                    "wait-duration-in-open-state",
                    "enable-exponential-backoff",
                    "exponential-backoff-multiplier",
                    "exponential-max-wait-duration-in-open-state",
                    "automatic-transition-from-open-to-half-open-enabled",
                    "record-exceptions",
                    "ignore-exceptions",
                    "initial-state"),
            "ratelimiter",
            List.of("limit-for-period", "limit-refresh-period", "timeout-duration"),
            "bulkhead",
            List.of("max-concurrent-calls", "max-wait-duration"),
            "thread-pool-bulkhead",
            List.of("max-thread-pool-size", "core-thread-pool-size", "queue-capacity"),
            "timelimiter",
            List.of("timeout-duration", "cancel-running-future"));

    private static final List<String> VALUES =
            List.of(("¦0¦1¦2¦7¦50¦99.5¦100¦101¦500¦4000¦-1¦-5s¦1.5¦0.001¦1e3¦1E-3¦1_000¦2147483648¦9223372036854775807"
                            + "¦99999999999999999999¦33.333333333333333333¦true¦false¦on¦maybe¦1ns¦500us¦1500us¦1ms¦250ms¦2s¦61s"
                            + "¦3m¦25h¦2d¦40000d¦PT0S¦PT1.5S¦PT0.0000001S¦PT26H¦-PT1S¦P9999999D¦TIME_BASED¦COUNT_BASED¦OPEN"
                            + "¦CLOSED¦HALF_OPEN¦DISABLED¦NONSENSE¦${X:3}¦${X}¦a: b¦# c¦\"¦'¦[¦{}¦*a¦&a¦!!int 1¦\\u2028¦\\u0000")
                    .split("¦", -1));

    private static final List<String> CLASSES = List.of(
            "java.lang.Throwable",
            "java.lang.Exception",
            "java.io.IOException",
            "java.io.FileNotFoundException",
            "java.lang.Error",
            "${X:java.io.IOException}");

    @TempDir
    Path directory;

    @Test
    void everyOutputLoads() throws IOException {
        for (int seed = 0; seed < ROUNDS; seed++) {
            RandomGenerator random =
                    RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
            StringBuilder properties = new StringBuilder("resilience4j.retry.instances.a.nothing=1\n");
            for (String kind : SETTINGS.keySet().stream().sorted().toList()) {
                for (String setting :
                        random.nextInt(3) > 0 ? SETTINGS.getOrDefault(kind, List.of()) : List.<String>of()) {
                    if (random.nextBoolean()) {
                        // A placeholder has the name of its setting, so that it gets a value of the right type.
                        boolean classes = setting.endsWith("exceptions") && random.nextInt(4) > 0;
                        List<String> values = classes ? CLASSES : VALUES;
                        String value = values.get(random.nextInt(values.size())).replace("${X}", "${" + setting + "}");
                        if (classes && random.nextBoolean()) {
                            value += "," + values.get(random.nextInt(values.size()));
                        }
                        properties.append("resilience4j.%s.instances.a.%s=%s%n".formatted(kind, setting, value));
                    }
                }
                if (random.nextInt(4) == 0) {
                    properties.append("#---\nspring.config.activate.on-profile=p\nresilience4j.%s.configs.default.x=1\n"
                            .formatted(kind));
                }
                if (random.nextInt(8) == 0) {
                    String order = kind.replace("-pool", "").replace("thread-", "") + "-aspect-order";
                    properties.append("resilience4j.%s.%s=%d%n"
                            .formatted(kind.replace("thread-pool-", ""), order, random.nextInt(10)));
                }
            }
            boolean byTime = properties.indexOf("sliding-window-type=TIME_BASED") >= 0;
            Path file = Files.writeString(directory.resolve("application.properties"), properties);
            try (Migrated made = Migrated.of(name -> variable(name, byTime), file)) {
                assertThat(made.names()).as("seed %d", seed).containsExactly("a");
                Path taken = Files.writeString(
                        directory.resolve("taken.yaml"), made.yaml().replace("#classifier: {", "classifier: {"));
                try (Holdfast holdfast = Holdfast.builder()
                        .placeholders(name -> variable(name, byTime))
                        .load(taken)) {
                    assertThat(holdfast.pipeline("a").classifier()).isNotNull();
                }
            }
        }
    }

    /** Times and sizes that fit whatever the other settings are. */
    private static @Nullable String variable(String name, boolean byTime) {
        return switch (name) {
            case "sliding-window-size" -> byTime ? "3600" : "100000";
            case "X" -> null; // It has a default.
            case "exponential-max-wait-duration", "exponential-max-wait-duration-in-open-state" -> "1d";
            default -> name.contains("duration") || name.equals("limit-refresh-period") ? "1ms" : "1";
        };
    }
}
