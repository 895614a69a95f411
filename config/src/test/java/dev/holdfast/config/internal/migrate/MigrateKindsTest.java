/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Verdict;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings.SlidingWindowType;
import dev.holdfast.config.Holdfast;
import dev.holdfast.retry.RetrySettings;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.core.IntervalFunction;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of each kind's settings. */
class MigrateKindsTest {
    @TempDir
    Path directory;

    private Migrated migrated(String... properties) throws IOException {
        return Migrated.ofProperties(directory, properties);
    }

    private static String retry(Consumer<RetrySettings.Builder> options) {
        return RetrySettings.of(options).toString();
    }

    private static RetrySettings.Builder waits(
            RetrySettings.Builder r, int attempts, Duration initial, double multiplier, Duration max) {
        return r.maxAttempts(attempts)
                .initialBackoff(initial)
                .multiplier(multiplier)
                .maxBackoff(max);
    }

    @Test
    void constantWaitDoesNotGrow() throws IOException {
        try (Migrated made = migrated("retry.instances.a.max-attempts=4", "retry.instances.a.wait-duration=500")) {
            assertThat(made.retry("a"))
                    .isEqualTo(retry(r -> waits(r, 4, Duration.ofMillis(500), 1, Duration.ofMillis(500))));
            assertThat(made.text())
                    .contains("max-attempts: 4 # kept\n", "initial: 500ms # kept: wait-duration = 500\n")
                    .contains("trap: resilience4j has no budget")
                    .contains("so that clients that fail together come back together")
                    .contains("trap: no time limit");
        }
    }

    @Test
    void exponentialWaitIsKept() throws IOException {
        try (Migrated made = migrated(
                "retry.instances.a.wait-duration=1s",
                "retry.instances.a.enable-exponential-backoff=true",
                "retry.instances.a.exponential-backoff-multiplier=3",
                "retry.instances.a.exponential-max-wait-duration=PT20S")) {
            assertThat(made.retry("a"))
                    .isEqualTo(retry(r -> waits(r, 3, Duration.ofSeconds(1), 3, Duration.ofSeconds(20))));
        }
    }

    @Test
    @Logs("retry-waits-without-deadline")
    void longestWaitLimitsTheFirstToo() throws IOException {
        String retry = "retry.instances.a.";
        String breaker = "circuitbreaker.instances.a.";
        try (Migrated made = migrated(
                retry + "wait-duration=1m",
                retry + "enable-exponential-backoff=true",
                retry + "exponential-backoff-multiplier=1.5",
                retry + "exponential-max-wait-duration=10s",
                breaker + "wait-duration-in-open-state=1m",
                breaker + "enable-exponential-backoff=true",
                breaker + "exponential-backoff-multiplier=1.5",
                breaker + "exponential-max-wait-duration-in-open-state=10s")) {
            Duration longest = Duration.ofSeconds(10);
            // The wait of resilience4j, of both.
            assertThat(IntervalFunction.ofExponentialBackoff(Duration.ofMinutes(1), 1.5, longest)
                            .apply(1))
                    .isEqualTo(longest.toMillis());
            assertThat(made.retry("a")).isEqualTo(retry(r -> waits(r, 3, longest, 1.5, longest)));
            assertThat(made.breaker("a").waitDurationInOpenState()).isEqualTo(longest);
            assertThat(made.breaker("a").maxWaitDurationInOpenState()).isEqualTo(longest);
            assertThat(made.text())
                    .contains("note: in resilience4j exponential-max-wait-duration = 10s limits the first wait, too")
                    .contains("exponential-max-wait-duration-in-open-state = 10s limits the first wait, too");
        }
    }

    @Test
    void longestWaitThatResilience4jIgnoresIsLeftOut() throws IOException {
        String breaker = "circuitbreaker.instances.a.";
        try (Migrated made = migrated(
                "retry.instances.a.wait-duration=1m",
                "retry.instances.a.enable-exponential-backoff=true",
                "retry.instances.a.exponential-max-wait-duration=10s",
                "retry.instances.b.wait-duration=1s",
                "retry.instances.b.enable-exponential-backoff=true",
                "retry.instances.b.exponential-backoff-multiplier=3",
                "retry.instances.b.enable-randomized-wait=true",
                "retry.instances.b.exponential-max-wait-duration=2s",
                breaker + "wait-duration-in-open-state=1m",
                breaker + "enable-exponential-backoff=true",
                breaker + "exponential-max-wait-duration-in-open-state=10s")) {
            Duration minute = Duration.ofMinutes(1);
            assertThat(made.retry("a"))
                    .isEqualTo(retry(
                            r -> waits(r, 3, minute, 1.5, minute.multipliedBy(3).dividedBy(2))));
            assertThat(made.retry("b"))
                    .isEqualTo(retry(r -> waits(r, 3, Duration.ofSeconds(1), 3, Duration.ofSeconds(3))
                            .jitter(Jitter.EQUAL)));
            assertThat(made.breaker("a").waitDurationInOpenState()).isEqualTo(minute);
            assertThat(made.breaker("a").maxWaitDurationInOpenState()).isEqualTo(Duration.ofDays(1));
            assertThat(made.text())
                    .contains("left out: exponential-max-wait-duration = 10s;"
                            + " resilience4j ignores it without exponential-backoff-multiplier")
                    .contains("left out: exponential-max-wait-duration = 2s;"
                            + " resilience4j ignores it with enable-randomized-wait and no randomized-wait-factor")
                    .contains("left out: exponential-max-wait-duration-in-open-state = 10s; resilience4j ignores it");
        }
    }

    @Test
    void growthOfABreakersWaitCountsOnlyBesideTheWait() throws IOException {
        String base = "circuitbreaker.configs.grows.";
        try (Migrated made = migrated(
                base + "wait-duration-in-open-state=5s",
                base + "enable-exponential-backoff=true",
                base + "exponential-backoff-multiplier=2",
                "circuitbreaker.configs.constant.wait-duration-in-open-state=5s",
                "circuitbreaker.instances.wait.base-config=grows",
                "circuitbreaker.instances.wait.wait-duration-in-open-state=1s",
                "circuitbreaker.instances.factor.base-config=grows",
                "circuitbreaker.instances.factor.exponential-backoff-multiplier=3",
                "circuitbreaker.instances.growth.base-config=constant",
                "circuitbreaker.instances.growth.enable-exponential-backoff=true",
                "circuitbreaker.instances.growth.exponential-backoff-multiplier=3")) {
            assertThat(made.breaker("wait").waitDurationInOpenState()).isEqualTo(Duration.ofSeconds(1));
            assertThat(made.breaker("wait").waitMultiplierInOpenState()).isEqualTo(1);
            assertThat(made.breaker("factor").waitDurationInOpenState()).isEqualTo(Duration.ofSeconds(5));
            assertThat(made.breaker("factor").waitMultiplierInOpenState()).isEqualTo(2);
            assertThat(made.breaker("growth").waitDurationInOpenState()).isEqualTo(Duration.ofSeconds(5));
            assertThat(made.breaker("growth").waitMultiplierInOpenState()).isEqualTo(1);
            assertThat(made.text())
                    .contains(
                            "left out: exponential-backoff-multiplier = 2 (of configs.grows); resilience4j heeds it only"
                                    + " beside the wait itself, and the wait is wait-duration-in-open-state = 1s")
                    .contains("left out: exponential-backoff-multiplier = 3; resilience4j heeds it only beside the wait"
                            + " itself, and the wait is wait-duration-in-open-state = 5s (of configs.grows)");
        }
    }

