/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** Methods and their fallbacks whose types a bean's class says, and not the one that declares them. */
class GenericMethodsTest {
    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
            .withPropertyValues("holdfast.pipelines.answered.fallback.only-of-operations=true");

    interface Store<K> {
        @Protected(value = "answered", fallback = "none")
        List<K> find(K key);

        default List<K> none(K key) {
            return List.of(key);
        }
    }

    static class Names implements Store<String> {
        @Override
        public List<String> find(String key) {
            throw new IllegalStateException("by intent");
        }
    }

    @Test
    void aFallbackOfAGenericInterfaceAnswers() {
        for (String ofClass : new String[] {"true", "false"}) {
            runner.withBean(Names.class)
                    .withPropertyValues("spring.aop.proxy-target-class=" + ofClass)
                    .run(context -> {
                        @SuppressWarnings("unchecked") // of the bean
                        Store<String> names = context.getBean(Store.class);
                        assertThat(names.find("a")).containsExactly("a");
                    });
        }
    }

    abstract static class Lookup<K, V, E extends RuntimeException> {
        @Protected(value = "answered", fallback = "instead")
        public abstract V load(K key);

        abstract V none();

        protected V instead(K key, E error) throws IOException {
            return none();
        }
    }

    static class Sizes extends Lookup<String, Integer, UncheckedIOException> {
        @Override
        public Integer load(String key) {
            if (key.isEmpty()) {
                throw new IllegalStateException("empty");
            }
            throw new UncheckedIOException(new IOException("by intent"));
        }

        @Override
        Integer none() {
            return 0;
        }

        /** And not with what that of the superclass throws. */
        @Override
        protected Integer instead(String key, UncheckedIOException error) {
            return key.length();
        }
    }

    @Test
    void aFallbackOfAGenericSuperclassAnswersForTheErrorThatTheClassSays() {
        runner.withBean(Sizes.class).run(context -> {
            Sizes sizes = context.getBean(Sizes.class);
            assertThat(sizes.load("abc")).isEqualTo(3);
            assertThatThrownBy(() -> sizes.load("")).hasMessage("empty");
        });
    }

    abstract static class Base<K, V> {
        @Protected(value = "answered", fallback = "none")
        public abstract V find(K key);

        @SuppressWarnings({"unchecked", "UnusedMethod", "unused"}) // of the bean, and found by reflection
        protected V none(K key, Throwable error) {
            return (V) (key + " instead");
        }
    }

    static class Words extends Base<String, String> {
        @Override
        public String find(String key) {
            throw new IllegalStateException("by intent");
        }
    }

    @Test
    void aFallbackThatOnlyAGenericSuperclassHasAnswers() {
        runner.withBean(Words.class)
                .run(context ->
                        assertThat(context.getBean(Words.class).find("a")).isEqualTo("a instead"));
    }

    abstract static class Named<K> {
        @Protected(value = "answered", fallback = "find")
        public abstract String find(K key);
    }

    static class ItsOwn extends Named<String> {
        @Override
        public String find(String key) {
            return key;
        }
    }

    abstract static class Other<K, V> {
        protected V none(K key) {
            throw new IllegalStateException(String.valueOf(key));
        }
    }

    static class Wrong extends Other<Long, Integer> {
        @Protected(value = "answered", fallback = "none")
        public String find(String key) {
            return key;
        }
    }

    @Test
    void aRefusalSaysTheTypesOfTheBean() {
        runner.withBean(Wrong.class)
                .run(
                        context -> assertThat(context.getStartupFailure())
                                .hasStackTraceContaining(
                                        "has [java.lang.Integer " + Other.class.getTypeName()
                                                + ".none(java.lang.Long)], which does not fit; expected String none(String, Throwable)"));
        runner.withBean(ItsOwn.class)
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("fallback: find is the method itself"));
    }
}
