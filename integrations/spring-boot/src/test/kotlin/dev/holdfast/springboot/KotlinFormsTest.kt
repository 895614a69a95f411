/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot

import java.io.IOException
import kotlinx.coroutines.runBlocking
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.springframework.boot.autoconfigure.AutoConfigurations
import org.springframework.boot.test.context.runner.ApplicationContextRunner

/** What Kotlin's compiler makes of functions that Java does not have. */
class KotlinFormsTest {
    private val runner =
        ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration::class.java))
            .withPropertyValues(
                "holdfast.pipelines.inventory.fallback.only-of-operations=true",
                "holdfast.pipelines.inventory.retry.max-attempts=2",
                "holdfast.pipelines.inventory.retry.backoff.initial=1ms",
            )

    interface Stock {
        val calls: MutableList<String>

        @Protected("inventory")
        suspend fun of(sku: String): String {
            calls.add(sku)
            return if (calls.size < 2) throw IOException("the first time") else "12"
        }
    }

    open class InterfaceAlone : Stock {
        override val calls = mutableListOf<String>()
    }

    @Test
    fun `a suspending function may have its body in an interface`() {
        runner.withBean(InterfaceAlone::class.java).run { context ->
            assertThat(runBlocking { context.getBean(Stock::class.java).of("a") }).isEqualTo("12")
        }
    }

    class OutOfStock(cause: Throwable) : RuntimeException(cause)

    open class Translating {
        @Protected("inventory", fallback = "translated") open fun stock(sku: String): String = throw IOException(sku)

        private fun translated(sku: String, error: IOException): Nothing = throw OutOfStock(error)

        @Protected("inventory", fallback = "later") open suspend fun stockLater(sku: String): String = throw IOException(sku)

        private suspend fun later(sku: String, error: Throwable): Nothing = throw OutOfStock(error)
    }

    @Test
    fun `a fallback may return Nothing and throw an error of the service's own`() {
        runner.withBean(Translating::class.java).run { context ->
            val bean = context.getBean(Translating::class.java)
            assertThat(assertThrows<OutOfStock> { bean.stock("a") }).hasRootCauseMessage("a")
            assertThat(assertThrows<OutOfStock> { runBlocking { bean.stockLater("b") } }).hasRootCauseMessage("b")
        }
    }

    open class OfAnything {
        @Protected("inventory", fallback = "instead") open suspend fun stock(sku: String): String = sku

        private suspend fun instead(sku: String): Any = sku
    }

    @Test
    fun `Any is not Nothing`() {
        runner.withBean(OfAnything::class.java).run { context ->
            assertThat(context.startupFailure).rootCause().hasMessageContaining("which does not fit")
        }
    }
}
