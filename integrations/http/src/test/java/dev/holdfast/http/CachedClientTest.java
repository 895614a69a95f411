/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testlogs.Logs;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;

/** The contract, through a stale cache that keeps nothing: each body is read into memory, and read again by the caller. */
@DisplayName("java.net.http, stale cache")
@Logs({"two-stale-caches", "cache-that-never-answers"})
class CachedClientTest extends HoldfastHttpClientTest {
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
