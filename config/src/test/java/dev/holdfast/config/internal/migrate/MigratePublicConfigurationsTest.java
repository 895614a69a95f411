/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.retry.RetrySettings;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the command says of the settings of eleven public projects. A line has a place (kind, group, name) and the settings
 * there, as they stood in the project's file: names, numbers and words. Lists of classes are shortened to one class.
 */
@Logs(value = "pipeline '.*': ", sometimes = true)
class MigratePublicConfigurationsTest {
    @TempDir
    Path directory;

    /** The settings as properties, then as YAML: both must give the same. */
    private Migrated project(String... lines) throws IOException {
        List<String> properties = new ArrayList<>();
        List<String> yaml = new ArrayList<>();
        for (String line : lines) {
            String[] words = line.split(" ", -1);
            for (int i = 1; i < words.length; i++) {
                String[] setting = words[i].split("=", 2);
                properties.add("resilience4j." + words[0] + "." + setting[0] + "=" + setting[1]);
                yaml.add("resilience4j." + words[0] + "." + setting[0] + ": '" + setting[1] + "'");
            }
        }
        Path asYaml = Files.write(directory.resolve("application.yml"), yaml);
        Migrated made = Migrated.of(Files.write(directory.resolve("application.properties"), properties));
        assertThat(Migrated.run(asYaml).out())
                .isEqualTo(made.yaml().replace("application.properties", "application.yml"));
        return made;
    }

    private static String retry(int attempts, int initialMillis, double multiplier, int maxMillis, Jitter jitter) {
        return RetrySettings.of(r -> r.maxAttempts(attempts)
                        .initialBackoff(Duration.ofMillis(initialMillis))
                        .multiplier(multiplier)
                        .maxBackoff(Duration.ofMillis(maxMillis))
                        .jitter(jitter))
                .toString();
    }

    /** eugenp/tutorials, spring-boot-modules/spring-boot-resilience4j. */
    @Test
    void eugenpTutorials() throws IOException {
        try (Migrated made = project(
                "circuitbreaker.configs.default registerHealthIndicator=true slidingWindowSize=10 minimumNumberOfCalls=5"
                        + " permittedNumberOfCallsInHalfOpenState=3 automaticTransitionFromOpenToHalfOpenEnabled=true"
                        + " waitDurationInOpenState=5s failureRateThreshold=50 eventConsumerBufferSize=50",
                "circuitbreaker.instances.externalService baseConfig=default",
                "retry.configs.default maxAttempts=3 waitDuration=100",
                "retry.instances.externalService baseConfig=default",
                "timelimiter.configs.default cancelRunningFuture=true timeoutDuration=2s",
                "timelimiter.instances.externalService baseConfig=default",
                "bulkhead.configs.default max-concurrent-calls=3 max-wait-duration=1",
                "bulkhead.instances.externalService baseConfig=default",
                "ratelimiter.configs.default limit-for-period=5 limit-refresh-period=60s timeout-duration=0s"
                        + " allow-health-indicator-to-fail=true subscribe-for-events=true event-consumer-buffer-size=50",
                "ratelimiter.instances.externalService baseConfig=default")) {
            assertThat(made.pipeline("externalService"))
                    .hasToString("externalService: retry > circuit-breaker > throttle > bulkhead > timeout > call");
            assertThat(made.retry("externalService")).isEqualTo(retry(3, 100, 1, 100, Jitter.FULL));
            assertThat(made.breaker("externalService").failureRateThreshold()).isEqualTo(50);
            assertThat(made.breaker("externalService").waitDurationInOpenState())
                    .isEqualTo(Duration.ofSeconds(5));
            assertThat(made.throttle("externalService").limit()).isEqualTo(5);
            assertThat(made.throttle("externalService").per()).isEqualTo(Duration.ofMinutes(1));
            assertThat(made.bulkhead("externalService").maxWait()).isEqualTo(Duration.ofMillis(1));
            assertThat(made.timeout("externalService")).isEqualTo(Duration.ofSeconds(2));
            assertThat(made.summary())
                    .isEqualTo("1 pipeline: 20 kept, 6 added, 1 not written, 5 without meaning, 1 note, 10 traps\n");
        }
    }

