/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.time.Duration;
import java.util.List;
import org.springframework.boot.context.properties.bind.Name;

/** What editors complete below the name of a pipeline. Nothing reads it: the properties are read as the file is. Generated; MetadataTest says how. */
final class HoldfastProperties {
    private HoldfastProperties() {}

    /**
     * A pipeline.
     *
     * @param deadline section deadline
     * @param fallback section fallback
     * @param staleCache section stale-cache
     * @param retry section retry
     * @param hedge section hedge
     * @param circuitBreaker section circuit-breaker
     * @param gate section gate
     * @param adaptiveThrottle section adaptive-throttle
     * @param throttle section throttle
     * @param bulkhead section bulkhead
     * @param timeout section timeout
     * @param chaos section chaos
     * @param classifier section classifier
     * @param keys section keys
     * @param histograms section histograms
     * @param advice whether the pipeline measures its traffic, to give advice. Default: false
     * @param silence names of rules whose warnings and advice are left out
     * @param order all sections, outermost first
     * @param base a template or another pipeline, whose sections this one has, too; standard is built in
     * @param without sections that it does not take over
     */
    record Pipeline(
            Pipeline.Deadline deadline,
            Pipeline.Fallback fallback,
            Pipeline.StaleCache staleCache,
            Pipeline.Retry retry,
            Pipeline.Hedge hedge,
            Pipeline.CircuitBreaker circuitBreaker,
            Pipeline.Gate gate,
            Pipeline.AdaptiveThrottle adaptiveThrottle,
            Pipeline.Throttle throttle,
            Pipeline.Bulkhead bulkhead,
            Pipeline.Timeout timeout,
            Pipeline.Chaos chaos,
            Pipeline.Classifier classifier,
            Pipeline.Keys keys,
            Pipeline.Histograms histograms,
            Boolean advice,
            List<String> silence,
            List<String> order,
            @Name("extends") String base,
            List<String> without) {
        /**
         * Options of this section.
         *
         * @param limit time of the whole call. Default: 10s in Pipeline.standard and in a file; none in code. Range: 1ms to 1d
         * @param mode active, or shadow: it decides and counts, and changes nothing
         */
        record Deadline(Duration limit, String mode) {}

        /**
         * Options of this section.
         *
         * @param function makes an answer of the error (null if the failure was a value). Default: –. Range: a name bound in code
         * @param asyncFunction the same with a CompletionStage. Default: –. Range: a name bound in code
         * @param value always this answer. Default: –. Range: a text; in code any object, also null
         * @param onlyOfOperations no answer of its own, only those of operations and calls. Default: –. Range: true
         * @param onIgnored whether IGNORED outcomes are answered, too. Default: false. Range: true, false
         * @param mode active, or shadow: it decides and counts, and changes nothing
         */
        record Fallback(
                String function,
                String asyncFunction,
                String value,
                Boolean onlyOfOperations,
                Boolean onIgnored,
                String mode) {}

        /**
         * Options of this section.
         *
         * @param fresh how long a value is the answer without a call; 0s: never. Default: 0s. Range: 0s to 365d
         * @param staleWhileRevalidate how long after that it is the answer at once, and is refreshed; 0s: never. Default: 0s. Range: 0s to 365d
         * @param staleIfError how long after the fresh time it is the answer to a failed or slow call; 0s: never. Default: 10m. Range: 0s to 365d
         * @param staleIfSlow after this time a call is slow, and the old value is the answer; 0s: never. Default: measured. Range: 0s, or 1ms to 1h
         * @param keepIfIgnored whether an answer that the classifier calls IGNORED keeps the old value. Default: false. Range: true, false
         * @param freshIfIgnored how long such an answer, if it is a value, is the answer without a call; 0s: never. Default: 0s. Range: 0s to 365d
         * @param refreshAhead the last part of its fresh time in which a value is refreshed; 0: never. Default: 0. Range: 0 to 0.9
         * @param freshness a function from a value to its Freshness: its own times, age and weight. Default: –. Range: a name bound in code
         * @param maxEntries most values; the value that is least likely to be needed again is dropped. Default: 10,000. Range: 1 to 10,000,000
         * @param maxWeight most weight of all values together, beside max-entries. Default: no bound. Range: 1 to 1,000,000,000,000
         * @param maxValueWeight a heavier value is delivered and not kept; at most max-weight. Default: no bound. Range: 1 to 1,000,000,000,000
         * @param weigher a function from a value to its weight, for values that do not say it. Default: –. Range: a name bound in code
         * @param maxFollowers most calls that wait for one leader. Default: 1,000. Range: 0 to 1,000,000
         * @param maxFollowersIfSlow the same while the leader is slow. Default: 100. Range: 0 to 1,000,000
         * @param refreshTimeout longest time of a load in the background, including retries and waits. Default: 10s. Range: 1ms to 1h
         * @param refreshBackoff how long a key is not refreshed after a failed refresh. Default: 1s. Range: 1ms to 1h
         * @param mode active, or shadow: it decides and counts, and changes nothing
         */
        record StaleCache(
                Duration fresh,
                Duration staleWhileRevalidate,
                Duration staleIfError,
                Duration staleIfSlow,
                Boolean keepIfIgnored,
                Duration freshIfIgnored,
                Double refreshAhead,
                String freshness,
                Long maxEntries,
                Long maxWeight,
                Long maxValueWeight,
                String weigher,
                Long maxFollowers,
                Long maxFollowersIfSlow,
                Duration refreshTimeout,
                Duration refreshBackoff,
                String mode) {}

        /**
         * Options of this section.
         *
         * @param maxAttempts number of attempts of a call, including the first. Default: 3. Range: 1 to 1,000,000,000
         * @param backoff section backoff
         * @param interval a function from the number of attempts so far to milliseconds, instead of the backoff. Default: –. Range: a name bound in code
         * @param maxRetryAfter cap of a server's suggestion, before jitter; a retry that the breaker or the gate holds for longer is not made. Default: 30s. Range: 0s to 1d
         * @param budget section budget
         * @param retryRejections whether to retry a call that another policy rejected. Default: false. Range: true, false
         * @param retryInsideRetries whether to retry inside the second or a later attempt of an outer pipeline. Default: false. Range: true, false
         * @param mode active, or shadow: it decides and counts, and changes nothing
         */
        record Retry(
                Long maxAttempts,
                Retry.Backoff backoff,
                String interval,
                Duration maxRetryAfter,
                Retry.Budget budget,
                Boolean retryRejections,
                Boolean retryInsideRetries,
                String mode) {
            /**
             * Options of this section.
             *
             * @param initial longest wait before the second attempt. Default: 50ms. Range: 0s to 1d
             * @param multiplier the wait is multiplied by this from attempt to attempt. Default: 2. Range: 1 to 100
             * @param max the wait does not grow beyond this. Default: 1s. Range: backoff.initial to 1d
             * @param jitter how waits are drawn. Default: full. Range: full, equal, decorrelated, none
             */
            record Backoff(Duration initial, Double multiplier, Duration max, String jitter) {}

            /**
             * Options of this section.
             *
             * @param enabled whether there is a budget. Default: true. Range: true, false
             * @param maxTokens tokens at the start, and the most there can be at low traffic. Default: 10. Range: 1 to 1,000
             * @param tokenRatio tokens for a success, rounded down to three decimals. Default: 0.1. Range: 0.001 to 1,000
             * @param minRetriesPerMinute retries that are allowed by time alone, evenly spaced, none while nothing succeeds. Default: 3. Range: 0 to 60
             * @param replicas how many processes share the retries by time alone. Default: 1. Range: 1 to 10,000, or a name bound in code
             */
            record Budget(
                    Boolean enabled, Long maxTokens, Double tokenRatio, Long minRetriesPerMinute, String replicas) {}
        }

        /**
         * Options of this section.
         *
         * @param delay a fixed delay. Default: none: it is measured. Range: 1ms to 1h
         * @param percentile an attempt is slow if it takes longer than this percentile of the recent ones. Default: 95. Range: 50 to 99.9
         * @param window attempts of this time are recent; at least the newer half of it is used. Default: 30s. Range: 1s to 1h
         * @param minimumCalls how many attempts the window must hold before the delay is measured. Default: 100. Range: 1 to 1,000,000
         * @param initialDelay the delay until then. Default: 500ms. Range: 1ms to 1h
         * @param maxHedges how many attempts may be started beside one, each after the same delay. Default: 1. Range: 1 to 10
         * @param budget section budget
         * @param mode active, or shadow: it decides and counts, and changes nothing
         */
        record Hedge(
                Duration delay,
                Double percentile,
                Duration window,
                Long minimumCalls,
                Duration initialDelay,
                Long maxHedges,
                Hedge.Budget budget,
                String mode) {
            /**
             * Options of this section.
             *
             * @param enabled whether hedges take tokens at all. Default: true. Range: true, false
             */
            record Budget(Boolean enabled) {}
        }

        /**
         * Options of this section.
         *
         * @param failureRateThreshold it opens at this percentage of failed calls in the window. Default: 90. Range: 1 to 100
         * @param slowCallRateThreshold it opens at this percentage of slow calls. Default: 100. Range: 1 to 100
         * @param slowCallDurationThreshold a call is slow if its action ran for longer. Default: 1m. Range: 1ms to 1d
         * @param runningCallsCountAsSlow whether a running call counts as slow once it has run for longer. Default: true. Range: true, false
         * @param slidingWindowType whether the window holds the last calls or the last seconds. Default: count-based. Range: count-based, time-based
         * @param slidingWindowSize size of the window. Default: 50. Range: 1 to 100,000 calls, or 1 to 3,600 seconds
         * @param minimumNumberOfCalls number of calls that the window must hold before its rates count. Default: 20, or the size of a smaller count window. Range: 1 to 1,000,000, in a count window to its size
         * @param outageDurationThreshold it also opens after nothing but failures for this long, and at least five. Default: 2s. Range: 0s, or 1ms to 1d
         * @param permittedNumberOfCallsInHalfOpenState number of probes at first. Default: 5. Range: 1 to 1,000
         * @param probeLease how long a probe keeps its place without a result; 0s: without end. Default: 5s. Range: 0s, or 1ms to 1d
         * @param maxWaitDurationInHalfOpenState longest time half-open; 0s: without end. Default: 0s. Range: 0s, or 1ms to 1d
         * @param transitionToStateAfterWaitDuration the state after that time. Default: open. Range: open, closed
         * @param waitDurationInOpenState first wait in the open state. Default: 100ms. Range: 1ms to 1d
         * @param waitMultiplierInOpenState the wait is multiplied by this each time the probes fail. Default: 1.05. Range: 1 to 10
         * @param maxWaitDurationInOpenState the wait does not grow beyond this. Default: 2s. Range: 1ms to 1d
         * @param waitIntervalFunctionInOpenState the wait for each opening in a row, instead of the three options before. Default: –. Range: a name bound in code
         * @param automaticTransitionFromOpenToHalfOpenEnabled whether it becomes half-open when the wait is over, instead of with the first call after that. Default: false. Range: true, false
         * @param initialState the first state. If a reload changes this option, the breaker goes into the new state. Default: closed. Range: closed, open, half-open, forced-open, disabled, metrics-only
         * @param maxPushbackHold longest time for which a Retry-After holds it open; 0s: not at all. Default: 10s. Range: 0s to 1d
         * @param mode active, or shadow: it decides and counts, and changes nothing
         */
        record CircuitBreaker(
                Double failureRateThreshold,
                Double slowCallRateThreshold,
                Duration slowCallDurationThreshold,
                Boolean runningCallsCountAsSlow,
                String slidingWindowType,
                Long slidingWindowSize,
                Long minimumNumberOfCalls,
                Duration outageDurationThreshold,
                Long permittedNumberOfCallsInHalfOpenState,
                Duration probeLease,
                Duration maxWaitDurationInHalfOpenState,
                String transitionToStateAfterWaitDuration,
                Duration waitDurationInOpenState,
                Double waitMultiplierInOpenState,
                Duration maxWaitDurationInOpenState,
                String waitIntervalFunctionInOpenState,
                Boolean automaticTransitionFromOpenToHalfOpenEnabled,
                String initialState,
                Duration maxPushbackHold,
                String mode) {}

        /**
         * Options of this section.
         *
         * @param maxHold longest time for which a pushback holds all callers; 0s: the gate is off. Default: 10s. Range: 0s to 1d
         * @param maxWait a call waits for the gate if it opens within this time, up to jitter longer; 0s: it is rejected at once. Default: 0s. Range: 0s to 1h
         * @param jitter up to this share of a hold is added for each caller, at random. Default: 0.1. Range: 0 to 1
         * @param defaultHold how long a pushback holds that says no time; 0s: not at all. Default: 0s. Range: 0s to 1d
         * @param mode active, or shadow: it decides and counts, and changes nothing
         */
        record Gate(Duration maxHold, Duration maxWait, Double jitter, Duration defaultHold, String mode) {}

        /**
         * Options of this section.
         *
         * @param multiplier how many calls may be sent for each one that was accepted. Default: 2. Range: 1.1 to 100
         * @param window the time whose calls are counted. Default: 30s. Range: 1s to 1h
         * @param maxRejected the most of the calls that are rejected; with 0 none is. Default: 0.9. Range: 0 to 0.99
         * @param padding so many requests more in the divisor, so that a few failures of few calls reject little. Default: 8. Range: 1 to 1,000,000
         * @param mode active, or shadow: it decides and counts, and changes nothing
         */
        record AdaptiveThrottle(Double multiplier, Duration window, Double maxRejected, Long padding, String mode) {}

        /**
         * Options of this section.
         *
         * @param limit how many calls may start in each per. Default: 50. Range: 1 to 1,000,000,000, at most one for each nanosecond of per
         * @param per the time of the limit. Default: 1s. Range: 1ms to 1d
         * @param burst how many calls may start at once after a quiet time. Default: a tenth of the limit, at least 5 for each process (the limit, if that is less). Range: 1 to the limit
         * @param maxWait longest delay of a call. Default: 0s. Range: 0s to 1h
         * @param replicas how many processes share the limit and the burst. Default: 1. Range: 1 to 10,000, or a name bound in code
         * @param mode active, or shadow: it decides and counts, and changes nothing
         */
        record Throttle(Long limit, Duration per, Long burst, Duration maxWait, String replicas, String mode) {}

        /**
         * Options of this section.
         *
         * @param maxConcurrentCalls number of permits; the maximum of a limit that adapts. Default: 200 for losses, 25 for the others. Range: 1 to 1,000,000
         * @param limit whether and how the limit adapts. Default: losses; fixed if max-concurrent-calls is given alone. Range: fixed, losses, aimd, vegas, gradient2
         * @param minConcurrentCalls minimum of a limit that adapts. Default: 1. Range: 1 to max-concurrent-calls
         * @param initialConcurrentCalls first value of a limit that adapts. Default: for losses 10, or max-concurrent-calls if that is given, fewer with more than 15 replicas; for the others 20; or the nearest allowed value. Range: min-concurrent-calls to max-concurrent-calls
         * @param maxWaitingCalls length of the queue. Default: 100. Range: 0 to 1,000,000
         * @param maxWait longest wait in the queue. Default: 100ms. Range: 0s to 1d
         * @param queueOrder which of the waiting calls is served first. Default: fifo. Range: fifo, lifo, codel
         * @param codelTarget for codel: longest wait in a standing queue. Default: 5ms. Range: 0s to 1d
         * @param codelInterval for codel: a queue that was not empty for this long is a standing queue. Default: 100ms. Range: 1ms to 1d
         * @param lease how long the work of an attempt may continue after its outcome was decided. Default: 1m. Range: 1ms to 1d
         * @param dedicatedThreads whether attempts run on threads of the bulkhead. Default: false. Range: true, false
         * @param replicas how many processes call the dependency. Default: 1. Range: 1 to 10,000, or a name bound in code
         * @param mode active, or shadow: it decides and counts, and changes nothing
         */
        record Bulkhead(
                Long maxConcurrentCalls,
                String limit,
                Long minConcurrentCalls,
                Long initialConcurrentCalls,
                Long maxWaitingCalls,
                Duration maxWait,
                String queueOrder,
                Duration codelTarget,
                Duration codelInterval,
                Duration lease,
                Boolean dedicatedThreads,
                String replicas,
                String mode) {}

        /**
         * Options of this section.
         *
         * @param limit time of everything inside this policy. Default: 3s in Pipeline.standard and in a file; none in code. Range: 1ms to 1d
         * @param mode active, or shadow: it decides and counts, and changes nothing
         */
        record Timeout(Duration limit, String mode) {}

        /**
         * Options of this section.
         *
         * @param enabled confirms that you want faults. Default: false, or the system property holdfast.chaos.enabled. Range: must be true
         * @param seed start of the random sequence. Default: 0. Range: any
         * @param latencyRate share of attempts that wait before their action runs. Default: 0. Range: 0 to 1
         * @param minLatency shortest wait; all waits up to the longest are equally likely. Default: 100ms. Range: 1ns to 1d
         * @param maxLatency longest wait. Default: 1s. Range: min-latency to 1d
         * @param errorRate share of attempts that fail; the action does not run. Default: 0. Range: 0 to 1
         * @param error the error that an attempt fails with. Default: a ChaosException. Range: a Supplier&lt;Throwable&gt;, bound in code
         * @param resultRate share of attempts that answer result; the action does not run. Default: 0. Range: 0 to 1
         * @param result the answer, of the type that your calls return. Default: –. Range: a Supplier, bound in code; required for a result-rate above 0
         * @param hangRate share of attempts that do not end by themselves. Default: 0. Range: 0 to 1
         * @param mode active, or shadow: it decides and counts, and changes nothing
         */
        record Chaos(
                Boolean enabled,
                Long seed,
                Double latencyRate,
                Duration minLatency,
                Duration maxLatency,
                Double errorRate,
                String error,
                Double resultRate,
                String result,
                Double hangRate,
                String mode) {}

        /**
         * Options of this section.
         *
         * @param successes section successes
         * @param failures section failures
         * @param pushbacks section pushbacks
         * @param ignored section ignored
         * @param base a classifier that code binds, for what is in no list
         * @param status a function that code binds, from an answer or an error to its status
         */
        record Classifier(
                List<String> successes,
                List<String> failures,
                List<String> pushbacks,
                List<String> ignored,
                String base,
                String status) {}

        /**
         * Options of this section.
         *
         * @param max most instances; further keys share one more, which is called other. Default: 1,000. Range: 1 to 100,000
         * @param idle an instance that had no call for this long goes. Default: 10m. Range: 1s to 1d
         */
        record Keys(Long max, Duration idle) {}

        /**
         * Options of this section.
         *
         * @param percentiles percentiles that this process computes, such as 0.99. Default: –. Range: at most 20, each 0 to 1
         * @param slo a bucket that ends at each of these times. Default: –. Range: at most 50, each 1us to 1d
         * @param percentileHistogram many buckets, from which a backend computes percentiles. Default: true if there are no percentiles and no slo. Range: true, false
         * @param minimumExpectedValue where the many buckets begin. Default: 1ms. Range: 1us to 1d
         * @param maximumExpectedValue where they end. Default: 30s. Range: 1us to 1d
         */
        record Histograms(
                List<String> percentiles,
                Duration slo,
                Boolean percentileHistogram,
                Duration minimumExpectedValue,
                Duration maximumExpectedValue) {}
    }
}
