/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.internal.SafeLog;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.asm.ClassReader;
import org.springframework.asm.ClassVisitor;
import org.springframework.asm.FieldVisitor;
import org.springframework.asm.Handle;
import org.springframework.asm.Label;
import org.springframework.asm.MethodVisitor;
import org.springframework.asm.Opcodes;
import org.springframework.asm.SpringAsmInfo;
import org.springframework.asm.Type;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.util.ClassUtils;

/**
 * Looks in the code of a class, its superclasses and its interfaces for calls of its own protected methods. No proxy sees these, so
 * that no policy does.
 */
final class OwnCalls {
    private static final SafeLog LOG = SafeLog.of(Protected.class.getName());

    private static final String SUSPENDING = "$suspendImpl";
    private static final String DEFAULT = "$default";
    private static final String LAMBDA = "$lambda$";
    private static final String CONTINUATION = "kotlin/coroutines/jvm/internal/ContinuationImpl";
    private static final String OF_INTERFACE = "$DefaultImpls";

    /**
     * A lambda of Java; and of Kotlin, the work of a suspending function, what fills in default arguments, and a lambda. Those of Kotlin
     * are static: they take the object as their first argument.
     */
    private static final Pattern MADE =
            Pattern.compile("lambda\\$(.+)\\$[0-9]+|(.+?)\\$(?:suspendImpl|default|lambda\\$.*)");

    private static final Set<String> CALLBACKS =
            Set.of("jakarta.annotation.PostConstruct", "jakarta.annotation.PreDestroy");

    private OwnCalls() {}

    static void warn(Class<?> type, Collection<Method> methods) {
        in(type, methods)
                .forEach(call -> LOG.warn(
                        type.getName() + ": " + call
                                + " from inside the bean: no proxy sees this call, and so no policy does;"
                                + " move the method to another bean",
                        null));
        methods.stream()
                .filter(method -> isOfTheContainer(type, method))
                .forEach(method -> LOG.warn(
                        type.getName() + ": the container calls " + method.getName()
                                + " past the proxy, and so no policy sees this call; move the work to a method of another"
                                + " bean, or to a SmartInitializingSingleton",
                        null));
    }

    /** It does so before there is a proxy, and when the bean is destroyed. */
    private static boolean isOfTheContainer(Class<?> type, Method method) {
        return Arrays.stream(method.getAnnotations())
                        .anyMatch(one -> CALLBACKS.contains(one.annotationType().getName()))
                || (method.getParameterCount() == 0
                        && ((InitializingBean.class.isAssignableFrom(type)
                                        && method.getName().equals("afterPropertiesSet"))
                                || (DisposableBean.class.isAssignableFrom(type)
                                        && method.getName().equals("destroy"))));
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
                .filter(method -> !isRun(method, type))
                .map(OwnCalls::signature)
                .collect(Collectors.toSet());
        String prefix = one == type ? "" : one.getSimpleName() + ".";
        Set<String> calls = new TreeSet<>();
        look(
                one,
                new Calls(
                        Type.getInternalName(one),
                        above(one).stream().map(Type::getInternalName).collect(Collectors.toSet()),
                        wanted,
                        overridden,
                        calls));
        calls.forEach(call -> found.add(prefix + call));
    }

    /** Also in what its methods make: anonymous classes, and the lambdas of Kotlin that suspend. */
    private static void look(Class<?> one, Calls calls) {
        read(one, calls.name.replace('/', '.'), calls);
        calls.made.forEach(name -> look(one, new Calls(calls, name)));
    }

    /** Whether the bean does this: nothing overrides it, or what overrides it calls it, as what Kotlin's compiler makes for interfaces. */
    private static boolean isRun(Method method, Class<?> type) {
        Method runs = ClassUtils.getMostSpecificMethod(method, type);
        while (!runs.equals(method)) {
            Class<?> next = calledOfSuper(runs);
            if (next == null) {
                return false;
            }
            runs = ClassUtils.getMostSpecificMethod(method, next);
        }
        return true;
    }

    /** The class above in which a method calls the one that it overrides; null if it calls none. */
    private static @Nullable Class<?> calledOfSuper(Method method) {
        Class<?> home = method.getDeclaringClass();
        Set<String> owners = new TreeSet<>();
        read(home, home.getName(), new ClassVisitor(SpringAsmInfo.ASM_VERSION) {
            @Override
            public @Nullable MethodVisitor visitMethod(
                    int access,
                    String caller,
                    String descriptor,
                    @Nullable String signature,
                    String @Nullable [] exceptions) {
                return !(caller + descriptor).equals(signature(method))
                        ? null
                        : new MethodVisitor(api) {
                            @Override
                            public void visitMethodInsn(
                                    int code, String owner, String name, String descriptor, boolean isInterface) {
                                if (code == Opcodes.INVOKESPECIAL
                                        && name.equals(caller)
                                        && Type.getArgumentCount(descriptor) == method.getParameterCount()) {
                                    owners.add(owner);
                                }
                            }
                        };
            }
        });
        return above(home).stream()
                .filter(each -> each != home && owners.contains(Type.getInternalName(each)))
                .findFirst()
                .orElse(null);
    }

