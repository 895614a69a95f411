/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.Classifier;
import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever becomes of a good file, it is read, or refused by a {@link ConfigException} and by nothing else. */
class FileFuzzTest {
    private static final int FILES = 2_000;

    /** What is put into a file: what YAML and the values mean something by, and what they do not expect. */
    private static final List<String> PIECES =
            List.of(("\n¦  ¦\t¦\r¦- ¦? ¦: ¦{¦}¦[¦]¦,¦&a ¦*a¦&a &b ¦<<: *a\n¦<<: ¦!!str ¦!x "
                            + "¦!<tag:yaml.org,2002:java.net.URL> ¦|\n¦>-\n ¦'¦\"¦\\¦\\e¦\\U00110000¦\\ud800¦%YAML 1.2\n---\n¦---\n"
                            + "¦...\n¦#¦@¦`¦~¦null¦true¦yes¦0¦-1¦1_0¦1__0¦010¦0x1F¦1e999¦.nan¦-.inf¦2147483648¦-9223372036854775808"
                            + "¦9223372036854775808¦1:30¦0s¦-5s¦5¦250ms¦PT1M30S¦PT-1S¦P36500D¦P1Y¦9223372036854775807d"
                            + "¦9223372036854775807ns¦5 sec¦1.5h¦\u0661s¦5\u00b5s¦50%¦\u0000¦\u0085¦\u2028¦\u2029¦\ufeff¦\u202e"
                            + "¦\ud83d\ude00¦limit¦mode: shadow\n¦shadow: { }\n¦shadow: 1s\n¦silence: []\n¦order: [retry]\n¦retry: &a { max-attempts: 3 }\n¦budget: { enabled: false }\n")
                    .split("¦", -1));

    private static final String SMALL = """
            pipelines:
              inventory:
                order: [deadline, fallback, retry, circuit-breaker, throttle, timeout, timeout]
                classifier: http-status
                deadline: 800ms
                fallback: empty-stock
                retry: &patient { max-attempts: 3, backoff: { initial: 5ms, multiplier: 2.0, max: 1s, jitter: full } }
                circuit-breaker: { failure-rate-threshold: 50, sliding-window-size: 100 }
                throttle: { limit: 200, per: 1s, burst: 50 }
                timeout: &short 250ms
              "prices":
                # The same, and faster.
                retry: { <<: *patient, retry-rejections: true }
                timeout: *short
            """;

    private static final String LARGE = """
            pipelines:
              inventory:
                retry: { max-attempts: 3, budget: { max-tokens: 10, token-ratio: 0.1 } }
                hedge: { delay: 20ms }
                circuit-breaker: { wait-duration-in-open-state: 10s, slow-call-duration-threshold: 1s }
                throttle: { limit: 200, per: 1s, burst: 50, max-wait: 10ms }
                bulkhead: { max-concurrent-calls: 50, max-wait: 10ms }
                timeout: 250ms
                chaos: { enabled: true, error-rate: 0.1 }
            """;

    private static final String SHARING = """
            defaults: { timeout: 250ms, retry: { max-attempts: 2 } }
            templates:
              service: { extends: standard, bulkhead: { use: pool }, without: [deadline] }
            shared:
              pool: { bulkhead: { max-concurrent-calls: 50 } }
              spare: { budget: { max-tokens: 20 } }
            pipelines:
              inventory:
                extends: service
                classifier: { failures: [500, 502-504], ignored: java.lang.IllegalArgumentException }
                retry: { budget: spare, max-attempts: "${HOLDFAST_ATTEMPTS:3}" }
              prices: { extends: inventory, timeout: 1s, without: [circuit-breaker] }
            """;