    @Test
    void retryInheritsTheGrowthOfItsWaitButNotTheRandomFactor() throws IOException {
        String base = "retry.configs.base.";
        try (Migrated made = migrated(
                base + "wait-duration=4s",
                base + "enable-exponential-backoff=true",
                base + "exponential-backoff-multiplier=2",
                base + "enable-randomized-wait=true",
                base + "randomized-wait-factor=0.8",
                "retry.configs.constant.wait-duration=4s",
                "retry.instances.wait.base-config=base",
                "retry.instances.wait.wait-duration=1s",
                "retry.instances.growth.base-config=constant",
                "retry.instances.growth.enable-exponential-backoff=true",
                "retry.instances.growth.exponential-backoff-multiplier=3")) {
            Duration second = Duration.ofSeconds(1);
            Duration four = Duration.ofSeconds(4);
            assertThat(made.retry("wait"))
                    .isEqualTo(retry(
                            r -> waits(r, 3, second, 2, second.multipliedBy(2)).jitter(Jitter.EQUAL)));
            assertThat(made.retry("growth")).isEqualTo(retry(r -> waits(r, 3, four, 1, four)));
            assertThat(made.text())
                    .contains("left out: randomized-wait-factor = 0.8 (of configs.base); resilience4j heeds it only")
                    .contains(
                            "left out: enable-exponential-backoff = true; resilience4j heeds it only beside the wait");
        }
    }

    @Test
    void exponentialWaitWithoutLimitEndsAtThatOfTheLastAttempt() throws IOException {
        try (Migrated made = migrated(
                "retry.instances.a.max-attempts=5",
                "retry.instances.a.wait-duration=1s",
                "retry.instances.a.enable-exponential-backoff=true")) {
            assertThat(made.retry("a"))
                    .isEqualTo(retry(r -> waits(r, 5, Duration.ofSeconds(1), 1.5, Duration.ofMillis(3_375))));
            assertThat(made.text()).contains("this is the longest of 5 attempts");
        }
    }

    @Test
    void randomWaitBecomesJitter() throws IOException {
        try (Migrated made = migrated(
                "retry.instances.narrow.wait-duration=1s",
                "retry.instances.narrow.enable-randomized-wait=true",
                "retry.instances.wide.wait-duration=1s",
                "retry.instances.wide.enable-randomized-wait=true",
                "retry.instances.wide.randomized-wait-factor=0.8")) {
            Duration second = Duration.ofSeconds(1);
            assertThat(made.retry("narrow"))
                    .isEqualTo(retry(r -> waits(r, 3, second, 1, second).jitter(Jitter.EQUAL)));
            assertThat(made.retry("wide")).isEqualTo(retry(r -> waits(r, 3, second, 1, second)));
            assertThat(made.text()).contains("jitter: full", "changed: randomized-wait-factor = 0.8;");
        }
    }

    @Test
    void flagsThatResilience4jIgnoresAreNamed() throws IOException {
        try (Migrated made = migrated(
                "retry.instances.a.exponential-backoff-multiplier=3", "retry.instances.a.randomized-wait-factor=0.1")) {
            assertThat(made.retry("a")).isEqualTo(retry(r -> {}));
            assertThat(made.text())
                    .contains("exponential-backoff-multiplier = 3; resilience4j ignores it without a wait-duration")
                    .contains("resilience4j waits exactly 500ms each time");
        }
    }

    @Test
    void listsOfExceptionsAreALineThatCanBeTaken() throws IOException {
        try (Migrated made = migrated(
                "retry.instances.a.retry-exceptions[0]=java.io.IOException",
                "circuitbreaker.instances.a.record-exceptions=java.io.IOException, java.util.concurrent.TimeoutException",
                "circuitbreaker.instances.a.ignore-exceptions=java.lang.IllegalArgumentException")) {
            String line = "#classifier: { failures: [java.io.IOException, java.util.concurrent.TimeoutException],"
                    + " ignored: [java.lang.IllegalArgumentException, java.lang.Throwable] }";
            assertThat(made.text()).contains(line);

            Path file = Files.writeString(
                    directory.resolve("taken.yaml"), made.yaml().replace(line, line.substring(1)));
            assertThat(Holdfast.check(file)).isEmpty();
        }
    }

    /** And nothing else, if the retry has the same lists. */
    @Test
    void proposedClassifierCountsWhatTheBreakerCounted() throws Exception {
        List<Throwable> errors = List.of(
                new IOException(),
                new FileNotFoundException(),
                new TimeoutException(),
                new IllegalStateException(),
                new IllegalArgumentException(),
                new NumberFormatException(),
                new AssertionError());
        List<String> lists = List.of(
                "",
                "java.io.IOException",
                "java.io.FileNotFoundException,java.util.concurrent.TimeoutException",
                "java.lang.IllegalArgumentException",
                "java.lang.Exception",
                "java.lang.Throwable");
        List<String> properties = new ArrayList<>();
        Map<String, Predicate<Throwable>> breakers = new LinkedHashMap<>();
        Set<String> alike = new HashSet<>();
        for (int i = 0; i < 1296; i++) {
            String name = "p" + i;
            String record = lists.get(i % 6);
            String ignore = lists.get(i / 6 % 6);
            String retried = lists.get(i / 36 % 6);
            String notRetried = lists.get(i / 216 % 6);
            properties.add("retry.instances." + name + ".max-attempts=2");
            properties.add("retry.instances." + name + ".retry-exceptions=" + retried);
            properties.add("retry.instances." + name + ".ignore-exceptions=" + notRetried);
            properties.add("circuitbreaker.instances." + name + ".record-exceptions=" + record);
            properties.add("circuitbreaker.instances." + name + ".ignore-exceptions=" + ignore);
            breakers.put(name, taken(record, ignore));
            if (record.equals(retried) && ignore.equals(notRetried)) {
                alike.add(name);
            }
        }
        int lines = 0;
        for (int from = 0; from < properties.size(); from += 250) {
            try (Migrated made = migrated(properties
                    .subList(from, Math.min(properties.size(), from + 250))
                    .toArray(String[]::new))) {
                lines += made.yaml().split("#classifier: \\{", -1).length - 1;
                Path taken = Files.writeString(
                        directory.resolve("taken.yaml"), made.yaml().replace("#classifier: {", "classifier: {"));
                try (Holdfast holdfast = Holdfast.load(taken)) {
                    for (String name : made.names()) {
                        for (Throwable error : errors) {
                            boolean counted = requireNonNull(breakers.get(name)).test(error);
                            if (counted || alike.contains(name)) {
                                assertThat(holdfast.pipeline(name).classifier().classify(null, error)
                                                == Verdict.FAILURE)
                                        .as("%s of %s", error, name)
                                        .isEqualTo(counted);
                            }
                        }
                    }
                }
            }
        }
        assertThat(lines).isGreaterThan(100);
    }

    private static Predicate<Throwable> taken(String listed, String ignored) throws ClassNotFoundException {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                .recordExceptions(classes(listed))
                .ignoreExceptions(classes(ignored))
                .build();
        return error -> config.getRecordExceptionPredicate().test(error)
                && !config.getIgnoreExceptionPredicate().test(error);
    }

