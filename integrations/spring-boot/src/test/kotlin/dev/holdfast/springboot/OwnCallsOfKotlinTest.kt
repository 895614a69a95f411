/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot

import java.util.function.Supplier
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
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

    interface WithBody {
        @Protected("inventory") fun stock(count: Int): String

        fun body(): String = stock(1)

        suspend fun laterBody(): String {
            delay(1)
            return stock(1)
        }

        fun overriddenBody(): String = stock(1)

        fun calledBody(): String = stock(1)
    }

    open class OfBodies : WithBody {
        override fun stock(count: Int): String = "$count"

        override fun overriddenBody(): String = "of its own"

        override fun calledBody(): String = super.calledBody() + "!"
    }

    open class SubOfBodies : OfBodies() {
        override fun body(): String = "of its own, too"
    }

    @Test
    fun `calls in the body of an interface are found`() {
        assertThat(calls(OfBodies::class.java))
            .containsExactlyInAnyOrder(
                "WithBody.body calls stock",
                "WithBody.calledBody calls stock",
                "WithBody.laterBody calls stock",
            )
        assertThat(calls(SubOfBodies::class.java))
            .containsExactlyInAnyOrder("WithBody.calledBody calls stock", "WithBody.laterBody calls stock")
    }

    open class Concurrent {
        @Protected("inventory") open suspend fun later(sku: String = "a"): String = sku

        @Protected("inventory") open fun stock(count: Int): String = "$count"

        open suspend fun elsewhere() = withContext(Dispatchers.Default) { later("b") }

        open suspend fun atTheSameTime() = coroutineScope { listOf(async { later() }, async { later("c") }).awaitAll() }

        open fun blocking() = runBlocking { stock(1) }

        suspend fun afterAWait(): String {
            delay(1)
            return withContext(Dispatchers.Default) {
                delay(1)
                stock(2)
            }
        }

        open fun inObject() =
            object : Supplier<String> {
                override fun get(): String = stock(3)
            }

        open suspend fun waits(): String {
            delay(1)
            delay(1)
            return "a"
        }

        open suspend fun throughProxy(other: Concurrent) = coroutineScope { async { other.later("b") }.await() }

        open suspend fun throughReceiver(other: Concurrent) = other.run { coroutineScope { async { later("b") }.await() } }

        private suspend fun <T> with(one: Concurrent, work: suspend Concurrent.(Concurrent) -> T): T = one.work(one)

        open suspend fun throughGivenReceiver(other: Concurrent) = with(other) { later("b") }

        open suspend fun throughParameter(other: Concurrent) = with(other) { it.later("b") }

        open suspend fun throughProxyOfAnother(all: Supplier<Concurrent>) = coroutineScope { all.get().later("b") }

        suspend fun Concurrent.extension() = coroutineScope { later("b") }

        open fun ofItsOwnKind() =
            object : Concurrent() {
                override fun stock(count: Int): String = super.stock(count) + super.stock(1)

                fun another(): String = stock(4)
            }
    }

    open class SubOfConcurrent : Concurrent() {
        override fun blocking() = "of its own"
    }

    @Test
    fun `calls in what a function makes are found`() {
        val all =
            listOf("afterAWait calls stock", "atTheSameTime calls later", "elsewhere calls later", "inObject calls stock")
        assertThat(calls(Concurrent::class.java))
            .containsExactlyInAnyOrderElementsOf(all + "blocking calls stock")
        assertThat(calls(SubOfConcurrent::class.java)).containsExactlyInAnyOrderElementsOf(all.map { "Concurrent.$it" })
    }

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