    /** PacktPublishing/Microservices-with-Spring-Boot-and-Spring-Cloud-2E, Chapter13. */
    @Test
    void packtMicroservices() throws IOException {
        try (Migrated made = project(
                "timelimiter.instances.product timeoutDuration=2s",
                "retry.instances.product maxAttempts=3 waitDuration=1000"
                        + " retryExceptions=org.springframework.web.reactive.function.client.WebClientResponseException$InternalServerError",
                "circuitbreaker.instances.product allowHealthIndicatorToFail=false registerHealthIndicator=true"
                        + " slidingWindowType=COUNT_BASED slidingWindowSize=5 failureRateThreshold=50"
                        + " waitDurationInOpenState=10000 permittedNumberOfCallsInHalfOpenState=3"
                        + " automaticTransitionFromOpenToHalfOpenEnabled=true"
                        + " ignoreExceptions=se.magnus.api.exceptions.NotFoundException")) {
            assertThat(made.pipeline("product")).hasToString("product: retry > circuit-breaker > timeout > call");
            assertThat(made.retry("product")).isEqualTo(retry(3, 1_000, 1, 1_000, Jitter.FULL));
            assertThat(made.breaker("product").slidingWindowSize()).isEqualTo(5);
            assertThat(made.breaker("product").minimumNumberOfCalls()).isEqualTo(5);
            assertThat(made.timeout("product")).isEqualTo(Duration.ofSeconds(2));
            assertThat(made.text())
                    .contains("in code: retryExceptions =", "in code: ignoreExceptions =")
                    .doesNotContain("repeats the rejections");
        }
    }

    /** thombergs/code-examples, resilience4j/springboot-resilience4j. */
    @Test
    void thombergsCodeExamples() throws IOException {
        try (Migrated made = project(
                "retry.instances.basic maxRetryAttempts=3 waitDuration=2s",
                "retry.instances.intervalFunctionExponentialExample enableExponentialBackoff=true"
                        + " exponentialBackoffMultiplier=2 maxRetryAttempts=6 waitDuration=1s",
                "retry.instances.intervalFunctionRandomExample enableRandomizedWait=true maxRetryAttempts=3"
                        + " randomizedWaitFactor=0.5 waitDuration=2s",
                "retry.instances.predicateExample maxRetryAttempts=3 waitDuration=3s"
                        + " resultPredicate=io.reflectoring.resilience4j.springboot.predicates.ConditionalRetryPredicate",
                "retry.instances.retryAndRateLimitExample maxRetryAttempts=2 waitDuration=1s",
                "ratelimiter.instances.multipleRateLimiters_rpm_limiter limitForPeriod=40 limitRefreshPeriod=1m"
                        + " timeoutDuration=2s",
                "ratelimiter.instances.retryAndRateLimitExample limitForPeriod=1 limitRefreshPeriod=1s"
                        + " timeoutDuration=250ms")) {
            assertThat(made.names()).hasSize(6);
            assertThat(made.retry("intervalFunctionExponentialExample"))
                    .isEqualTo(retry(6, 1_000, 2, 16_000, Jitter.FULL));
            assertThat(made.retry("intervalFunctionRandomExample")).isEqualTo(retry(3, 2_000, 1, 2_000, Jitter.EQUAL));
            assertThat(made.throttle("multipleRateLimiters_rpm_limiter").limit())
                    .isEqualTo(40);
            assertThat(made.throttle("retryAndRateLimitExample").maxWait()).isEqualTo(Duration.ofMillis(250));
            assertThat(made.pipeline("retryAndRateLimitExample"))
                    .hasToString("retryAndRateLimitExample: retry > throttle > call");
            assertThat(made.text()).contains("kept: maxRetryAttempts = 6; resilience4j 2 does not know this name");
        }
    }

