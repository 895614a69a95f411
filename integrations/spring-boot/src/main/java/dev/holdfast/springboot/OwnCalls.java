/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.internal.SafeLog;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.asm.ClassReader;
import org.springframework.asm.ClassVisitor;
import org.springframework.asm.Handle;
import org.springframework.asm.MethodVisitor;
import org.springframework.asm.Opcodes;
import org.springframework.asm.SpringAsmInfo;
import org.springframework.asm.Type;
import org.springframework.util.ClassUtils;

/** Looks in the code of a class for calls of its own protected methods. No proxy sees these, so that no policy does. */
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

    /** {@code order calls stock}, for each method that calls a protected one. */
    static Set<String> in(Class<?> type, Collection<Method> methods) {
        Set<String> wanted = methods.stream()
                .map(method -> method.getName() + Type.getMethodDescriptor(method))
                .collect(Collectors.toSet());
        Set<String> found = new TreeSet<>();
        try (InputStream code = type.getResourceAsStream(ClassUtils.getClassFileName(type))) {
            if (code != null) {
                new ClassReader(code)
                        .accept(new Calls(Type.getInternalName(type), wanted, found), ClassReader.SKIP_DEBUG);
            }
        } catch (IOException | IllegalArgumentException unreadable) {
            // A class that was made while the program ran, or is newer than the reader. It is a help and no check.
            return Set.of();
        }
        return found;
    }

    private static final class Calls extends ClassVisitor {
        private final String type;
        private final Set<String> wanted;
        private final Set<String> found;

        Calls(String type, Set<String> wanted, Set<String> found) {
            super(SpringAsmInfo.ASM_VERSION);
            this.type = type;
            this.wanted = wanted;
            this.found = found;
        }

        @Override
        public @Nullable MethodVisitor visitMethod(
                int access,
                String caller,
                String descriptor,
                @Nullable String signature,
                String @Nullable [] exceptions) {
            // Bridges only hand on.
            return (access & Opcodes.ACC_BRIDGE) != 0 ? null : new Code(caller, descriptor);
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
