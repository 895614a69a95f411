/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;

/** As an application in a container, which brings this library along and is closed. */
class LoaderGoesTest {
    @TempDir
    Path folder;

    /** The JDK's own equals of a record would keep the class of the last one, on Java 17. */
    @Test
    void reloadedConfigurationThatIsClosedKeepsNoClassLoader() throws Exception {
        WeakReference<ClassLoader> application = new WeakReference<>(reloadedInALoaderOfItsOwn());
        long end = System.nanoTime() + Duration.ofMinutes(5).toNanos();
        while (application.get() != null && System.nanoTime() - end < 0) {
            System.gc();
            Thread.onSpinWait();
        }
        assertThat(application.get()).as("the class loader").isNull();
    }

    private ClassLoader reloadedInALoaderOfItsOwn() throws Exception {
        Path file = folder.resolve("holdfast.yaml");
        Files.writeString(
                file,
                "pipelines: {p: {retry: {max-attempts: 2}, timeout: {limit: 1s}, keys: {max: 5}, histograms: {slo: [1s]}}}");
        ClassLoader application = new URLClassLoader(
                new URL[] {of(Holdfast.class), of(Pipeline.class), of(Yaml.class), of(Nullable.class)},
                ClassLoader.getPlatformClassLoader());
        Class<?> loaded = application.loadClass(Holdfast.class.getName());
        try (AutoCloseable holdfast = (AutoCloseable)
                loaded.getMethod("load", Path.class, Path[].class).invoke(null, file, new Path[0])) {
            loaded.getMethod("pipeline", String.class, String.class).invoke(holdfast, "p", "key");
            loaded.getMethod("reload").invoke(holdfast);
        }
        return application;
    }

    private static URL of(Class<?> loaded) {
        return loaded.getProtectionDomain().getCodeSource().getLocation();
    }
}