    /** resilience4j/resilience4j-spring-boot2-demo, in its version of 2019. */
    @Test
    void resilience4jSpringBoot2Demo() throws IOException {
        try (Migrated made = project(
                "circuitbreaker.configs.default registerHealthIndicator=true ringBufferSizeInClosedState=10"
                        + " ringBufferSizeInHalfOpenState=3 waitInterval=1000 failureRateThreshold=50"
                        + " eventConsumerBufferSize=10",
                "circuitbreaker.configs.shared registerHealthIndicator=true ringBufferSizeInClosedState=100"
                        + " ringBufferSizeInHalfOpenState=30 waitInterval=2000 failureRateThreshold=50"
                        + " eventConsumerBufferSize=10",
                "circuitbreaker.backends.backendA baseConfig=default ringBufferSizeInClosedState=5",
                "circuitbreaker.backends.backendB registerHealthIndicator=true ringBufferSizeInClosedState=10"
                        + " ringBufferSizeInHalfOpenState=3 waitInterval=500 failureRateThreshold=50"
                        + " eventConsumerBufferSize=10"
                        + " recordFailurePredicate=io.github.robwin.exception.RecordFailurePredicate",
                "retry.backends.backendA maxRetryAttempts=3 waitDuration=100"
                        + " retryExceptions=org.springframework.web.client.HttpServerErrorException"
                        + " ignoreExceptions=io.github.robwin.exception.BusinessException",
                "retry.backends.backendB maxRetryAttempts=3 waitDuration=100"
                        + " retryExceptions=org.springframework.web.client.HttpServerErrorException"
                        + " ignoreExceptions=io.github.robwin.exception.BusinessException",
                "bulkhead.backends.backendA maxConcurrentCall=1",
                "bulkhead.backends.backendB maxWaitTime=10 maxConcurrentCall=2")) {
            assertThat(made.breaker("backendA").slidingWindowSize()).isEqualTo(5);
            assertThat(made.breaker("backendA").permittedNumberOfCallsInHalfOpenState())
                    .isEqualTo(3);
            assertThat(made.breaker("backendA").waitDurationInOpenState()).isEqualTo(Duration.ofSeconds(1));
            assertThat(made.bulkhead("backendB").maxConcurrentCalls()).isEqualTo(2);
            assertThat(made.bulkhead("backendB").maxWait()).isEqualTo(Duration.ofMillis(10));
            assertThat(made.text())
                    .contains("left out: resilience4j.circuitbreaker.configs.shared: no instance here has it")
                    .contains("in code: recordFailurePredicate =", "BulkheadFullException");
        }
    }

    /** sivaprasadreddy/spring-boot-microservices-course, order-service. */
    @Test
    void sivaprasadreddyBookstore() throws IOException {
        try (Migrated made = project(
                "retry.backends.catalog-service max-attempts=2 wait-duration=1s",
                "circuitbreaker.backends.catalog-service sliding-window-type=COUNT_BASED sliding-window-size=6"
                        + " minimum-number-of-calls=4 wait-duration-in-open-state=20s"
                        + " permitted-number-of-calls-in-half-open-state=2 failure-rate-threshold=50")) {
            assertThat(made.retry("catalog-service")).isEqualTo(retry(2, 1_000, 1, 1_000, Jitter.FULL));
            assertThat(made.breaker("catalog-service").minimumNumberOfCalls()).isEqualTo(4);
            assertThat(made.breaker("catalog-service").waitDurationInOpenState())
                    .isEqualTo(Duration.ofSeconds(20));
            assertThat(made.summary()).isEqualTo("1 pipeline: 8 kept, 5 added, 1 not written, 1 note, 6 traps\n");
        }
    }

