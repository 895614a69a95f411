/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.internal.Checks;
import dev.holdfast.spi.PolicyFactory;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Policies for the tests of the file's form, with the sections and options of DESIGN; no bulkhead is on their class path. */
final class Samples {
    private static final Duration LONGEST = Duration.ofDays(1);

    enum Jitter {
        FULL,
        EQUAL,
        DECORRELATED,
        NO_JITTER
    }

    final SampleFactory deadline = new SampleFactory("deadline", 100, Optional.of("limit"))
            .option("limit", "limit", Duration.class)
            .check((b, c) -> duration(b, c, "limit", Duration.ofMillis(1)));

    final SampleFactory fallback = new SampleFactory("fallback", 200, Optional.of("function"))
            .option("function", "function", Function.class)
            .option("label", "label", String.class);

    final SampleFactory staleCache = new SampleFactory("stale-cache", 300, Optional.empty())
            .option("fresh", "fresh", Duration.class)
            .option("stale-while-revalidate", "staleWhileRevalidate", Duration.class)
            .option("stale-if-error", "staleIfError", Duration.class)
            .option("max-entries", "maxEntries", Integer.class)
            .check((b, c) -> whole(b, c, "maxEntries", 1, 10_000_000));

    final SampleFactory retry = new SampleFactory("retry", 400, Optional.of("max-attempts"))
            .option("max-attempts", "maxAttempts", Integer.class)
            .option("backoff.initial", "initialBackoff", Duration.class)
            .option("backoff.multiplier", "multiplier", Double.class)
            .option("backoff.max", "maxBackoff", Duration.class)
            .option("backoff.jitter", "jitter", Jitter.class)
            .option("retry-rejections", "retryRejections", Boolean.class)
            .option("seed", "seed", Long.class)
            .check((b, c) -> whole(b, c, "maxAttempts", 1, 100))
            .check((b, c) -> duration(b, c, "initialBackoff", Duration.ofMillis(1)))
            .check(Samples::backoff);

    final SampleFactory circuitBreaker = new SampleFactory("circuit-breaker", 500, Optional.empty())
            .option("failure-rate-threshold", "failureRateThreshold", Double.class)
            .option("sliding-window-size", "slidingWindowSize", Integer.class)
            .option("wait-duration-in-open-state", "waitDurationInOpenState", Duration.class)
            .check((b, c) -> b.value("failureRateThreshold", Double.class)
                    .ifPresent(value -> c.range("failureRateThreshold", value, 1.0, 100.0)))
            .check((b, c) -> whole(b, c, "slidingWindowSize", 1, 10_000));

    final SampleFactory throttle = new SampleFactory("throttle", 600, Optional.empty())
            .option("limit", "limit", Integer.class)
            .option("per", "per", Duration.class)
            .option("burst", "burst", Integer.class)
            .check((b, c) -> whole(b, c, "limit", 1, 1_000_000))
            .check((b, c) -> whole(b, c, "burst", 1, 1_000_000));

    final SampleFactory timeout = new SampleFactory("timeout", 800, Optional.of("limit"))
            .option("limit", "limit", Duration.class)
            .check((b, c) -> c.that(b.values.containsKey("limit"), "limit", "not given", "a duration"))
            .check((b, c) -> duration(b, c, "limit", Duration.ofMillis(1)));

    final List<SampleFactory> all = List.of(timeout, deadline, fallback, staleCache, retry, circuitBreaker, throttle);

    /** A loader whose class path has these policies alone. */
    Holdfast.Builder holdfast() {
        return Holdfast.builder().factories(new Factories(List.<PolicyFactory<?>>copyOf(all)));
    }

    private static void backoff(SampleFactory.Builder builder, Checks checks) {
        Duration initial = builder.value("initialBackoff", Duration.class).orElse(Duration.ofMillis(50));
        Duration max = builder.value("maxBackoff", Duration.class).orElse(Duration.ofSeconds(1));
        checks.that(max.compareTo(initial) >= 0, "maxBackoff", Checks.text(max), "at least " + Checks.text(initial));
    }

    private static void whole(SampleFactory.Builder builder, Checks checks, String option, int least, int most) {
        builder.value(option, Integer.class).ifPresent(value -> checks.range(option, (long) value, least, most));
    }

    private static void duration(SampleFactory.Builder builder, Checks checks, String option, Duration least) {
        builder.value(option, Duration.class).ifPresent(value -> checks.range(option, value, least, LONGEST));
    }
}
