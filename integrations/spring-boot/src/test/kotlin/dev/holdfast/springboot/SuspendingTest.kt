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
                "holdfast.pipelines.inventory.fallback.only-of-operations=true",
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

        @Protected("inventory", fallback = "instead")
        open suspend fun broken(sku: String): String {
            delay(1)
            throw IllegalStateException(sku)
        }

        suspend fun instead(sku: String, error: IllegalStateException): String {
            delay(1)
            return "$sku instead of ${error.message}"
        }

        @Protected("inventory", fallback = "briefly")
        open suspend fun brokenToo(sku: String): String = failed(sku)

        private fun failed(sku: String): String = throw IllegalStateException(sku)

        private suspend fun briefly(sku: String): String {
            delay(1)
            return "instead of $sku"
        }

        @Protected("inventory", fallback = "failing")
        open suspend fun brokenTwice(): String = failed("a")

        suspend fun failing(): String {
            delay(1)
            throw IOException("the fallback, too")
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
    fun `a fallback is a suspending function with the same parameters, and perhaps the error`() = with { inventory ->
        assertThat(inventory.broken("a")).isEqualTo("a instead of a")
        assertThat(inventory.brokenToo("a")).isEqualTo("instead of a")
    }

    @Test
    fun `the error of a fallback is the caller's`() = with { inventory ->
        val thrown = assertThrows<IOException> { runBlocking { inventory.brokenTwice() } }
        assertThat(thrown).hasMessage("the fallback, too")
    }

    open class Wrong {
        @Protected("inventory", fallback = "instead")
        open suspend fun stock(sku: String): String = sku

        suspend fun instead(sku: String): Int = sku.length
    }

    @Test
    fun `a fallback with another result ends the start`() {
        runner.withBean(Wrong::class.java).run { context ->
            assertThat(context.startupFailure)
                .hasStackTraceContaining("expected suspend String instead(String, Throwable)")
        }
    }

    @Test
    fun `a timeout strikes`() = with { inventory ->
        assertThrows<CallTimeoutException> { runBlocking { inventory.hangs() } }
    }
}
