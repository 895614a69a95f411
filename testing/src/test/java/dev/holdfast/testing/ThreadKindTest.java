/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.time.VirtualTime;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ThreadKind.Each
class ThreadKindTest {
    /** As the JVM itself says; the method is younger than the build's Java. */
    private static boolean isVirtual(Thread thread) throws ReflectiveOperationException {
        return ThreadKind.ofThisJvm().contains(ThreadKind.VIRTUAL)
                && (boolean) Thread.class.getMethod("isVirtual").invoke(thread);
    }

    private static void assertRightKind(Thread thread) throws ReflectiveOperationException {
        assertThat(isVirtual(thread)).isEqualTo(ThreadKind.current() == ThreadKind.VIRTUAL);
    }

    @Test
    void testItselfRunsOnAThreadOfTheKind() throws Exception {
        assertRightKind(Thread.currentThread());
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    void testWithParametersDoesSoToo(Driver driver) throws Exception {
        assertThat(driver).isNotNull();
        assertRightKind(Thread.currentThread());
    }

    @Test
    void callersSpawnedInVirtualTimeDoSoToo() throws Exception {
        try (VirtualTime time = ThreadKind.current().on(new VirtualTime())) {
            CompletableFuture<Thread> caller = time.spawn(Thread::currentThread);
            time.run();
            assertRightKind(caller.join());
        }
    }

    @Test
    void classIsRunOnceForEachKindOfTheJvm() {
        List<String> kinds = Runtime.version().feature() < 21
                ? List.of("PLATFORM threads")
                : List.of("PLATFORM threads", "VIRTUAL threads");
        assertThat(EachThreadKind.invocations().map(invocation -> invocation.getDisplayName(1)))
                .containsExactlyElementsOf(
                        EachThreadKind.ONLY.isEmpty() ? kinds : List.of(EachThreadKind.ONLY + " threads"));
    }
}