    @Test
    void classBelowAnIgnoredOneIsNotCounted() throws IOException {
        try (Migrated made = migrated(
                "circuitbreaker.instances.a.record-exceptions=java.io.FileNotFoundException, java.sql.SQLException",
                "circuitbreaker.instances.a.ignore-exceptions=java.io.IOException",
                "circuitbreaker.instances.b.record-exceptions=com.example.Gone",
                "circuitbreaker.instances.b.ignore-exceptions=java.io.IOException",
                "circuitbreaker.instances.c.record-exceptions=java.io.IOException",
                "circuitbreaker.instances.c.ignore-exceptions=java.io.FileNotFoundException")) {
            assertThat(made.text())
                    .contains("left out: java.io.FileNotFoundException; resilience4j ignores a class below one that"
                            + " ignore-exceptions names, also if another list names it\n")
                    .contains("failures: [java.sql.SQLException], ignored: [java.io.IOException, java.lang.Throwable]")
                    .containsOnlyOnce("Not all classes are here: take such classes out of `failures`")
                    .contains("failures: [java.io.IOException], ignored: [java.io.FileNotFoundException,");
        }
    }

    @Test
    void textThatIsNoClassMakesNoLine() throws IOException {
        try (Migrated made = migrated(
                "circuitbreaker.instances.a.record-exceptions=java.io.IOException], successes: [a.B",
                "circuitbreaker.instances.b.ignore-exceptions=${IGNORED}")) {
            assertThat(made.yaml()).doesNotContain("#classifier");
        }
    }

    @SuppressWarnings("unchecked")
    private static Class<? extends Throwable>[] classes(String list) throws ClassNotFoundException {
        List<Class<?>> classes = new ArrayList<>();
        for (String name : list.isEmpty() ? new String[0] : list.split(",", -1)) {
            classes.add(Class.forName(name));
        }
        return classes.toArray(Class[]::new);
    }

    @Test
    void breakerWithoutAListCountsEveryExceptionStill() throws IOException {
        try (Migrated made = migrated(
                "retry.instances.a.retry-exceptions=java.io.IOException",
                "circuitbreaker.instances.a.failure-rate-threshold=80",
                "retry.instances.b.retry-exceptions=java.io.IOException",
                "circuitbreaker.instances.b.ignore-exceptions=java.lang.IllegalArgumentException",
                "retry.instances.c.retry-exceptions=java.io.IOException",
                "circuitbreaker.instances.c.record-failure-predicate=com.example.Bad")) {
            assertThat(made.text())
                    .doesNotContain("java.lang.Throwable")
                    .contains(
                            "trap: in resilience4j the retry repeats java.io.IOException; the circuit breaker counts every"
                                    + " exception. Here one classifier holds for both. Without one, both take every exception")
                    .contains(
                            "counts every exception, but not java.lang.IllegalArgumentException. Here one classifier holds"
                                    + " for both. With the line below, both take every exception, but not"
                                    + " java.lang.IllegalArgumentException")
                    .contains(
                            "#classifier: { failures: [java.io.IOException], ignored: [java.lang.IllegalArgumentException] }")
                    .contains("the circuit breaker counts what its predicate says");
        }
    }

    @Test
    void whatTheRetryAloneIgnoresIsStillCounted() throws IOException {
        try (Migrated made = migrated(
                "retry.instances.a.ignore-exceptions=java.lang.IllegalArgumentException",
                "circuitbreaker.instances.a.failure-rate-threshold=80",
                "retry.instances.b.ignore-exceptions=java.lang.IllegalArgumentException")) {
            assertThat(made.text())
                    .contains(
                            "the retry repeats every exception, but not java.lang.IllegalArgumentException; the circuit"
                                    + " breaker counts every exception.")
                    .contains(
                            "With `ignored: [java.lang.IllegalArgumentException]` in a classifier it is not repeated, and the"
                                    + " breaker does not count it either")
                    .containsOnlyOnce("classifier: {")
                    .contains("b:")
                    .contains("#classifier: { ignored: [java.lang.IllegalArgumentException] }");
        }
    }

    @Test
    void listsOfOneKindThatDoNotDifferAreNoTrap() throws IOException {
        try (Migrated made = migrated(
                "retry.instances.a.retry-exceptions=java.io.IOException",
                "circuitbreaker.instances.a.record-exceptions=java.io.IOException",
                "retry.instances.b.retry-exceptions=java.io.IOException")) {
            assertThat(made.text())
                    .doesNotContain("one classifier holds for both")
                    .contains("#classifier: { failures: [java.io.IOException], ignored: [java.lang.Throwable] }");
        }
    }

    @Test
    void listsThatContradictOneAnotherAreNoLine() throws IOException {
        try (Migrated made = migrated(
                "retry.instances.a.retry-exceptions[0]=java.io.IOException",
                "circuitbreaker.instances.a.ignore-exceptions=java.io.IOException")) {
            assertThat(made.text()).doesNotContain("classifier: {").contains("Without one, both take every exception");
        }
    }

    @Test
    void timeoutThatOnlyHoldfastRepeatsAndCountsIsATrap() throws IOException {
        String repeated = "Here the retry repeats it, and the breaker counts it, whatever the classifier says. Say"
                + " idempotent(false) for each operation that must not be done twice";
        try (Migrated made = migrated(
                "retry.instances.pay.retry-exceptions=java.net.ConnectException",
                "circuitbreaker.instances.pay.record-exceptions=java.net.ConnectException",
                "timelimiter.instances.pay.timeout-duration=100ms")) {
            assertThat(made.text())
                    .contains("trap: in resilience4j a call that the time limiter ends"
                            + " (java.util.concurrent.TimeoutException) is not repeated, and is no failure for the circuit"
                            + " breaker. " + repeated);
        }
        try (Migrated made = migrated(
                "retry.instances.stock.ignore-exceptions=java.lang.Exception",
                "circuitbreaker.instances.stock.ignore-exceptions=java.util.concurrent.TimeoutException",
                "timelimiter.instances.stock.timeout-duration=100ms")) {
            assertThat(made.text())
                    .contains(repeated)
                    .contains(
                            "both take every exception, but not java.util.concurrent.TimeoutException; and timeouts of"
                                    + " the pipeline in any case");
        }
    }

    @Test
    void timeoutThatOneOfTheTwoTakesIsATrapForTheOther() throws IOException {
        try (Migrated made = migrated(
                "retry.instances.a.retry-exceptions=java.lang.Exception",
                "circuitbreaker.instances.a.record-exceptions=java.io.IOException",
                "circuitbreaker.instances.a.record-failure-predicate=com.example.Predicate",
                "timelimiter.instances.a.timeout-duration=100ms",
                "retry.instances.b.retry-exceptions=java.io.IOException",
                "circuitbreaker.instances.b.failure-rate-threshold=90",
                "timelimiter.configs.default.timeout-duration=1s")) {
            assertThat(made.text())
                    .contains("(java.util.concurrent.TimeoutException) is no failure for the circuit breaker, unless a"
                            + " predicate says otherwise. Here the breaker counts it, whatever the classifier says\n")
                    .contains("(java.util.concurrent.TimeoutException) is not repeated. Here the retry repeats it,"
                            + " whatever the classifier says. Say idempotent(false)");
        }
    }