    private static final String WATCHED = """
            defaults:
              histograms: { slo: [100ms, 250ms], percentiles: [0.5, 0.99] }
              advice: true
              silence: burst-of-one
            templates:
              careful: { extends: standard, bulkhead: { shadow: { max-concurrent-calls: 10 } } }
            shared:
              rate: { throttle: { limit: 100, mode: shadow } }
            pipelines:
              inventory:
                extends: careful
                timeout: { limit: 1s, shadow: 250ms }
                circuit-breaker: { mode: active, shadow: { failure-rate-threshold: 20 } }
                throttle: { use: rate }
                keys: { max: 10 }
              prices: { extends: careful, retry: { mode: shadow }, silence: [timeout-far-too-long, a], histograms: }
            """;

    /** A strong reference: what is set would else be lost with it. */
    private final Logger log = Logger.getLogger("dev.holdfast");

    @TempDir
    Path directory;

    /** Some of these pipelines stand in an order that hurts, which is not what is asked here. */
    @BeforeEach
    void logNothing() {
        log.setUseParentHandlers(false);
    }

    @AfterEach
    void logAgain() {
        log.setUseParentHandlers(true);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void ofTheSamplePolicies(long seed) throws Exception {
        // They have no bulkhead and no hedge.
        fuzz(seed, List.of(SMALL), () -> new Samples().holdfast());
    }

    @ParameterizedTest
    @ValueSource(longs = {4, 5, 6})
    void ofThePoliciesOnTheClassPath(long seed) throws Exception {
        fuzz(seed, List.of(SMALL, LARGE, SHARING, WATCHED, sample("design"), sample("every-form")), Holdfast::builder);
    }

    private void fuzz(long seed, List<String> good, Supplier<Holdfast.Builder> loader) throws Exception {
        for (String yaml : good) {
            assertThat(load(yaml.getBytes(StandardCharsets.UTF_8), loader)).isNull();
        }
        Random random = new Random(seed);
        int loaded = 0;
        for (int i = 0; i < FILES; i++) {
            byte[] yaml = mutated(good.get(random.nextInt(good.size())), random);
            Throwable thrown = load(yaml, loader);
            loaded += thrown == null ? 1 : 0;
            NastyFilesTest.check(
                    thrown, "seed " + seed + ", file " + i + ":\n" + new String(yaml, StandardCharsets.UTF_8));
        }
        // Else only the first lines of a file would ever be read.
        assertThat(loaded).isBetween(FILES / 100, FILES / 2);
    }

    private @Nullable Throwable load(byte[] yaml, Supplier<Holdfast.Builder> loader) throws IOException {
        Path file = Files.write(directory.resolve("holdfast.yaml"), yaml);
        Holdfast.Builder builder = loader.get()
                .bind("http-status", Classifier.DEFAULT)
                .bind("empty-stock", Function.class, error -> "empty");
        return catchThrowable(() -> builder.load(file).close());
    }

    private static byte[] mutated(String good, Random random) {
        StringBuilder text = new StringBuilder(good);
        for (int edits = 1 + random.nextInt(3); edits > 0; edits--) {
            int at = random.nextInt(text.length() + 1);
            int to = Math.min(text.length(), at + 1 + random.nextInt(random.nextInt(4) == 0 ? 60 : 4));
            String piece = PIECES.get(random.nextInt(PIECES.size()));
            switch (random.nextInt(6)) {
                case 0 -> text.delete(at, to);
                case 1 -> text.insert(at, text.substring(at, to));
                case 2 -> text.replace(at, to, piece);
                case 3 -> text.insert(at, piece.repeat(1 + random.nextInt(5)));
                case 4 -> text.insert(random.nextInt(text.length() + 1), text.substring(at, to));
                default -> text.insert(at, (char) random.nextInt(0x3000));
            }
        }
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        if (bytes.length > 0 && random.nextInt(20) == 0) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
        return bytes;
    }

    private static String sample(String name) throws Exception {
        URL good = Objects.requireNonNull(FileFuzzTest.class.getResource("/good/" + name + ".yaml"), name);
        return Files.readString(Path.of(good.toURI()));
    }
}
