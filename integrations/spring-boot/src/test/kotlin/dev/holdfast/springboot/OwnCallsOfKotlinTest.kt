/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot

import java.util.function.Supplier
import kotlinx.coroutines.delay
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test

/** Calls from inside of a bean, where the compiler of Kotlin puts the code of a function elsewhere. */
class OwnCallsOfKotlinTest {
    @JvmInline value class Sku(val value: String)

    interface Prices {
        @Protected("inventory")
        fun price(sku: String = "a"): String
    }

    open class Inventory : Prices {
        private var proxy: Inventory? = null

        @Protected("inventory") open fun stock(sku: String = "a"): String = sku

        @Protected("inventory") open fun stock(count: Int): String = "$count"

        @Protected("inventory")
        open suspend fun later(sku: String = "a"): String {
            delay(1)
            return sku
        }

        @Protected("inventory") open fun ofValue(sku: Sku): String = sku.value

        @Protected("inventory") internal open fun hidden(): String = "hidden"

        override fun price(sku: String): String = sku

        open fun plain(): String = stock(1)

        open suspend fun atOnce(): String = later("b")

        open suspend fun afterAWait(): String {
            delay(1)
            return stock("b")
        }

        suspend fun closed(): String {
            delay(1)
            return later("b")
        }

        open fun withDefault(): String = stock()

        open suspend fun laterWithDefault(): String {
            delay(1)
            return later() + price()
        }

        open fun asDefault(sku: String = stock("b")): String = sku

        open fun inLambda(): String = Supplier { stock("b") }.get()

        open fun throughProxyInLambda(other: Inventory): String = Supplier { other.stock("b") }.get()

        open suspend fun value(sku: Sku): String = ofValue(sku)

        internal open suspend fun internal(): String = hidden()

        open suspend fun throughProxy(other: Inventory): String {
            delay(1)
            return other.stock("b") + other.stock()
        }

        open suspend fun throughProxyOfField(): String {
            delay(1)
            val other = proxy!!
            delay(1)
            return other.stock()
        }

        open suspend fun throughProxyOfAnother(all: Supplier<Inventory>): String {
            delay(1)
            val other = all.get()
            delay(1)
            return other.later()
        }
    }

    open class Sub : Inventory() {
        override fun stock(sku: String): String = super.stock(sku)

        open fun past(): String = super.stock(1)

        open fun inherited(): String = stock()

        override fun withDefault(): String = "of its own"
    }

    private fun calls(type: Class<*>) =
        OwnCalls.`in`(
            type,
            listOf("stock", "later", "ofValue", "hidden", "price").flatMap { name ->
                type.methods.filter {
                    !it.isBridge && !it.isSynthetic && it.name.matches("$name(-.*|\\$.*)?".toRegex())
                }
            },
        )

    @Test
    fun `calls of Kotlin from inside are found`() {
        assertThat(calls(Inventory::class.java))
            .containsExactlyInAnyOrder(
                "afterAWait calls stock",
                "asDefault calls stock",
                "atOnce calls later",
                "closed calls later",
                "inLambda calls stock",
                "internal calls hidden",
                "laterWithDefault calls later",
                "laterWithDefault calls price",
                "plain calls stock",
                "value calls ofValue",
                "withDefault calls stock",
            )
    }

    @Test
    fun `calls of what a superclass has are found`() {
        assertThat(calls(Sub::class.java))
            .contains("inherited calls stock", "past calls stock", "Inventory.plain calls stock")
            .doesNotContain("stock calls stock", "Inventory.withDefault calls stock")
    }
}
