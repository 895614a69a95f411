/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot

import io.micrometer.core.instrument.MeterRegistry
import io.micrometer.core.instrument.simple.SimpleMeterRegistry
import java.io.IOException
import kotlinx.coroutines.runBlocking
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import org.springframework.boot.autoconfigure.AutoConfigurations
import org.springframework.boot.test.context.runner.ApplicationContextRunner

/** Functions whose names the compiler of Kotlin changes: of value classes, and internal ones. */
class ValueClassesTest {
    private val runner =
        ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration::class.java))
            .withBean(MeterRegistry::class.java, ::SimpleMeterRegistry)
            .withPropertyValues("holdfast.pipelines.inventory.fallback.only-of-operations=true")

    private fun refuses(type: Class<*>, vararg parts: String) {
        runner.withBean(type).run { context ->
            assertThat(context.startupFailure).rootCause().hasMessageContainingAll(*parts)
        }
    }

    @JvmInline value class Sku(val value: String)

    @JvmInline value class Id(val value: String)

    open class Inventory {
        @Protected("inventory", fallback = "instead") open fun price(sku: Sku): Id = fails()

        open fun instead(sku: Sku, error: IllegalStateException): Id = Id("instead of ${sku.value}")

        open fun instead(sku: Sku): Id = Id("never")

        private fun instead(sku: String, error: IllegalStateException): String = "of a String $sku"

        @Protected("inventory", fallback = "instead") open fun price(sku: String): String = fails()

        @Protected("inventory", fallback = "briefly")
        open suspend fun later(sku: Sku): String = fails()

        private suspend fun briefly(sku: Sku): String = "briefly ${sku.value}"

        @Protected("inventory", fallback = "hiddenToo") internal open fun hidden(): String = fails()

        internal open fun hiddenToo(error: IllegalStateException): String = "hidden ${error.message}"

        private fun fails(): Nothing = throw IllegalStateException("by intent")
    }

    @Test
    fun `a fallback is found by its name in the source`() {
        runner.withBean(Inventory::class.java).run { context ->
            val inventory = context.getBean(Inventory::class.java)
            assertThat(inventory.price(Sku("a")).value).isEqualTo("instead of a")
            assertThat(inventory.price("a")).isEqualTo("of a String a")
            assertThat(runBlocking { inventory.later(Sku("b")) }).isEqualTo("briefly b")
            assertThat(inventory.hidden()).isEqualTo("hidden by intent")
        }
    }

    @Test
    fun `the operation has the name in the source`() {
        runner.withBean(Inventory::class.java).run { context ->
            val inventory = context.getBean(Inventory::class.java)
            inventory.price(Sku("a"))
            runBlocking { inventory.later(Sku("b")) }
            inventory.hidden()
            val meters = context.getBean(MeterRegistry::class.java).meters
            assertThat(meters.filter { it.id.name == "holdfast.calls" }.map { it.id.getTag("operation") })
                .containsExactlyInAnyOrder("price", "later", "hidden")
        }
    }

    open class Missing {
        @Protected("inventory", fallback = "none") open fun price(sku: Sku): String = sku.value
    }

    open class WithOtherParameters {
        @Protected("inventory", fallback = "instead") open suspend fun price(sku: Sku): String = sku.value

        suspend fun instead(sku: Sku, count: Int): String = "$sku $count"
    }

    open class OfAnotherClass {
        @Protected("inventory", fallback = "instead") open fun price(sku: Sku): String = sku.value

        fun instead(id: Id): String = id.value
    }

    open class OfNone {
        @Protected("inventory", fallback = "instead") open fun price(sku: String): String = sku

        fun instead(sku: Sku, error: Throwable): String = sku.value
    }

    @Test
    fun `a message has no signature that is not in the source`() {
        val expected = " with the result and the parameters of price, and perhaps a Throwable after them"
        refuses(Missing::class.java, "Missing has no method none; expected none$expected")
        refuses(
            WithOtherParameters::class.java,
            "has [dev.holdfast.springboot.ValueClassesTest\$WithOtherParameters.instead], which does not fit;",
            "expected suspend instead$expected",
        )
        refuses(OfAnotherClass::class.java, "OfAnotherClass.instead], which does not fit; expected instead$expected")
        refuses(OfNone::class.java, "OfNone.instead], which does not fit; expected String instead(String, Throwable)")
    }

    open class OfSeveral {
        @Protected("inventory", fallback = "instead") open fun price(sku: Sku): String = sku.value

        fun instead(sku: Sku, error: IOException): String = "sku $sku $error"

        fun instead(id: Id, error: IOException): String = "id $id $error"
    }

    @Test
    fun `fallbacks that differ in value classes alone are refused`() {
        refuses(OfSeveral::class.java, "more than one instead that differ in their value classes alone")
    }
}