    /** in28minutes/spring-microservices-v2, currency-exchange-service. */
    @Test
    void in28minutesCurrencyExchange() throws IOException {
        try (Migrated made = project(
                "retry.instances.sample-api maxRetryAttempts=5 waitDuration=1s enableExponentialBackoff=true",
                "ratelimiter.instances.default limitForPeriod=2 limitRefreshPeriod=10s",
                "bulkhead.instances.default maxConcurrentCalls=10",
                "bulkhead.instances.sample-api maxConcurrentCalls=10")) {
            assertThat(made.names()).containsExactly("sample-api", "default");
            assertThat(made.retry("sample-api")).isEqualTo(retry(5, 1_000, 1.5, 3_375, Jitter.FULL));
            assertThat(made.throttle("default").limit()).isEqualTo(2);
            assertThat(made.throttle("default").per()).isEqualTo(Duration.ofSeconds(10));
            assertThat(made.throttle("default").maxWait()).isEqualTo(Duration.ofSeconds(5));
            assertThat(made.bulkhead("sample-api").maxConcurrentCalls()).isEqualTo(10);
        }
    }

    /** Nitesh-Nandan/microservice-architecture, ServiceA. */
    @Test
    void niteshNandanServiceA() throws IOException {
        try (Migrated made = project(
                "circuitbreaker.instances.productService register-health-indicator=true event-consumer-buffer-size=10"
                        + " failure-rate-threshold=80 minimum-number-of-calls=5"
                        + " automatic-transition-from-open-to-half-open-enabled=true wait-duration-in-open-state=20s"
                        + " permitted-number-of-calls-in-half-open-state=3 sliding-window-size=10"
                        + " sliding-window-type=COUNT_BASED",
                "retry.instances.productService max-retry-attempts=3 wait-duration=10s",
                "timelimiter.instances.productService timeout-duration=1s cancel-running-future=true",
                "ratelimiter.instances.productService limit-for-period=5 limit-refresh-period=1s timeout-duration=2s",
                "bulkhead.instances.productService max-concurrent-calls=2 max-wait-duration=1s",
                "thread-pool-bulkhead.instances.productService max-thread-pool-size=20 core-thread-pool-size=10"
                        + " queue-capacity=20")) {
            assertThat(made.retry("productService")).isEqualTo(retry(3, 10_000, 1, 10_000, Jitter.FULL));
            assertThat(made.breaker("productService").failureRateThreshold()).isEqualTo(80);
            assertThat(made.bulkhead("productService").maxConcurrentCalls()).isEqualTo(2);
            assertThat(made.bulkhead("productService").dedicatedThreads()).isFalse();
            assertThat(made.text())
                    .contains("left out: thread-pool-bulkhead, max-thread-pool-size = 20")
                    .doesNotContain("trap: at such a threshold");
        }
    }

    /** eazybytes/microservices, section_10/accounts. */
    @Test
    void eazybytesAccounts() throws IOException {
        try (Migrated made = project(
                "circuitbreaker.configs.default slidingWindowSize=10 permittedNumberOfCallsInHalfOpenState=2"
                        + " failureRateThreshold=50 waitDurationInOpenState=10000",
                "retry.configs.default maxAttempts=3 waitDuration=500 enableExponentialBackoff=true"
                        + " exponentialBackoffMultiplier=2 ignoreExceptions=java.lang.NullPointerException"
                        + " retryExceptions=java.util.concurrent.TimeoutException",
                "ratelimiter.configs.default timeoutDuration=1000 limitRefreshPeriod=5000 limitForPeriod=1")) {
            assertThat(made.names()).containsExactly("default");
            assertThat(made.retry("default")).isEqualTo(retry(3, 500, 2, 1_000, Jitter.FULL));
            assertThat(made.breaker("default").minimumNumberOfCalls()).isEqualTo(10);
            assertThat(made.throttle("default").per()).isEqualTo(Duration.ofSeconds(5));
            assertThat(made.throttle("default").maxWait()).isEqualTo(Duration.ofSeconds(1));
            assertThat(made.text()).contains("there are configs and no instances");
        }
    }

