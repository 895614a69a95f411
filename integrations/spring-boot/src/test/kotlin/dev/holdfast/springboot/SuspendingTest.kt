/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot

import dev.holdfast.CallTimeoutException
import java.io.IOException
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.springframework.boot.autoconfigure.AutoConfigurations
import org.springframework.boot.test.context.runner.ApplicationContextRunner

/** Suspending functions with [Protected]. */
class SuspendingTest {
    private val runner =
        ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration::class.java))
            .withBean(Inventory::class.java)
            .withPropertyValues(
                "holdfast.pipelines.inventory.retry.max-attempts=3",
                "holdfast.pipelines.inventory.retry.backoff.initial=1ms",
                "holdfast.pipelines.inventory.stale-cache.fresh=1h",
                "holdfast.pipelines.slow.timeout=50ms",
            )

    open class Inventory {
        private val calls = AtomicInteger()

        @Protected("inventory")
        open suspend fun stock(sku: String): String {
            delay(1)
            if (calls.incrementAndGet() % 2 == 1) {
                throw IOException("the first time")
            }
            return sku + calls
        }

        @Protected("slow")
        open suspend fun hangs(): String = CompletableDeferred<String>().await()
    }

    private fun with(test: suspend (Inventory) -> Unit) {
        runner.run { context -> runBlocking { test(context.getBean(Inventory::class.java)) } }
    }

    @Test
    fun `each attempt calls the function, and its arguments are the key`() = with { inventory ->
        assertThat(inventory.stock("a")).isEqualTo("a2")
        assertThat(inventory.stock("a")).isEqualTo("a2")
        assertThat(inventory.stock("b")).isEqualTo("b4")
    }

    @Test
    fun `a timeout strikes`() = with { inventory ->
        assertThrows<CallTimeoutException> { runBlocking { inventory.hangs() } }
    }
}
