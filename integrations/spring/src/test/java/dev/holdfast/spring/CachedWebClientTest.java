/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testlogs.Logs;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;

/** The contract, through a stale cache that keeps nothing: each body is read into memory, and copied for the caller. */
@DisplayName("WebClient, Netty, stale cache")
@Logs({"two-stale-caches", "cache-that-never-answers"})
class CachedWebClientTest extends NettyConnectorTest {
    @Override
    protected List<Policy> around() {
        // Without the function it would warn that it never answers.
        return List.of(StaleCachePolicy.of(c -> c.staleIfError(Duration.ZERO).freshness(value -> null)));
    }

    @Override
    protected int calls() {
        return 1_000;
    }
}