    /** wallaceespindola/resilience4j-demo. */
    @Test
    void wallaceespindolaDemo() throws IOException {
        try (Migrated made = project(
                "circuitbreaker.instances.downstream sliding-window-type=COUNT_BASED sliding-window-size=10"
                        + " failure-rate-threshold=50 slow-call-rate-threshold=100 slow-call-duration-threshold=2s"
                        + " permitted-number-of-calls-in-half-open-state=3 wait-duration-in-open-state=10s"
                        + " minimum-number-of-calls=5 register-health-indicator=true event-consumer-buffer-size=10"
                        + " record-exceptions=java.util.concurrent.TimeoutException,java.lang.RuntimeException",
                "retry.instances.downstream max-attempts=3 wait-duration=300ms enable-exponential-backoff=true"
                        + " exponential-backoff-multiplier=2 retry-exceptions=java.lang.RuntimeException"
                        + " event-consumer-buffer-size=10",
                "ratelimiter.instances.downstream limit-for-period=5 limit-refresh-period=1s timeout-duration=200ms"
                        + " register-health-indicator=true",
                "bulkhead.instances.downstream max-concurrent-calls=5 max-wait-duration=100ms",
                "thread-pool-bulkhead.instances.transfer max-thread-pool-size=4 core-thread-pool-size=2"
                        + " queue-capacity=2 keep-alive-duration=20ms",
                "timelimiter.instances.downstream timeout-duration=1500ms cancel-running-future=true")) {
            assertThat(made.retry("downstream")).isEqualTo(retry(3, 300, 2, 600, Jitter.FULL));
            assertThat(made.breaker("downstream").slowCallDurationThreshold()).isEqualTo(Duration.ofSeconds(2));
            assertThat(made.timeout("downstream")).isEqualTo(Duration.ofMillis(1_500));
            assertThat(made.bulkhead("transfer").maxConcurrentCalls()).isEqualTo(4);
            assertThat(made.bulkhead("transfer").maxWaitingCalls()).isEqualTo(2);
            assertThat(made.bulkhead("transfer").dedicatedThreads()).isTrue();
            // A RuntimeException is counted and repeated, and so are the local rejections.
            assertThat(made.text())
                    .contains("(RequestNotPermitted) and opens the breaker", "(BulkheadFullException) and opens")
                    .contains("repeats the rejections of an open breaker", "until its queue is full");
        }
    }

    /** ccruz182/resilience4j-patterns-lab. */
    @Test
    @Logs("retry-inside-circuit-breaker")
    void ccruz182PatternsLab() throws IOException {
        try (Migrated made = project(
                "retry retry-aspect-order=2",
                "retry.instances.fetchPost max-attempts=3 wait-duration=500ms"
                        + " retry-exceptions=java.io.IOException,java.lang.RuntimeException"
                        + " ignore-exceptions=org.springframework.web.client.HttpClientErrorException"
                        + " enable-exponential-backoff=true exponential-backoff-multiplier=2",
                "circuit-breaker circuit-breaker-aspect-order=1",
                "circuit-breaker.instances.fetchPost register-health-indicator=true sliding-window-type=COUNT_BASED"
                        + " sliding-window-size=10 failure-rate-threshold=50 slow-call-rate-threshold=80"
                        + " slow-call-duration-threshold=2s wait-duration-in-open-state=10s"
                        + " permitted-calls-in-half-open-state=3 minimum-number-of-calls=5"
                        + " automatic-transition-from-open-to-half-open-enabled=true"
                        + " record-exceptions=java.io.IOException",
                "bulkhead.instances.fetchComments max-concurrent-calls=6 max-wait-duration=0ms",
                "time-limiter.instances.fetchPostAsync timeout-duration=2s cancel-running-future=true")) {
            assertThat(made.pipeline("fetchPost")).hasToString("fetchPost: circuit-breaker > retry > call");
            assertThat(made.breaker("fetchPost").slowCallRateThreshold()).isEqualTo(80);
            assertThat(made.breaker("fetchPost").permittedNumberOfCallsInHalfOpenState())
                    .isEqualTo(5);
            assertThat(made.bulkhead("fetchComments").maxWait()).isZero();
            assertThat(made.timeout("fetchPostAsync")).isEqualTo(Duration.ofSeconds(2));
            assertThat(made.text())
                    .contains("unknown: permitted-calls-in-half-open-state = 3;")
                    .contains("order: [circuit-breaker, retry]");
        }
    }