    @Test
    void timeoutThatIsTakenAsInResilience4jIsNoTrap() throws IOException {
        try (Migrated made = migrated(
                "retry.instances.listed.retry-exceptions=java.util.concurrent.TimeoutException",
                "circuitbreaker.instances.listed.record-exceptions=java.lang.Throwable",
                "timelimiter.instances.listed.timeout-duration=1s",
                "retry.instances.all.ignore-exceptions=java.io.IOException",
                "timelimiter.instances.all.timeout-duration=1s",
                "retry.instances.unlimited.retry-exceptions=java.io.IOException",
                "bulkhead.instances.alone.max-concurrent-calls=3",
                "timelimiter.instances.alone.timeout-duration=1s")) {
            assertThat(made.text()).doesNotContain("whatever the classifier says", "timeouts of the pipeline");
        }
    }

    /** There each attempt is inside the timeout, and no attempt follows it. */
    @Test
    @Logs("timeout-outside-retry")
    void timeoutOutsideTheRetryIsNoTrap() throws IOException {
        try (Migrated made = migrated(
                "timelimiter.time-limiter-aspect-order=1",
                "retry.instances.a.retry-exceptions=java.io.IOException",
                "timelimiter.instances.a.timeout-duration=1s")) {
            assertThat(made.pipeline("a")).hasToString("a: timeout > retry > call");
            assertThat(made.text()).doesNotContain("whatever the classifier says");
        }
    }

    @Test
    void rejectionsThatTheRetrysListNamesAreRepeated() throws IOException {
        String of = "io.github.resilience4j.";
        String names = "=" + of + "bulkhead.BulkheadFullException," + of + "circuitbreaker.CallNotPermittedException,"
                + of + "ratelimiter.RequestNotPermitted";
        try (Migrated made = migrated(
                "retry.instances.full.retry-exceptions" + names + ",java.io.IOException",
                "bulkhead.instances.full.max-concurrent-calls=1",
                "circuitbreaker.instances.open.record-exceptions" + names,
                "retry.instances.open.retry-exceptions" + names,
                "retry.instances.without.retry-exceptions" + names,
                "bulkhead.instances.unnamed.max-concurrent-calls=1",
                "retry.instances.unnamed.ignore-exceptions" + names)) {
            assertThat(made.retry("full")).contains("retryRejections=true");
            assertThat(made.retry("open")).contains("retryRejections=true");
            assertThat(made.retry("without")).contains("retryRejections=false");
            assertThat(made.retry("unnamed")).contains("retryRejections=false");
            assertThat(made.text())
                    .contains("added: retry-exceptions names BulkheadFullException, CallNotPermittedException,"
                            + " RequestNotPermitted. It holds for the rejections of all policies inside the retry")
                    .contains("#classifier: { failures: [java.io.IOException], ignored: [java.lang.Throwable] }")
                    .contains("#classifier: { ignored: [java.lang.Throwable] }")
                    .contains("no policy that rejects so is inside the retry here")
                    .doesNotContain("rejections are not repeated", "left out:", "failures: [io.", "ignored: [io.");
        }
    }

    @Test
    @Logs("retry-inside-bulkhead|bulkhead-outside-retry")
    void rejectionsOfAPolicyOutsideTheRetryAreNotRepeated() throws IOException {
        try (Migrated made = migrated(
                "bulkhead.bulkhead-aspect-order=1",
                "retry.instances.a.retry-exceptions=io.github.resilience4j.bulkhead.BulkheadFullException",
                "bulkhead.instances.a.max-concurrent-calls=1")) {
            assertThat(made.pipeline("a")).hasToString("a: bulkhead > retry > call");
            assertThat(made.retry("a")).contains("retryRejections=false");
            assertThat(made.text()).contains("no policy that rejects so is inside the retry here");
        }
    }

    @Test
    void whatIsInNoListIsNotCountedAndThatIsSaid() throws Exception {
        String changed = "changed: an exception in no list is a success in resilience4j";
        try (Migrated made = migrated(
                "circuitbreaker.instances.a.record-exceptions=java.io.IOException",
                "circuitbreaker.instances.a.ignore-exceptions=java.lang.IllegalArgumentException")) {
            assertThat(made.text())
                    .containsOnlyOnce(changed)
                    .contains("it does not count, so that the breaker may open earlier")
                    .contains("move it to `successes: [java.lang.Throwable]`");
            Path taken = Files.writeString(
                    directory.resolve("taken.yaml"),
                    made.yaml()
                            .replace("#classifier: {", "classifier: {")
                            .replace(", java.lang.Throwable] }", "], successes: [java.lang.Throwable] }"));
            try (Holdfast holdfast = Holdfast.load(taken)) {
                var classifier = holdfast.pipeline("a").classifier();
                assertThat(classifier.classify(null, new IOException())).isEqualTo(Verdict.FAILURE);
                assertThat(classifier.classify(null, new IllegalArgumentException()))
                        .isEqualTo(Verdict.IGNORED);
                assertThat(classifier.classify(null, new TimeoutException())).isEqualTo(Verdict.SUCCESS);
            }
        }
        try (Migrated made = migrated(
                "retry.instances.alone.retry-exceptions=java.io.IOException",
                "circuitbreaker.instances.b.ignore-exceptions=java.lang.IllegalArgumentException",
                "circuitbreaker.instances.c.sliding-window-size=10")) {
            assertThat(made.text()).contains("classifier: {").doesNotContain(changed);
        }
    }

    @Test
    @Logs("retry-inside-circuit-breaker")
    void methodsWithoutTheRetryGetAPipelineWithoutIt() throws IOException {
        try (Migrated made = migrated(
                "circuitbreaker.instances.a.sliding-window-size=10",
                "retry.instances.a.max-attempts=2",
                "circuitbreaker.instances.breaker.sliding-window-size=10",
                "retry.instances.retry.max-attempts=2")) {
            String note = "{ extends: a, without: [retry] }";
            assertThat(made.text())
                    .contains("note: methods without @Retry(\"a\") get this retry here, too. Give them a pipeline of"
                            + " their own: `" + note + "`")
                    .doesNotContain("@Retry(\"breaker\")", "@Retry(\"retry\")");
            assertThat(alsoWith(made, note)).isEqualTo("more: circuit-breaker > call");
        }
        try (Migrated made = migrated(
                "circuitbreaker.circuit-breaker-aspect-order=1",
                "retry.retry-aspect-order=2",
                "circuitbreaker.instances.a.sliding-window-size=10",
                "bulkhead.instances.a.max-concurrent-calls=10",
                "retry.instances.a.max-attempts=2")) {
            String note = "{ extends: a, without: [retry], order: [circuit-breaker, bulkhead] }";
            assertThat(made.text()).contains("`" + note + "`");
            assertThat(alsoWith(made, note)).isEqualTo("more: circuit-breaker > bulkhead > call");
        }
    }

    /** The policies of one more pipeline of the file. */
    private String alsoWith(Migrated made, String pipeline) throws IOException {
        Path file = Files.writeString(directory.resolve("more.yaml"), made.yaml() + "  more: " + pipeline + "\n");
        try (Holdfast holdfast = Holdfast.load(file)) {
            return holdfast.pipeline("more").toString();
        }
    }

