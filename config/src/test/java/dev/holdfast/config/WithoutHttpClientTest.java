/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Classifier;
import dev.holdfast.Verdict;
import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A program whose JVM has no {@code java.net.http}: an image of jlink without it, or modules of which none requires it. */
class WithoutHttpClientTest {
    /** Has a {@link ListedClassifier} of its own. */
    private static final class Image extends ClassLoader {
        Image() {
            super(WithoutHttpClientTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (name.startsWith("java.net.http.")) {
                throw new ClassNotFoundException(name);
            }
            return name.equals(ListedClassifier.class.getName()) ? own(name) : super.loadClass(name, resolve);
        }

        private Class<?> own(String name) throws ClassNotFoundException {
            Class<?> known = findLoadedClass(name);
            if (known != null) {
                return known;
            }
            try (InputStream in =
                    Objects.requireNonNull(getResourceAsStream(name.replace('.', '/') + ".class"), "class")) {
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    private final Class<?> type;
    private final Object classifier;

    WithoutHttpClientTest() throws ReflectiveOperationException {
        type = new Image().loadClass(ListedClassifier.class.getName());
        Constructor<?> made = type.getDeclaredConstructor();
        made.setAccessible(true);
        classifier = made.newInstance();
    }

    private Verdict verdict(@Nullable Object value, @Nullable Throwable error) {
        return ((Classifier) classifier).classify(value, error);
    }

    @Test
    void listsOfErrorsWorkWithoutIt() throws Throwable {
        // Not getDeclaredMethod: it looks at all methods, also at those with a class that is missing.
        MethodHandle add = MethodHandles.privateLookupIn(type, MethodHandles.lookup())
                .findVirtual(type, "add", MethodType.methodType(boolean.class, Class.class, Verdict.class))
                .bindTo(classifier);
        assertThat((boolean) add.invoke(IllegalArgumentException.class, Verdict.IGNORED))
                .isTrue();
        assertThat((boolean) add.invoke(IllegalStateException.class, Verdict.PUSHBACK))
                .isTrue();

        assertThat(verdict("value", null)).isEqualTo(Verdict.SUCCESS);
        assertThat(verdict(null, new IOException())).isEqualTo(Verdict.FAILURE);
        assertThat(verdict(null, new IllegalArgumentException())).isEqualTo(Verdict.IGNORED);
        assertThat(verdict(null, new IllegalStateException())).isEqualTo(Verdict.PUSHBACK);
    }
}