    /** resilience4j/resilience4j, the tests of resilience4j-spring-boot4. */
    @Test
    void resilience4jSpringBoot4Tests() throws IOException {
        try (Migrated made = project(
                "scheduled.executor corePoolSize=10",
                "retry retryAspectOrder=399 tags.tag1=tag1Value",
                "retry.configs.sharedConfig maxAttempts=4 waitDuration=100ms retryExceptions=java.io.IOException",
                "retry.backends.retryBackendA baseConfig=sharedConfig",
                "retry.backends.retryBackendC maxAttempts=3 waitDuration=100ms enableExponentialBackoff=true"
                        + " exponentialBackoffMultiplier=2 exponentialMaxWaitDuration=222ms",
                "circuitbreaker circuitBreakerAspectOrder=400",
                "circuitbreaker.configs.default slidingWindowSize=100 slidingWindowType=COUNT_BASED"
                        + " permittedNumberOfCallsInHalfOpenState=10 waitDurationInOpenState=10s failureRateThreshold=60"
                        + " registerHealthIndicator=true allowHealthIndicatorToFail=false",
                "circuitbreaker.backends.backendA slidingWindowSize=6 permittedNumberOfCallsInHalfOpenState=2"
                        + " waitDurationInOpenState=5s failureRateThreshold=70",
                "circuitbreaker.backends.backendC slidingWindowSize=10 enableExponentialBackoff=true"
                        + " exponentialBackoffMultiplier=2 exponentialMaxWaitDurationInOpenState=1111ms"
                        + " permittedNumberOfCallsInHalfOpenState=5 waitDurationInOpenState=1000"
                        + " failureRateThreshold=50",
                "circuitbreaker.backends.backendSharedB baseConfig=default slidingWindowType=TIME_BASED",
                "ratelimiter rateLimiterAspectOrder=401",
                "ratelimiter.configs.default limitForPeriod=10 limitRefreshPeriod=1s timeoutDuration=0"
                        + " subscribeForEvents=true",
                "ratelimiter.limiters.backendA baseConfig=default",
                "bulkhead.configs.default maxWaitDuration=10 maxConcurrentCalls=2 writableStackTraceEnabled=false",
                "bulkhead.backends.backendA maxConcurrentCalls=1",
                "thread-pool-bulkhead.configs.default maxThreadPoolSize=4 coreThreadPoolSize=2 queueCapacity=2"
                        + " keepAliveDuration=1s",
                "thread-pool-bulkhead.backends.backendC maxThreadPoolSize=1 coreThreadPoolSize=1 queueCapacity=1",
                "timelimiter time-limiter-aspect-order=398",
                "timelimiter.configs.default timeoutDuration=1s cancelRunningFuture=false",
                "timelimiter.instances.backendA timeoutDuration=5s",
                "micrometer.timer.instances.backendA metricNames=resilience4j.timer.callsA")) {
            assertThat(made.retry("retryBackendA")).isEqualTo(retry(4, 100, 1, 100, Jitter.FULL));
            assertThat(made.retry("retryBackendC")).isEqualTo(retry(3, 100, 2, 222, Jitter.FULL));
            assertThat(made.pipeline("backendA"))
                    .hasToString("backendA: timeout > circuit-breaker > throttle > bulkhead > call");
            assertThat(made.breaker("backendA").failureRateThreshold()).isEqualTo(70);
            assertThat(made.breaker("backendC").maxWaitDurationInOpenState()).isEqualTo(Duration.ofMillis(1_111));
            assertThat(made.breaker("backendSharedB").minimumNumberOfCalls()).isEqualTo(100);
            assertThat(made.bulkhead("backendA").maxConcurrentCalls()).isEqualTo(1);
            assertThat(made.bulkhead("backendA").maxWait()).isEqualTo(Duration.ofMillis(10));
            assertThat(made.bulkhead("backendC").maxWaitingCalls()).isEqualTo(1);
            assertThat(made.text())
                    .contains("without meaning: resilience4j.scheduled.executor.corePoolSize = 10;")
                    .contains("changed: cancelRunningFuture = false (of configs.default)");
        }
    }
}