    @Test
    void timeLimitOfCodeAloneIsALineThatCanBeTaken() throws IOException {
        try (Migrated made = migrated(
                "timelimiter.configs.default.timeout-duration=3s",
                "retry.configs.default.max-attempts=4",
                "bulkhead.instances.a.max-concurrent-calls=3",
                "timelimiter.instances.b.timeout-duration=2s",
                "retry.instances.b.max-attempts=2")) {
            assertThat(made.text())
                    .contains("trap: no time limit in the file: a call that hangs is not ended.")
                    .contains(
                            "note: if your code has @TimeLimiter(\"a\"), its limit is that of configs.default:\n",
                            "\n #timeout: 3s # if so, take the first # away\n")
                    .contains(
                            "note: if your code has @Retry(\"a\"), resilience4j gives it configs.default of its kind.")
                    .doesNotContain("@TimeLimiter(\"b\")", "has @Retry(\"b\")");
            Path taken = Files.writeString(
                    directory.resolve("taken.yaml"), made.yaml().replace("#timeout: 3s", "timeout: 3s"));
            try (Holdfast holdfast = Holdfast.load(taken)) {
                assertThat(holdfast.pipeline("a").policy(TimeoutPolicy.class).limit())
                        .isEqualTo(Duration.ofSeconds(3));
            }
        }
    }

    @Test
    void whatNeedsCodeNamesItsPage() throws IOException {
        try (Migrated made = migrated(
                "retry.instances.a.retry-exceptions[0]=java.io.IOException",
                "retry.instances.a.retry-exceptions[1]=java.net.ConnectException",
                "retry.instances.a.result-predicate=com.example.Empty",
                "retry.instances.a.interval-bi-function=com.example.Waits",
                "retry.instances.a.consume-result-before-retry-attempt=com.example.Close",
                "retry.instances.a.fail-after-max-attempts=true",
                "circuitbreaker.instances.a.record-failure-predicate=com.example.Bad",
                "thread-pool-bulkhead.instances.a.context-propagators=com.example.Mdc")) {
            assertThat(made.text())
                    .contains(
                            "in code: retry-exceptions = java.io.IOException, java.net.ConnectException; the pipeline's"
                                    + " classifier")
                    .contains("in code: result-predicate = com.example.Empty; the pipeline's classifier")
                    .contains("in code: interval-bi-function = com.example.Waits; bind a function")
                    .contains(
                            "in code: consume-result-before-retry-attempt = com.example.Close; the operation's discard")
                    .contains("without meaning: fail-after-max-attempts = true;")
                    .contains("in code: record-failure-predicate = com.example.Bad;")
                    .contains("in code: context-propagators = com.example.Mdc; register it as context");
        }
    }

    @Test
    void everySettingOfABreakerIsKept() throws IOException {
        String a = "circuitbreaker.instances.a.";
        try (Migrated made = migrated(
                a + "failure-rate-threshold=62.5",
                a + "slow-call-rate-threshold=80",
                a + "slow-call-duration-threshold=2s",
                a + "sliding-window-type=TIME_BASED",
                a + "sliding-window-size=30",
                a + "minimum-number-of-calls=7",
                a + "permitted-number-of-calls-in-half-open-state=3",
                a + "max-wait-duration-in-half-open-state=4s",
                a + "transition-to-state-after-wait-duration=CLOSED",
                a + "wait-duration-in-open-state=1500",
                a + "enable-exponential-backoff=true",
                a + "exponential-backoff-multiplier=2",
                a + "exponential-max-wait-duration-in-open-state=1m",
                a + "automatic-transition-from-open-to-half-open-enabled=true",
                a + "initial-state=METRICS_ONLY")) {
            var breaker = made.breaker("a");
            assertThat(breaker.failureRateThreshold()).isEqualTo(62.5);
            assertThat(breaker.slowCallRateThreshold()).isEqualTo(80);
            assertThat(breaker.slowCallDurationThreshold()).isEqualTo(Duration.ofSeconds(2));
            assertThat(breaker.slidingWindowType()).isEqualTo(SlidingWindowType.TIME_BASED);
            assertThat(breaker.slidingWindowSize()).isEqualTo(30);
            assertThat(breaker.minimumNumberOfCalls()).isEqualTo(7);
            assertThat(breaker.permittedNumberOfCallsInHalfOpenState()).isEqualTo(3);
            assertThat(breaker.maxWaitDurationInHalfOpenState()).isEqualTo(Duration.ofSeconds(4));
            assertThat(breaker.transitionToStateAfterWaitDuration()).isEqualTo(State.CLOSED);
            assertThat(breaker.waitDurationInOpenState()).isEqualTo(Duration.ofMillis(1_500));
            assertThat(breaker.waitMultiplierInOpenState()).isEqualTo(2);
            assertThat(breaker.maxWaitDurationInOpenState()).isEqualTo(Duration.ofMinutes(1));
            assertThat(breaker.automaticTransitionFromOpenToHalfOpenEnabled()).isTrue();
            assertThat(breaker.initialState()).isEqualTo(State.METRICS_ONLY);
            assertThat(made.summary()).startsWith("1 pipeline: 15 kept, 1 added, 1 not written, 1 trap");
        }
    }

    @Test
    void whatABreakerDoesNotSayIsOurDefaultAndSaysSo() throws IOException {
        try (Migrated made = migrated("circuitbreaker.instances.a.register-health-indicator=true")) {
            assertThat(made.breaker("a").failureRateThreshold()).isEqualTo(90);
            assertThat(made.breaker("a").waitDurationInOpenState()).isEqualTo(Duration.ofMillis(100));
            assertThat(made.text())
                    .contains("failure-rate-threshold (there 50, here 90)", "sliding-window-size (there 100, here 50)")
                    .contains("wait-duration-in-open-state (there 60s, here 100ms at first, growing to 2s)")
                    .contains("without meaning: register-health-indicator = true; there is no health indicator"
                            + " by default; with Spring Boot see Health (page \"Spring Boot\")");
        }
    }

    @Test
    void outageThatResilience4jDoesNotKnowOpensNoBreaker() throws IOException {
        try (Migrated made = migrated(
                "circuitbreaker.instances.a.minimum-number-of-calls=100",
                "circuitbreaker.instances.b.failure-rate-threshold=80")) {
            assertThat(made.breaker("a").outageDurationThreshold()).isZero();
            assertThat(made.breaker("b").outageDurationThreshold()).isZero();
            assertThat(made.text())
                    .contains("outage-duration-threshold: 0s # added: resilience4j has no such rule\n")
                    .contains("A Retry-After holds the breaker open for up to 10s (max-pushback-hold)");
        }
    }

    @Test
    @Logs("pipeline 'written': .*probes-above-permits")
    void probesOfTheCommandAreNoMoreThanThePermitsInside() throws IOException {
        try (Migrated made = migrated(
                "circuitbreaker.instances.few.sliding-window-size=10",
                "bulkhead.instances.few.max-concurrent-calls=4",
                "circuitbreaker.instances.pool.sliding-window-size=10",
                "thread-pool-bulkhead.instances.pool.max-thread-pool-size=3",
                "circuitbreaker.instances.many.sliding-window-size=10",
                "bulkhead.instances.many.max-concurrent-calls=5",
                "circuitbreaker.instances.written.permitted-number-of-calls-in-half-open-state=9",
                "bulkhead.instances.written.max-concurrent-calls=4")) {
            assertThat(made.breaker("few").permittedNumberOfCallsInHalfOpenState())
                    .isEqualTo(4);
            assertThat(made.breaker("pool").permittedNumberOfCallsInHalfOpenState())
                    .isEqualTo(3);
            assertThat(made.breaker("many").permittedNumberOfCallsInHalfOpenState())
                    .isEqualTo(5);
            assertThat(made.breaker("written").permittedNumberOfCallsInHalfOpenState())
                    .isEqualTo(9);
            assertThat(made.pipeline("few").warnings()).isEmpty();
            assertThat(made.text())
                    .contains("# added: there 10, here 5, and the bulkhead has no more permits\n permitted-");
        }
    }