    /** Reads a class of the package of another one, which may be the same. */
    private static void read(Class<?> one, String name, ClassVisitor visitor) {
        try (InputStream code = one.getResourceAsStream(name.substring(name.lastIndexOf('.') + 1) + ".class")) {
            if (code != null) {
                new ClassReader(code).accept(visitor, ClassReader.SKIP_FRAMES);
            }
        } catch (IOException | RuntimeException unreadable) {
            // A class that was made while the program ran, or is newer than the reader. It is a help and no check.
        }
    }

    /** The method in which the code stands that a compiler makes a method of its own. */
    private static String origin(String method) {
        Matcher made = MADE.matcher(method);
        return !made.matches() ? method : made.group(1) != null ? made.group(1) : made.group(2);
    }

    private static String shown(String method) {
        return KotlinNames.of(origin(method));
    }

    private static String signature(Method method) {
        return method.getName() + Type.getMethodDescriptor(method);
    }

    private static final class Calls extends ClassVisitor {
        private final String type;
        private final Set<String> above;
        private final Set<String> wanted;
        private final Set<String> overridden;
        private final Set<String> found;

        /** The class that is read: the type itself, or one that a method of it makes. */
        private final String name;

        private final Set<String> made = new TreeSet<>();

        /** The method that makes this class; null if it is the type, or nothing of interest. */
        private @Nullable String maker;

        /** Whether this class has another object of the type than the one that made it. */
        private boolean hasAnother;

        Calls(String type, Set<String> above, Set<String> wanted, Set<String> overridden, Set<String> found) {
            super(SpringAsmInfo.ASM_VERSION);
            this.type = type;
            this.above = above;
            this.wanted = wanted;
            this.overridden = overridden;
            this.found = found;
            name = type;
        }

        Calls(Calls around, String name) {
            super(SpringAsmInfo.ASM_VERSION);
            type = around.type;
            above = around.above;
            wanted = around.wanted;
            overridden = around.overridden;
            found = around.found;
            maker = around.maker;
            hasAnother = around.hasAnother;
            this.name = name;
        }

        @Override
        public void visit(
                int version,
                int access,
                String itself,
                @Nullable String signature,
                @Nullable String superclass,
                String @Nullable [] interfaces) {
            // One of its own kind has these methods itself. What keeps a suspending function while it waits calls this
            // again.
            hasAnother |= isMade()
                    && (CONTINUATION.equals(superclass)
                            || above.contains(superclass)
                            || Stream.ofNullable(interfaces).flatMap(Stream::of).anyMatch(above::contains));
        }

        @Override
        public void visitOuterClass(String owner, @Nullable String method, @Nullable String descriptor) {
            if (isMade() && owner.equals(type) && method != null) {
                maker = method;
                int access = MADE.matcher(method).matches() ? Opcodes.ACC_SYNTHETIC : 0;
                hasAnother |= isOverridden(access, method, String.valueOf(descriptor));
            }
        }

        @Override
        public void visitInnerClass(String inner, @Nullable String outer, @Nullable String simple, int access) {
            // The code of an inlined function may be that of another object.
            if (outer == null && inner.startsWith(name + "$") && !inner.contains("$inlined$")) {
                made.add(inner);
            }
        }

        @Override
        public @Nullable FieldVisitor visitField(
                int access, String field, String descriptor, @Nullable String signature, @Nullable Object value) {
            hasAnother |= isMade() && isType(descriptor) && !isMaker(field);
            return null;
        }

        private boolean isMade() {
            return !name.equals(type);
        }

        private boolean isType(String descriptor) {
            return descriptor.equals("L" + type + ";");
        }

        /** Whether a field of a class that is made has the object whose method has made it. */
        private boolean isMaker(String field) {
            return isMade() && field.startsWith("this$");
        }

        @Override
        public @Nullable MethodVisitor visitMethod(
                int access,
                String caller,
                String descriptor,
                @Nullable String signature,
                String @Nullable [] exceptions) {
            if (isMade()) {
                return maker == null || hasAnother || caller.equals("<init>")
                        ? null
                        : new Code(Opcodes.ACC_SYNTHETIC, maker, descriptor);
            }
            // Bridges only hand on, and what the bean overrides it does not do.
            return (access & Opcodes.ACC_BRIDGE) != 0 || isOverridden(access, caller, descriptor)
                    ? null
                    : new Code(access, caller, descriptor);
        }

