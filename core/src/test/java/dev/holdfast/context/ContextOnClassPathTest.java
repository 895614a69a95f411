/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.context;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.CallContext;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceConfigurationError;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is named in {@code META-INF/services}, on a class path without Micrometer. */
class ContextOnClassPathTest {
    @TempDir
    Path folder;

    private URLClassLoader withProvider(Class<?> provider) throws Exception {
        Path services = Files.createDirectories(folder.resolve("META-INF/services"));
        Files.writeString(services.resolve(CallContext.class.getName()), provider.getName());
        URL[] classPath = {
            folder.toUri().toURL(),
            locationOf(Pipeline.class),
            locationOf(ContextOnClassPathTest.class),
            locationOf(NullMarked.class)
        };
        return new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader());
    }

    private static URL locationOf(Class<?> type) {
        return type.getProtectionDomain().getCodeSource().getLocation();
    }

    private static Object call(ClassLoader loader) throws ReflectiveOperationException {
        return loader.loadClass(Caller.class.getName()).getMethod("call").invoke(null);
    }

    @Test
    void contextThatIsNamedThereIsCarriedByEveryPipeline() throws Exception {
        try (URLClassLoader loader = withProvider(Tenant.class)) {
            assertThat(call(loader)).isEqualTo("shop");
        }
    }

    @Test
    void oneThatCannotBeMadeIsToldByItsNameToWhoeverBuildsAPipeline() throws Exception {
        try (URLClassLoader loader = withProvider(Broken.class)) {
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> call(loader))
                        .isInstanceOf(InvocationTargetException.class)
                        .cause()
                        .isInstanceOf(ServiceConfigurationError.class)
                        .hasMessageContaining(Broken.class.getName());
            }
        }
    }

    /** A thread-local that is carried. */
    public static final class Tenant implements CallContext {
        static final ThreadLocal<String> CURRENT = new ThreadLocal<>();

        @Override
        public Snapshot capture() {
            String captured = CURRENT.get();
            return () -> {
                CURRENT.set(captured);
                return CURRENT::remove;
            };
        }
    }

    /** Cannot be made. */
    public static final class Broken implements CallContext {
        public Broken() {
            throw new IllegalStateException("broken");
        }

        @Override
        public Snapshot capture() {
            throw new UnsupportedOperationException();
        }
    }

    /** Runs inside the class loader of a test. */
    public static final class Caller {
        private Caller() {}

        public static String call() {
            try (Pipeline pipeline = Pipeline.of("told nothing")) {
                CompletableFuture<String> stage = new CompletableFuture<>();
                Tenant.CURRENT.set("shop");
                CompletableFuture<String> seen = pipeline.callAsync(() -> stage).thenApply(v -> Tenant.CURRENT.get());
                Tenant.CURRENT.remove();
                stage.complete("v");
                return seen.join();
            }
        }
    }
}
