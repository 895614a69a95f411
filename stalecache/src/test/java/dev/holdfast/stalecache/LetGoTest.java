/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Cache;
import dev.holdfast.Pipeline;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** An application in a container, which brings this library along, and ends. */
class LetGoTest {
    /** What the application does. */
    public static final class Application implements Runnable {
        /** Made by its name. */
        public Application() {}

        @Override
        public void run() {
            StaleCachePolicy cache = StaleCachePolicy.of(c -> c.fresh(Duration.ofHours(1)));
            try (Pipeline pipeline = Pipeline.of("p", cache)) {
                pipeline.<String>operation("o").key("k").<RuntimeException>call(attempt -> "v");
            }
        }
    }

    @Test
    void closedCacheKeepsNoClassLoader() throws Exception {
        WeakReference<ClassLoader> ended = new WeakReference<>(runInALoaderOfItsOwn());
        long end = System.nanoTime() + Duration.ofMinutes(5).toNanos();
        while (ended.get() != null && System.nanoTime() - end < 0) {
            System.gc();
            Thread.onSpinWait();
        }
        assertThat(ended.get()).isNull();
    }

    private static ClassLoader runInALoaderOfItsOwn() throws Exception {
        URL[] classes = Stream.of(
                        Application.class, StaleCachePolicy.class, Pipeline.class, Cache.class, Nullable.class)
                .map(one -> one.getProtectionDomain().getCodeSource().getLocation())
                .toArray(URL[]::new);
        ClassLoader loader = new URLClassLoader(classes, ClassLoader.getPlatformClassLoader());
        loader.loadClass(Application.class.getName())
                .asSubclass(Runnable.class)
                .getConstructor()
                .newInstance()
                .run();
        return loader;
    }
}
