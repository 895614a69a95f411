/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import dev.holdfast.spi.Policy;
import dev.holdfast.testing.PolicyContract;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;

/** With a rate that lets all through: a limiter of resilience4j reads the machine's clock, and takes nothing back. */
@LogsOfContract
@Logs("throttle-outside-retry")
class ExistingRateLimiterContractTest extends PolicyContract {

    @Override
    protected Policy policy() {
        return ThrottlePolicy.of(RateLimiter.of(
                "theirs",
                RateLimiterConfig.custom()
                        .limitForPeriod(Integer.MAX_VALUE)
                        .limitRefreshPeriod(Duration.ofMillis(1))
                        .timeoutDuration(Duration.ZERO)
                        .build()));
    }

    @Override
    protected void assertNothingHeld(Policy policy) {}
}