    @Test
    @Logs("circuit-breaker-inside-bulkhead")
    void probesOfTheCommandDoNotHeedABulkheadOutside() throws IOException {
        try (Migrated made = migrated(
                "bulkhead.bulkhead-aspect-order=1",
                "circuitbreaker.instances.a.sliding-window-size=10",
                "bulkhead.instances.a.max-concurrent-calls=4")) {
            assertThat(made.breaker("a").permittedNumberOfCallsInHalfOpenState())
                    .isEqualTo(5);
        }
    }

    @Test
    void minimumOfAWrittenWindowIsThatOfResilience4j() throws IOException {
        try (Migrated made = migrated(
                "circuitbreaker.instances.small.sliding-window-size=8",
                "circuitbreaker.instances.large.sliding-window-size=300",
                "circuitbreaker.instances.time.sliding-window-type=TIME_BASED",
                "circuitbreaker.instances.time.sliding-window-size=8",
                "circuitbreaker.instances.alone.minimum-number-of-calls=80")) {
            assertThat(made.breaker("small").minimumNumberOfCalls()).isEqualTo(8);
            assertThat(made.breaker("large").minimumNumberOfCalls()).isEqualTo(100);
            assertThat(made.breaker("time").minimumNumberOfCalls()).isEqualTo(100);
            assertThat(made.breaker("alone").minimumNumberOfCalls()).isEqualTo(80);
            assertThat(made.breaker("alone").slidingWindowSize()).isEqualTo(100);
        }
    }

    @Test
    void waitOfABreakerDoesNotGrowIfNothingIsWritten() throws IOException {
        try (Migrated made = migrated(
                "circuitbreaker.instances.a.wait-duration-in-open-state=60s",
                "circuitbreaker.instances.a.enable-randomized-wait=true",
                "circuitbreaker.instances.a.allow-health-indicator-to-fail=true",
                "circuitbreaker.instances.a.failure-rate-threshold=50")) {
            assertThat(made.breaker("a").waitMultiplierInOpenState()).isEqualTo(1);
            assertThat(made.text())
                    .contains("trap: so long the breaker rejects everything")
                    .contains("trap: at such a threshold")
                    .contains("trap: with allow-health-indicator-to-fail")
                    .contains("in code: enable-randomized-wait = true; bind an IntervalFunction");
        }
    }

    private String tellsOfWaits(String... more) throws IOException {
        List<String> properties = new ArrayList<>(List.of("retry.instances.a.max-attempts=3"));
        properties.addAll(List.of(more));
        try (Migrated made = migrated(properties.toArray(String[]::new))) {
            return made.text().replaceAll("\\n *#  ", "");
        }
    }

    @Test
    @Logs("retry-waits-without-deadline")
    void retryOutsideALongOpenBreakerIsATrap() throws IOException {
        String breaker = "circuitbreaker.instances.a.";
        String wait = breaker + "wait-duration-in-open-state=";
        String trap = "trap: a call that failed waits for its next attempt until the breaker allows one, for up to ";

        assertThat(tellsOfWaits(wait + "20s"))
                .contains(trap + "20s. In resilience4j it does not wait for the breaker. Add a deadline");
        assertThat(tellsOfWaits(wait + "20s", "timelimiter.instances.a.timeout-duration=1s"))
                .contains(trap + "20s");
        assertThat(tellsOfWaits(wait + "2m")).contains(trap + "30s");
        assertThat(tellsOfWaits(
                        wait + "1s",
                        breaker + "enable-exponential-backoff=true",
                        breaker + "exponential-backoff-multiplier=1.5"))
                .as("it grows without an end")
                .contains(trap + "30s");
        assertThat(tellsOfWaits(wait + "5s")).doesNotContain(trap);
        assertThat(tellsOfWaits(breaker + "failure-rate-threshold=50"))
                .as("the breaker's default is 2 s")
                .doesNotContain(trap);
    }

    @Test
    @Logs("retry-inside-circuit-breaker")
    void retryInsideALongOpenBreakerWaitsForNothing() throws IOException {
        assertThat(tellsOfWaits(
                        "circuitbreaker.instances.a.wait-duration-in-open-state=20s",
                        "retry.retry-aspect-order=5",
                        "circuitbreaker.circuit-breaker-aspect-order=2"))
                .doesNotContain("a call that failed waits");
    }

    @Test
    void endlessGrowthOfABreakersWaitEndsAtADay() throws IOException {
        try (Migrated made = migrated(
                "circuitbreaker.instances.a.wait-duration-in-open-state=1s",
                "circuitbreaker.instances.a.enable-exponential-backoff=true")) {
            assertThat(made.breaker("a").waitMultiplierInOpenState()).isEqualTo(1.5);
            assertThat(made.breaker("a").maxWaitDurationInOpenState()).isEqualTo(Duration.ofDays(1));
            assertThat(made.text()).contains("Choose a much shorter one");
        }
    }

    @Test
    void rateLimiterBecomesAThrottle() throws IOException {
        try (Migrated made = migrated(
                "ratelimiter.instances.a.limit-for-period=200",
                "ratelimiter.instances.a.limit-refresh-period=2s",
                "ratelimiter.instances.a.timeout-duration=0")) {
            assertThat(made.throttle("a").limit()).isEqualTo(200);
            assertThat(made.throttle("a").per()).isEqualTo(Duration.ofSeconds(2));
            assertThat(made.throttle("a").maxWait()).isZero();
            assertThat(made.text()).contains("twice the limit").doesNotContain("no time limit");
        }
    }

    @Test
    void theWholeLimitMayStartAtOnceAsInResilience4j() throws IOException {
        try (Migrated made = migrated(
                "ratelimiter.instances.a.limit-for-period=${CALLS:200}",
                "ratelimiter.instances.a.limit-refresh-period=1s",
                "ratelimiter.instances.b.limit-for-period=10",
                "ratelimiter.instances.c.limit-refresh-period=1s")) {
            assertThat(made.throttle("a").burst()).isEqualTo(200);
            assertThat(made.throttle("b").burst()).isEqualTo(made.throttle("b").limit());
            assertThat(made.throttle("c").burst()).isEqualTo(50);
            assertThat(made.text())
                    .contains("burst: ${CALLS:200} # added: resilience4j lets the whole limit start at once\n")
                    .contains("So does a burst of the whole limit after a quiet time");
        }
    }

    @Test
    void rateLimiterWithoutAPeriodLimitsNothingAndSaysSo() throws IOException {
        try (Migrated made = migrated("ratelimiter.instances.a.limit-for-period=10")) {
            assertThat(made.throttle("a").limit()).isEqualTo(20_000);
            assertThat(made.throttle("a").per()).isEqualTo(Duration.ofMillis(1));
            assertThat(made.throttle("a").maxWait()).isEqualTo(Duration.ofSeconds(5));
            assertThat(made.text()).contains("resilience4j's period is 500ns: the limit limits nothing");
        }
    }

