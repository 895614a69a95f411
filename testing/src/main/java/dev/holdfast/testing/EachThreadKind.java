/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import java.lang.reflect.Method;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadFactory;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterClassTemplateInvocationCallback;
import org.junit.jupiter.api.extension.BeforeClassTemplateInvocationCallback;
import org.junit.jupiter.api.extension.ClassTemplateInvocationContext;
import org.junit.jupiter.api.extension.ClassTemplateInvocationContextProvider;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/** Runs a class once for each kind of thread. */
final class EachThreadKind implements ClassTemplateInvocationContextProvider {
    /** Named by CI where the other kind had its turn already. */
    static final String ONLY = System.getProperty("holdfast.thread-kind", "");

    /** Volatile: the threads that a test starts read it. Test classes run one after the other. */
    static volatile ThreadKind current = ThreadKind.PLATFORM;

    @Override
    public boolean supportsClassTemplate(ExtensionContext context) {
        return true;
    }

    @Override
    public Stream<ClassTemplateInvocationContext> provideClassTemplateInvocationContexts(ExtensionContext context) {
        return invocations();
    }

    static Stream<ClassTemplateInvocationContext> invocations() {
        return ThreadKind.ofThisJvm().stream()
                .filter(kind -> ONLY.isEmpty() || ONLY.equals(kind.name()))
                .map(On::new);
    }

    /** By reflection, because the build is for a Java that does not have them yet. */
    static ThreadFactory virtualThreads() {
        try {
            Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
            Object factory = Class.forName("java.lang.Thread$Builder")
                    .getMethod("factory")
                    .invoke(builder);
            return (ThreadFactory) factory;
        } catch (ReflectiveOperationException e) {
            throw new UnsupportedOperationException("no virtual threads in Java " + Runtime.version(), e);
        }
    }

    private record On(ThreadKind kind)
            implements ClassTemplateInvocationContext,
                    BeforeClassTemplateInvocationCallback,
                    AfterClassTemplateInvocationCallback,
                    InvocationInterceptor {

        @Override
        public String getDisplayName(int index) {
            return kind + " threads";
        }

        @Override
        public List<Extension> getAdditionalExtensions() {
            return List.of(this);
        }

        @Override
        public void beforeClassTemplateInvocation(ExtensionContext context) {
            current = kind;
        }

        @Override
        public void afterClassTemplateInvocation(ExtensionContext context) {
            current = ThreadKind.PLATFORM;
        }

        @Override
        public void interceptTestMethod(
                Invocation<@Nullable Void> test, ReflectiveInvocationContext<Method> method, ExtensionContext context)
                throws Throwable {
            proceed(test);
        }

        @Override
        public void interceptTestTemplateMethod(
                Invocation<@Nullable Void> test, ReflectiveInvocationContext<Method> method, ExtensionContext context)
                throws Throwable {
            proceed(test);
        }

        private void proceed(Invocation<@Nullable Void> test) throws Throwable {
            CompletableFuture<@Nullable Throwable> end = new CompletableFuture<>();
            kind.newThread(() -> {
                        try {
                            test.proceed();
                            end.complete(null);
                        } catch (Throwable thrown) {
                            end.complete(thrown);
                        }
                    })
                    .start();
            Throwable thrown = end.get();
            if (thrown != null) {
                throw thrown;
            }
        }
    }
}
