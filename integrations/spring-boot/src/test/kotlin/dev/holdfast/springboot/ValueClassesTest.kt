/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot

import io.micrometer.core.instrument.MeterRegistry
import io.micrometer.core.instrument.simple.SimpleMeterRegistry
import java.io.IOException
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.yield
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

    open class Written {
        @Protected("inventory", fallback = "instead-abcdefg")
        open fun `get-abcdefg`(sku: String): String = fails()

        open fun `instead-abcdefg`(sku: String): String = "instead of $sku"

        @Protected("inventory", fallback = "other-abcdefg")
        open fun `set-abcdefg`(sku: Sku): String = fails()

        open fun `other-abcdefg`(sku: Sku): String = "other than ${sku.value}"

        @get:Protected("inventory") open val price: Id
            get() = Id("12")

        @Protected("inventory") internal open fun `hide-abcdefg`(): String = "hidden"

        private fun fails(): Nothing = throw IllegalStateException("by intent")
    }

    @Test
    fun `what looks as the compiler's suffix belongs to a name that is written so`() {
        runner.withBean(Written::class.java).run { context ->
            val written = context.getBean(Written::class.java)
            assertThat(written.`get-abcdefg`("a")).isEqualTo("instead of a")
            assertThat(written.`set-abcdefg`(Sku("a"))).isEqualTo("other than a")
            assertThat(written.price).isEqualTo(Id("12"))
            assertThat(written.`hide-abcdefg`()).isEqualTo("hidden")
            val meters = context.getBean(MeterRegistry::class.java).meters
            assertThat(meters.filter { it.id.name == "holdfast.calls" }.map { it.id.getTag("operation") })
                .containsExactlyInAnyOrder("get-abcdefg", "set-abcdefg", "getPrice", "hide-abcdefg")
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

    open class OfReference {
        @Protected("inventory") open suspend fun price(sku: String): Id = Id(sku)
    }

    open class OfResult {
        @Protected("inventory")
        open suspend fun price(sku: String): Result<String> = Result.failure(IOException(sku))
    }

    open class OfGeneric : Prices<Id> {
        @Protected("inventory") override suspend fun price(sku: String): Id = Id(sku)
    }

    interface Prices<T> {
        suspend fun price(sku: String): T
    }

    /** Of an answer that is there at once, such as a kept one, the caller would get a boxed one as what is in it. */
    @Test
    fun `a suspending function that returns a value class of a reference ends the start`() {
        val message = ", which no proxy can hand on from a suspending function;"
        refuses(OfReference::class.java, "is suspending and returns the value class ${Id::class.java.name}$message")
        refuses(OfGeneric::class.java, "is suspending and returns the value class ${Id::class.java.name}$message")
        refuses(OfResult::class.java, "is suspending and returns the value class kotlin.Result$message")
    }

    @JvmInline value class Amount(val value: Int)

    open class Kept {
        var calls = 0

        @Protected("kept")
        open suspend fun atOnce(sku: String): Amount = Amount(++calls)

        @Protected("kept")
        open suspend fun later(sku: String): Amount {
            yield()
            return Amount(++calls)
        }

        @Protected("kept", fallback = "instead")
        open suspend fun broken(sku: String): Amount = throw IOException(sku)

        private suspend fun instead(sku: String): Amount {
            yield()
            return Amount(7)
        }

        @Protected("kept") open fun plain(sku: String): Id = Id("$sku${++calls}")

        @Protected("kept") open fun result(sku: String): Result<String> = Result.failure(IOException("${++calls}"))
    }

    @Test
    fun `a kept answer of another value class is that of the function`() {
        runner
            .withBean(Kept::class.java)
            .withPropertyValues(
                "holdfast.pipelines.kept.stale-cache.fresh=1h",
                "holdfast.pipelines.kept.fallback.only-of-operations=true",
            )
            .run { context ->
                val kept = context.getBean(Kept::class.java)
                runBlocking {
                    assertThat(listOf(kept.atOnce("a"), kept.atOnce("a"))).containsOnly(Amount(1))
                    assertThat(listOf(kept.later("a"), kept.later("a"))).containsOnly(Amount(2))
                    assertThat(kept.broken("a")).isEqualTo(Amount(7))
                }
                assertThat(listOf(kept.plain("a"), kept.plain("a"))).containsOnly(Id("a3"))
                assertThat(listOf(kept.result("a"), kept.result("a")).map { it.exceptionOrNull()!!.message })
                    .containsOnly("4")
            }
    }

    interface Sources<K, T> {
        @Protected("kept") suspend fun later(key: K): T
    }

    open class OfInterface : Sources<String, Id> {
        override suspend fun later(key: String): Id = Id(key)
    }

    open class OfPrimitive : Sources<String, Amount> {
        override suspend fun later(key: String): Amount = Amount(key.length)
    }

    open class OfKey : Sources<Sku, String> {
        override suspend fun later(key: Sku): String = key.value
    }

    /** Spring finds no function of Kotlin for the method of the interface, so that each call would fail. */
    @Test
    fun `a value class in place of a type of a generic interface ends the start of a suspending function`() {
        for (type in listOf(OfInterface::class.java, OfPrimitive::class.java, OfKey::class.java)) {
            for (ofClass in listOf("true", "false")) {
                runner
                    .withBean(type)
                    .withPropertyValues("holdfast.pipelines.kept.timeout=1s", "spring.aop.proxy-target-class=$ofClass")
                    .run { context ->
                        assertThat(context.startupFailure)
                            .rootCause()
                            .hasMessageContaining("of which ${type.name} makes one with a value class, which no proxy")
                    }
            }
        }
    }

    interface Plain<K, T> {
        @Protected("kept") fun now(key: K): T
    }

    open class OfPlain : Plain<Sku, Id> {
        override fun now(key: Sku): Id = Id(key.value)
    }

    interface Unprotected<K, T> {
        suspend fun later(key: K): T
    }

    open class OfUnprotected : Unprotected<Sku, String> {
        @Protected("kept", fallback = "instead") override suspend fun later(key: Sku): String = throw IOException(key.value)

        private suspend fun instead(key: Sku): String = "instead of ${key.value}"
    }

    @Test
    fun `other functions of a generic interface may have value classes`() {
        runner
            .withBean(OfPlain::class.java)
            .withBean(OfUnprotected::class.java)
            .withPropertyValues("holdfast.pipelines.kept.fallback.only-of-operations=true")
            .run { context ->
                @Suppress("UNCHECKED_CAST") val plain = context.getBean(Plain::class.java) as Plain<Sku, Id>
                assertThat(plain.now(Sku("a"))).isEqualTo(Id("a"))
                val ofClass = context.getBean(OfUnprotected::class.java)
                assertThat(runBlocking { ofClass.later(Sku("b")) }).isEqualTo("instead of b")
            }
    }
}
