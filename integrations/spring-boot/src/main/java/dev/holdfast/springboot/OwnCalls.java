/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.internal.SafeLog;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.asm.ClassReader;
import org.springframework.asm.ClassVisitor;
import org.springframework.asm.Handle;
import org.springframework.asm.MethodVisitor;
import org.springframework.asm.Opcodes;
import org.springframework.asm.SpringAsmInfo;
import org.springframework.asm.Type;
import org.springframework.util.ClassUtils;

/**
 * Looks in the code of a class, its superclasses and its interfaces for calls of its own protected methods. No proxy sees these, so
 * that no policy does.
 */
final class OwnCalls {
    private static final SafeLog LOG = SafeLog.of(Protected.class.getName());

    private OwnCalls() {}

    static void warn(Class<?> type, Collection<Method> methods) {
        in(type, methods)
                .forEach(call -> LOG.warn(
                        type.getName() + ": " + call
                                + " from inside the bean: no proxy sees this call, and so no policy does;"
                                + " move the method to another bean",
                        null));
    }

    /** {@code order calls stock}, for each method that calls a protected one; {@code Base.order calls stock} of a superclass. */
    static Set<String> in(Class<?> type, Collection<Method> methods) {
        Set<String> found = new TreeSet<>();
        // What is a proxy itself may call itself through its advice.
        if (!Proxy.isProxyClass(type)) {
            Map<Class<?>, Set<String>> known =
                    above(type).stream().collect(Collectors.toMap(one -> one, one -> signatures(one, type, methods)));
            known.keySet().forEach(one -> look(one, type, known, found));
        }
        return found;
    }

    /** The protected ones that a class declares. */
    private static Set<String> signatures(Class<?> one, Class<?> type, Collection<Method> methods) {
        return Stream.of(one.getDeclaredMethods())
                .filter(declared ->
                        methods.stream().anyMatch(method -> method.getName().equals(declared.getName())))
                .filter(declared -> methods.contains(ProtectedBeans.specific(declared, type)))
                .map(OwnCalls::signature)
                .collect(Collectors.toSet());
    }

    private static Set<Class<?>> above(Class<?> type) {
        Set<Class<?>> all = new LinkedHashSet<>();
        collect(type, all);
        return all;
    }

    /** A class with its superclasses and interfaces, as far as they may know a protected method. */
    private static void collect(@Nullable Class<?> type, Set<Class<?>> all) {
        if (type != null
                && !type.getName().startsWith("java.")
                && !type.getName().startsWith("org.springframework.")
                && all.add(type)) {
            collect(type.getSuperclass(), all);
            for (Class<?> each : type.getInterfaces()) {
                collect(each, all);
            }
        }
    }

    private static void look(Class<?> one, Class<?> type, Map<Class<?>, Set<String>> known, Set<String> found) {
        Set<String> wanted = above(one).stream()
                .flatMap(each -> known.getOrDefault(each, Set.of()).stream())
                .collect(Collectors.toSet());
        if (wanted.isEmpty()) {
            return;
        }
        Set<String> overridden = Stream.of(one.getDeclaredMethods())
                .filter(method ->
                        !ClassUtils.getMostSpecificMethod(method, type).equals(method))
                .map(OwnCalls::signature)
                .collect(Collectors.toSet());
        try (InputStream code = one.getResourceAsStream(ClassUtils.getClassFileName(one))) {
            if (code != null) {
                String prefix = one == type ? "" : one.getSimpleName() + ".";
                Set<String> calls = new TreeSet<>();
                new ClassReader(code)
                        .accept(
                                new Calls(Type.getInternalName(one), wanted, overridden, calls),
                                ClassReader.SKIP_DEBUG);
                calls.forEach(call -> found.add(prefix + call));
            }
        } catch (IOException | IllegalArgumentException unreadable) {
            // A class that was made while the program ran, or is newer than the reader. It is a help and no check.
        }
    }

    private static String signature(Method method) {
        return method.getName() + Type.getMethodDescriptor(method);
    }

    private static final class Calls extends ClassVisitor {
        private final String type;
        private final Set<String> wanted;
        private final Set<String> overridden;
        private final Set<String> found;

        Calls(String type, Set<String> wanted, Set<String> overridden, Set<String> found) {
            super(SpringAsmInfo.ASM_VERSION);
            this.type = type;
            this.wanted = wanted;
            this.overridden = overridden;
            this.found = found;
        }

        @Override
        public @Nullable MethodVisitor visitMethod(
                int access,
                String caller,
                String descriptor,
                @Nullable String signature,
                String @Nullable [] exceptions) {
            // Bridges only hand on, and what the bean overrides it does not do.
            return (access & Opcodes.ACC_BRIDGE) != 0 || isOverridden(access, caller, descriptor)
                    ? null
                    : new Code(caller, descriptor);
        }

        /** A lambda is as the method in which it stands. Its name does not say which of several of one name. */
        private boolean isOverridden(int access, String caller, String descriptor) {
            return (access & Opcodes.ACC_SYNTHETIC) == 0
                    ? overridden.contains(caller + descriptor)
                    : overridden.stream().anyMatch(method -> method.startsWith(shown(caller) + "("));
        }

        /** The code of one method. */
        private final class Code extends MethodVisitor {
            private final String caller;
            private final Set<String> called = new TreeSet<>();

            /** Whether it has another object of this class, such as the proxy of its own bean. */
            private boolean hasAnother;

            Code(String caller, String descriptor) {
                super(SpringAsmInfo.ASM_VERSION);
                this.caller = caller;
                hasAnother = descriptor.contains("L" + type + ";");
            }

            @Override
            public void visitMethodInsn(int code, String owner, String name, String descriptor, boolean isInterface) {
                note(owner, name, descriptor);
                hasAnother |= descriptor.endsWith(")L" + type + ";");
            }

            @Override
            public void visitInvokeDynamicInsn(
                    String name, String descriptor, Handle bootstrap, @Nullable Object... arguments) {
                for (Object argument : arguments) {
                    if (argument instanceof Handle handle) {
                        note(handle.getOwner(), handle.getName(), handle.getDesc());
                    }
                }
            }

            private void note(String owner, String name, String descriptor) {
                if (owner.equals(type) && wanted.contains(name + descriptor)) {
                    called.add(name);
                }
            }

            @Override
            public void visitFieldInsn(int code, String owner, String name, String descriptor) {
                hasAnother |= descriptor.equals("L" + type + ";");
            }

            @Override
            public void visitTypeInsn(int code, String name) {
                hasAnother |= name.equals(type);
            }

            @Override
            public void visitEnd() {
                if (!hasAnother) {
                    called.forEach(name -> found.add(shown(caller) + " calls " + name));
                }
            }
        }

        /** The method in which a lambda stands. */
        private static String shown(String caller) {
            int begin = caller.startsWith("lambda$") ? "lambda$".length() : 0;
            int end = caller.indexOf('$', begin);
            return end < 0 ? caller.substring(begin) : caller.substring(begin, end);
        }
    }
}