    @Test
    void periodBelowTheLeastKeepsItsRate() throws IOException {
        try (Migrated made = migrated(
                "ratelimiter.instances.a.limit-for-period=100",
                "ratelimiter.instances.a.limit-refresh-period=500us",
                "ratelimiter.instances.b.limit-refresh-period=300us",
                "ratelimiter.instances.c.limit-for-period=100",
                "ratelimiter.instances.c.limit-refresh-period=1ns",
                "ratelimiter.instances.d.limit-for-period=100",
                "ratelimiter.instances.d.limit-refresh-period=0")) {
            assertThat(made.throttle("a").limit()).isEqualTo(200);
            assertThat(made.throttle("a").per()).isEqualTo(Duration.ofMillis(1));
            assertThat(made.throttle("b").limit()).isEqualTo(167);
            assertThat(made.throttle("c").limit()).isEqualTo(1_000_000);
            assertThat(made.throttle("d").limit()).isEqualTo(100);
            assertThat(made.text())
                    .contains(
                            "changed: limit-for-period = 100; in 500us, and the least period here is 1ms; the rate stays")
                    .contains("limit: 167 # added: resilience4j's default, 50 in 300us")
                    .contains("in 1ns, and the least period here is 1ms; the most here")
                    .doesNotContain("limits nothing");
        }
    }

    /** A monthly quota, and one of less than a call a day. */
    @Test
    void periodAboveTheLongestIsNotExceeded() throws IOException {
        try (Migrated made = migrated(
                "ratelimiter.instances.a.limit-for-period=10000",
                "ratelimiter.instances.a.limit-refresh-period=30d",
                "ratelimiter.instances.b.limit-for-period=2",
                "ratelimiter.instances.b.limit-refresh-period=7d")) {
            assertThat(made.throttle("a").limit()).isEqualTo(333);
            assertThat(made.throttle("a").per()).isEqualTo(Duration.ofDays(1));
            assertThat(made.throttle("b").limit()).isEqualTo(1);
            assertThat(made.text())
                    .contains(
                            "changed: limit-for-period = 10000; in 30d, and the longest period here is 1d; the rate stays")
                    .contains("in 7d, and the longest period here is 1d; the least here, a higher rate");
        }
    }

    @Test
    void aRetryGrowsAsAnyConfigOfItsChainSays() throws IOException {
        try (Migrated made = migrated(
                "retry.configs.default.enable-exponential-backoff=true",
                "retry.configs.default.exponential-backoff-multiplier=4",
                "retry.configs.middle.base-config=default",
                "retry.configs.backend.base-config=middle",
                "retry.configs.backend.max-attempts=4",
                "retry.instances.a.base-config=backend",
                "retry.instances.a.wait-duration=100ms")) {
            assertThat(made.text())
                    .contains("multiplier: 4 # kept")
                    .contains("max: 1600ms")
                    .doesNotContain("heeds it only beside the wait itself");
        }
    }

    @Test
    void besideAWrittenOrderAmongTheLastOnesTheTimeLimiterHasItsOwnPlace() throws IOException {
        String[] kinds = {
            "retry.instances.a.max-attempts=3",
            "circuitbreaker.instances.a.failure-rate-threshold=80",
            "timelimiter.instances.a.timeout-duration=2s",
            "bulkhead.instances.a.max-concurrent-calls=10"
        };
        try (Migrated made = migrated(with(kinds, "retry.retry-aspect-order=2147483647"))) {
            assertThat(made.text()).contains("order: [circuit-breaker, timeout, bulkhead, retry]");
        }
        try (Migrated made = migrated(with(kinds, "retry.retry-aspect-order=5"))) {
            assertThat(made.text()).doesNotContain("order: [");
        }
    }

    private static String[] with(String[] settings, String more) {
        return Stream.concat(Stream.of(settings), Stream.of(more)).toArray(String[]::new);
    }

    @Test
    void aFlagThatIsNotUnderstoodIsNotKept() throws IOException {
        try (Migrated made = migrated(
                "retry.instances.a.wait-duration=1s",
                "retry.instances.a.enable-exponential-backoff=maybe",
                "circuitbreaker.instances.a.wait-duration-in-open-state=1s",
                "circuitbreaker.instances.a.enable-exponential-backoff=maybe")) {
            assertThat(made.text())
                    .doesNotContain("kept: enable-exponential-backoff")
                    .contains("left out: enable-exponential-backoff = maybe; the value is not understood");
        }
    }

    @Test
    void bulkheadIsKept() throws IOException {
        try (Migrated made = migrated(
                "bulkhead.instances.a.max-concurrent-calls=10",
                "bulkhead.instances.a.max-wait-duration=20ms",
                "bulkhead.instances.a.writable-stack-trace-enabled=false",
                "bulkhead.instances.b.max-concurrent-calls=11")) {
            assertThat(made.bulkhead("a").maxConcurrentCalls()).isEqualTo(10);
            assertThat(made.bulkhead("a").maxWait()).isEqualTo(Duration.ofMillis(20));
            assertThat(made.bulkhead("b").maxConcurrentCalls()).isEqualTo(11);
            assertThat(made.text())
                    .contains("without meaning: writable-stack-trace-enabled = false;", "resilience4j rejects at once");
        }
    }

    @Test
    void threadPoolBecomesABulkheadWithThreads() throws IOException {
        try (Migrated made = migrated(
                "thread-pool-bulkhead.instances.a.max-thread-pool-size=8",
                "thread-pool-bulkhead.instances.a.core-thread-pool-size=2",
                "thread-pool-bulkhead.instances.a.queue-capacity=30",
                "thread-pool-bulkhead.instances.a.keep-alive-duration=20ms",
                "timelimiter.instances.a.timeout-duration=700ms",
                "thread-pool-bulkhead.instances.b.queue-capacity=0")) {
            assertThat(made.bulkhead("a").maxConcurrentCalls()).isEqualTo(8);
            assertThat(made.bulkhead("a").maxWaitingCalls()).isEqualTo(30);
            assertThat(made.bulkhead("a").maxWait()).isEqualTo(Duration.ofMillis(700));
            assertThat(made.bulkhead("a").dedicatedThreads()).isTrue();
            assertThat(made.bulkhead("b").maxWait()).isEqualTo(Duration.ofDays(1));
            assertThat(made.text())
                    .contains("trap: resilience4j's pool has 2 threads until its queue is full, and only then up to 8")
                    .contains("without meaning: keep-alive-duration = 20ms;", "the number of processors");
        }
    }

    @Test
    void oneOfTwoBulkheadsIsTaken() throws IOException {
        try (Migrated made = migrated(
                "bulkhead.instances.a.max-concurrent-calls=10", "thread-pool-bulkhead.instances.a.queue-capacity=3")) {
            assertThat(made.bulkhead("a").dedicatedThreads()).isFalse();
            assertThat(made.text()).contains("left out: thread-pool-bulkhead, queue-capacity = 3");
        }
    }

    @Test
    void timeLimiterBecomesATimeout() throws IOException {
        try (Migrated made = migrated(
                "timelimiter.instances.a.timeout-duration=2s",
                "timelimiter.instances.a.cancel-running-future=false",
                "timelimiter.instances.b.cancel-running-future=true")) {
            assertThat(made.timeout("a")).isEqualTo(Duration.ofSeconds(2));
            assertThat(made.timeout("b")).isEqualTo(Duration.ofSeconds(1));
            assertThat(made.text())
                    .contains("changed: cancel-running-future = false; work is always cancelled")
                    .contains("trap: resilience4j's TimeLimiter knows futures only");
        }
    }