        /** A lambda is as the method in which it stands. Its name does not say which of several of one name. */
        private boolean isOverridden(int access, String caller, String descriptor) {
            return (access & Opcodes.ACC_SYNTHETIC) == 0
                    ? overridden.contains(caller + descriptor)
                    : overridden.stream()
                            .map(method -> shown(method.substring(0, method.indexOf('('))))
                            .anyMatch(shown(caller)::equals);
        }

        /** One that the class has itself, or has from above; of Kotlin's, also through what fills in its default arguments. */
        private boolean isWanted(String owner, String name, String descriptor) {
            if (!name.endsWith(DEFAULT)) {
                return wanted.contains(name + descriptor);
            }
            String home =
                    owner.endsWith(OF_INTERFACE) ? owner.substring(0, owner.length() - OF_INTERFACE.length()) : owner;
            String begin = "(L" + home + ";";
            return above.contains(home)
                    && descriptor.startsWith(begin)
                    && wanted.stream()
                            .filter(method -> method.startsWith(origin(name) + "("))
                            .map(method -> method.substring(method.indexOf('(') + 1, method.indexOf(')')))
                            .anyMatch(parameters -> descriptor.startsWith(begin + parameters + "ILjava/lang/Object;)"));
        }

        /** The code of one method. */
        private final class Code extends MethodVisitor {
            private final String caller;
            private final int parameters;
            private final Set<String> called = new TreeSet<>();
            private final Set<String> ofSuper = new TreeSet<>();

            /** Whether it has another object of this class, such as the proxy of its own bean. */
            private boolean hasAnother;

            /** Whether it is a lambda of Kotlin's whose object may be another one. */
            private boolean isOfAnother;

            /** Whether the last instruction took what a suspending function had while it waited. */
            private boolean isResumed;

            Code(int access, String caller, String descriptor) {
                super(SpringAsmInfo.ASM_VERSION);
                this.caller = caller;
                parameters = (access & Opcodes.ACC_SYNTHETIC) == 0 ? Type.getArgumentCount(descriptor) : -1;
                boolean isLambda = !isMade() && caller.contains(LAMBDA);
                boolean isThisFirst =
                        isLambda || (!isMade() && (caller.endsWith(SUSPENDING) || caller.endsWith(DEFAULT)));
                hasAnother = descriptor.lastIndexOf("L" + type + ";") > (isThisFirst ? 1 : -1);
                isOfAnother = isLambda && descriptor.startsWith("(L" + type + ";");
            }

            @Override
            public void visitMethodInsn(int code, String owner, String name, String descriptor, boolean isInterface) {
                if (code != Opcodes.INVOKESPECIAL) {
                    note(owner, name, descriptor);
                } else if (!isMade()
                        && above.contains(owner)
                        && wanted.contains(name + descriptor)
                        && !isOwn(name, descriptor)) {
                    ofSuper.add(name);
                }
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
                boolean hasOwner = owner.equals(type) || name.endsWith(DEFAULT);
                boolean handsOn = caller.endsWith(DEFAULT) && origin(caller).equals(name);
                if (hasOwner && !handsOn && isWanted(owner, name, descriptor)) {
                    called.add(name);
                }
            }

            /** Whether this method overrides that one; their types differ if it is generic. What hands on for others is no caller. */
            private boolean isOwn(String name, String descriptor) {
                return caller.startsWith("access$")
                        || (origin(caller).equals(name)
                                && (parameters < 0 || parameters == Type.getArgumentCount(descriptor)));
            }

            @Override
            public void visitFieldInsn(int code, String owner, String name, String descriptor) {
                hasAnother |= isType(descriptor) && !isMaker(name);
                isResumed = !isMade() && name.startsWith("L$");
            }

            @Override
            public void visitVarInsn(int code, int local) {
                isResumed = false;
            }

            @Override
            public void visitTypeInsn(int code, String name) {
                // What a suspending function takes up again, it had before.
                hasAnother |= name.equals(type) && !isResumed;
                isResumed = false;
            }

            @Override
            public void visitLocalVariable(
                    String name, String descriptor, @Nullable String signature, Label start, Label end, int index) {
                isOfAnother &= index != 0 || !name.equals("this$0");
            }

            @Override
            public void visitEnd() {
                if (!hasAnother && !isOfAnother) {
                    ofSuper.addAll(called);
                }
                ofSuper.forEach(name -> found.add(shown(caller) + " calls " + shown(name)));
            }
        }
    }
}
