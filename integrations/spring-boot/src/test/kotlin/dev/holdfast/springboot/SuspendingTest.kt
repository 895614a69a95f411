/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot

import dev.holdfast.CallTimeoutException
import dev.holdfast.testlogs.Logs
import java.io.File
import java.io.IOException
import java.lang.reflect.InvocationTargetException
import java.lang.reflect.Method
import java.net.URLClassLoader
import java.util.concurrent.CompletableFuture
import java.util.concurrent.atomic.AtomicInteger
import java.util.stream.Stream
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.runBlocking
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.springframework.boot.autoconfigure.AutoConfigurations
import org.springframework.boot.test.context.runner.ApplicationContextRunner
import org.springframework.http.ResponseEntity
import reactor.core.publisher.Mono

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

    open class OfFlow {
        @Protected("inventory") open suspend fun all(): Flow<String> = flowOf("a", "b")
    }

    open class OfStage {
        @Protected("inventory")
        open suspend fun stock(): CompletableFuture<String> = CompletableFuture.completedFuture("a")
    }

    open class OfDeferred {
        @Protected("inventory") open suspend fun stock(): Deferred<String> = CompletableDeferred("a")
    }

    open class OfStream {
        @Protected("inventory") open suspend fun all(): Stream<String> = Stream.of("a")
    }

    open class OfMono {
        @Protected("inventory") open suspend fun stock(): Mono<String> = Mono.just("a")
    }

    open class OfResponse {
        @Protected("inventory") open suspend fun all(): ResponseEntity<Flow<String>> = ResponseEntity.ok(flowOf("a"))
    }

    interface Repository<T> {
        @Protected("inventory") suspend fun all(): T
    }

    open class OfVariable : Repository<Flow<String>> {
        override suspend fun all(): Flow<String> = flowOf("a", "b")
    }

    open class OfSequence {
        @Protected("inventory") open fun all(): Sequence<String> = sequenceOf("a")
    }

    open class OfLambda {
        @Protected("inventory") open fun stock(): () -> String = { "a" }
    }

    open class OfLazy {
        @Protected("inventory") open fun stock(): Lazy<String> = lazy { "a" }
    }

    open class OfJob {
        @Protected("inventory") open fun stock(): Job = Job()
    }

    open class OfPlainFlow {
        @Protected("inventory") open fun all(): Flow<String> = flowOf("a")
    }

    private fun refuses(type: Class<*>, message: String) {
        runner.withBean(type).run { context ->
            assertThat(context.startupFailure).rootCause().hasMessageContaining(message)
        }
    }

    /** Of a Flow, a call would have the first element alone. */
    @Test
    fun `a function whose result does its work later ends the start`() {
        val later = ", whose work comes after the function; expected what this work gives, as of await() or toList()"
        refuses(OfFlow::class.java, "is suspending and returns Flow$later")
        refuses(OfVariable::class.java, "is suspending and returns Flow$later")
        refuses(OfResponse::class.java, "is suspending and returns ResponseEntity with Flow$later")
        refuses(OfStage::class.java, "is suspending and returns CompletableFuture$later")
        refuses(OfDeferred::class.java, "is suspending and returns Deferred$later")
        refuses(OfStream::class.java, "is suspending and returns Stream$later")
        refuses(OfMono::class.java, "is suspending and returns Mono$later")
    }

    @Test
    fun `so does one that is not suspending`() {
        refuses(OfPlainFlow::class.java, "returns Flow; expected a value")
        refuses(OfSequence::class.java, "returns Sequence; expected a value")
        refuses(OfLambda::class.java, "returns Function0; expected a value")
        refuses(OfLazy::class.java, "returns Lazy; expected a value")
        refuses(OfJob::class.java, "returns Job; expected a value")
    }

    open class OfAny {
        @Protected("inventory")
        open suspend fun stock(later: Boolean): Any =
            if (later) CompletableFuture.completedFuture("later") else "now"
    }

    @Test
    @Logs("OfAny.stock.*returned a CompletableFuture, whose work no policy sees")
    fun `a stage that no type declares is warned of`() {
        runner.withBean(OfAny::class.java).run { context ->
            val bean = context.getBean(OfAny::class.java)
            runBlocking {
                assertThat(bean.stock(false)).isEqualTo("now")
                assertThat(bean.stock(true)).isInstanceOf(CompletableFuture::class.java)
                assertThat(bean.stock(true)).isInstanceOf(CompletableFuture::class.java)
            }
        }
    }

    /** What the start says of [Inventory.stock], with the class path of the test without this artifact. */
    private fun toldWithout(artifact: String): String? {
        val paths =
            System.getProperty("java.class.path")
                .split(File.pathSeparator)
                .filterNot { path -> File(path).name.startsWith("$artifact-") }
                .map { path -> File(path).toURI().toURL() }
        URLClassLoader(paths.toTypedArray(), ClassLoader.getPlatformClassLoader()).use { loader ->
            val bean = loader.loadClass(Inventory::class.java.name)
            val of =
                loader
                    .loadClass("dev.holdfast.springboot.Way")
                    .getMethod("of", Method::class.java, Class::class.java)
            of.isAccessible = true
            return try {
                of.invoke(null, bean.methods.single { it.name == "stock" }, bean)
                null
            } catch (refused: InvocationTargetException) {
                refused.targetException.message
            }
        }
    }

    /** Otherwise each call would fail. */
    @Test
    fun `an artifact that is missing is told at the start`() {
        val version = " (without a version: Spring Boot has it)"
        assertThat(toldWithout("none")).isNull()
        assertThat(toldWithout("kotlinx-coroutines-reactor"))
            .isEqualTo("is suspending, which needs org.jetbrains.kotlinx:kotlinx-coroutines-reactor$version")
        assertThat(toldWithout("kotlin-reflect"))
            .isEqualTo("is suspending, which needs org.jetbrains.kotlin:kotlin-reflect$version")
    }

    @Test
    fun `a timeout strikes`() = with { inventory ->
        assertThrows<CallTimeoutException> { runBlocking { inventory.hangs() } }
    }
}