    @Test
    void instancesOfOneNameAreOnePipelineInTheDefaultOrder() throws IOException {
        try (Migrated made = migrated(
                "timelimiter.instances.a.timeout-duration=2s",
                "bulkhead.instances.a.max-concurrent-calls=10",
                "ratelimiter.instances.a.limit-refresh-period=1s",
                "circuitbreaker.instances.a.sliding-window-size=10",
                "retry.instances.a.max-attempts=2")) {
            assertThat(made.pipeline("a"))
                    .hasToString("a: retry > circuit-breaker > throttle > bulkhead > timeout > call");
            assertThat(made.text())
                    .contains(
                            "(BulkheadFullException) and opens the breaker",
                            "(RequestNotPermitted) and opens the breaker")
                    .contains("repeats the rejections of an open breaker")
                    .contains("time limit is outside the bulkhead")
                    .contains("nothing limits the whole call");
        }
    }

    @Test
    void trapsThatTheFileHasAvoidedAreNotNamed() throws IOException {
        try (Migrated made = migrated(
                "bulkhead.instances.a.max-concurrent-calls=10",
                "ratelimiter.instances.a.limit-refresh-period=1s",
                "circuitbreaker.instances.a.ignore-exceptions=io.github.resilience4j.bulkhead.BulkheadFullException",
                "circuitbreaker.instances.a.record-exceptions=java.io.IOException",
                "retry.instances.a.retry-exceptions=java.io.IOException")) {
            assertThat(made.text())
                    .doesNotContain("BulkheadFullException) and opens", "RequestNotPermitted) and opens")
                    .doesNotContain("repeats the rejections");
        }
    }

    @Test
    @Logs("retry-inside-circuit-breaker")
    void writtenOrderOfTheAspectsIsKept() throws IOException {
        try (Migrated made = migrated(
                "circuitbreaker.circuit-breaker-aspect-order=1",
                "retry.retryAspectOrder=2",
                "circuitbreaker.instances.a.sliding-window-size=10",
                "retry.instances.a.max-attempts=2")) {
            assertThat(made.pipeline("a")).hasToString("a: circuit-breaker > retry > call");
            assertThat(made.text())
                    .contains("The least number is outermost there", "kept: retryAspectOrder = 2")
                    .containsPattern("must\\s+(# +)?name\\s+(# +)?every\\s+(# +)?section: with a `deadline`")
                    .doesNotContain("repeats the rejections");
        }
    }

    @Test
    void timeoutStaysInsideTheBulkheadUnlessTheirOrderIsWritten() throws IOException {
        String[] kinds = {
            "bulkhead.instances.a.max-concurrent-calls=10",
            "timelimiter.instances.a.timeout-duration=2s",
            "retry.instances.a.max-attempts=2",
            "retry.retry-aspect-order=1",
            "timelimiter.time-limiter-aspect-order=2"
        };
        try (Migrated made = migrated(Arrays.copyOf(kinds, 4))) {
            assertThat(made.pipeline("a")).hasToString("a: retry > bulkhead > timeout > call");
            assertThat(made.text())
                    .contains("time limit is outside the bulkhead")
                    .doesNotContain("order: [");
        }
        try (Migrated made = migrated(kinds)) {
            assertThat(made.pipeline("a")).hasToString("a: retry > timeout > bulkhead > call");
            assertThat(made.text()).doesNotContain("time limit is outside the bulkhead");
        }
    }

    @Test
    void orderThatIsTheDefaultIsNotWritten() throws IOException {
        try (Migrated made = migrated(
                "circuitbreaker.circuit-breaker-aspect-order=2",
                "retry.retry-aspect-order=1",
                "circuitbreaker.instances.a.sliding-window-size=10",
                "retry.instances.a.max-attempts=2")) {
            assertThat(made.yaml()).doesNotContain("order: [");
        }
    }

    @Test
    void numbersOutOfRangeAreTheNearestThatIsAllowed() throws IOException {
        try (Migrated made = migrated(
                "circuitbreaker.instances.a.failure-rate-threshold=0.5",
                "circuitbreaker.instances.a.sliding-window-size=500000",
                "circuitbreaker.instances.a.minimum-number-of-calls=600000",
                "circuitbreaker.instances.a.wait-duration-in-open-state=30d",
                "circuitbreaker.instances.a.max-wait-duration-in-half-open-state=500us",
                "circuitbreaker.instances.b.max-wait-duration-in-half-open-state=0",
                "bulkhead.instances.a.max-concurrent-calls=0",
                "timelimiter.instances.a.timeout-duration=0",
                "retry.instances.a.max-attempts=-3",
                "ratelimiter.instances.a.limit-refresh-period=500d",
                "ratelimiter.instances.a.limit-for-period=99999999999999")) {
            assertThat(made.breaker("a").failureRateThreshold()).isEqualTo(1);
            assertThat(made.breaker("a").slidingWindowSize()).isEqualTo(100_000);
            assertThat(made.breaker("a").minimumNumberOfCalls()).isEqualTo(100_000);
            assertThat(made.breaker("a").waitDurationInOpenState()).isEqualTo(Duration.ofDays(1));
            assertThat(made.breaker("a").maxWaitDurationInHalfOpenState()).isEqualTo(Duration.ofMillis(1));
            assertThat(made.breaker("b").maxWaitDurationInHalfOpenState()).isZero();
            assertThat(made.bulkhead("a").maxConcurrentCalls()).isEqualTo(1);
            assertThat(made.timeout("a")).isEqualTo(Duration.ofMillis(1));
            assertThat(made.throttle("a").per()).isEqualTo(Duration.ofDays(1));
            assertThat(made.throttle("a").limit()).isEqualTo(1_000_000_000);
            assertThat(made.text())
                    .contains("# changed: max-attempts = -3; the least here")
                    .contains("# changed: wait-duration-in-open-state = 30d; the most here");
        }
    }

    @Test
    void valuesThatAreNoneAreLeftOut() throws IOException {
        try (Migrated made = migrated(
                "retry.instances.a.max-attempts=many",
                "retry.instances.a.wait-duration=1 minute",
                "circuitbreaker.instances.a.sliding-window-size=10.5",
                "circuitbreaker.instances.a.sliding-window-type=CALLS",
                "circuitbreaker.instances.a.initial-state=${STATE}",
                "circuitbreaker.instances.a.failure-rate-threshold=50%",
                "circuitbreaker.instances.a.automatic-transition-from-open-to-half-open-enabled=maybe",
                "ratelimiter.instances.a.limit-refresh-period=soon")) {
            assertThat(made.text())
                    .contains("left out: max-attempts = many;", "left out: wait-duration = 1 minute;")
                    .contains("left out: sliding-window-size = 10.5;", "left out: sliding-window-type = CALLS;")
                    .contains("left out: initial-state = ${STATE};", "left out: failure-rate-threshold = 50%;")
                    .contains("-enabled = maybe;", "left out: limit-refresh-period = soon;");
            assertThat(made.retry("a")).isEqualTo(retry(r -> {}));
        }
    }
}
