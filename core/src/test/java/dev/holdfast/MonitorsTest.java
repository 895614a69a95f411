/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.thirdparty.org.objectweb.asm.ClassReader;
import com.tngtech.archunit.thirdparty.org.objectweb.asm.ClassVisitor;
import com.tngtech.archunit.thirdparty.org.objectweb.asm.Label;
import com.tngtech.archunit.thirdparty.org.objectweb.asm.MethodVisitor;
import com.tngtech.archunit.thirdparty.org.objectweb.asm.Opcodes;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.TimeSource;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * What may wait for somebody else is not called under a monitor: on Java 21 to 23 a virtual thread that waits there keeps its carrier,
 * and the one it waits for may have none. A {@link ReentrantLock} in place of the monitor pins nothing. What a method calls in other
 * methods is not looked at.
 */
class MonitorsTest {
    /** Methods that may, each with its reason. */
    private static final Map<String, String> ALLOWED = Map.of(
            "dev.holdfast.internal.engine.WatchQueue.wakeBy: TimeSource.schedule",
            "the timers of the system's time are set without a lock",
            "dev.holdfast.log.StateLines.writeIn: TimeSource.schedule",
            "the timers of the system's time are set without a lock");

    private static @Nullable String waits(String owner, String name, String descriptor) {
        Class<?> type;
        try {
            type = owner.startsWith("[")
                    ? Object.class
                    : Class.forName(owner.replace('/', '.'), false, MonitorsTest.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError absent) {
            return null;
        }
        if (Executor.class.isAssignableFrom(type)
                && List.of("execute", "submit", "schedule").contains(name)) {
            return "Executor." + name;
        }
        if (Lock.class.isAssignableFrom(type) && name.startsWith("lock")) {
            return "Lock." + name;
        }
        if (type == LockSupport.class && name.startsWith("park")) {
            return "LockSupport." + name;
        }
        if (TimeSource.class.isAssignableFrom(type)
                && List.of("schedule", "park").contains(name)) {
            return "TimeSource." + name;
        }
        boolean logs = type == SafeLog.class
                || type == System.Logger.class
                || type.getName().equals("dev.holdfast.internal.engine.Log");
        return logs && descriptor.endsWith("V") && !name.equals("<init>") ? "log." + name : null;
    }

    @Test
    void nothingThatMayWaitIsCalledUnderAMonitor() throws Exception {
        Set<String> found = new TreeSet<>();
        for (Path file : mainClasses()) {
            found.addAll(underMonitors(Files.readAllBytes(file)));
        }
        found.removeAll(ALLOWED.keySet());
        assertThat(found)
                .as("called under a monitor; use a ReentrantLock, or decide under the monitor and call after it")
                .isEmpty();
    }

    private static List<Path> mainClasses() throws IOException, URISyntaxException {
        Path classes = Path.of(Pipeline.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        try (Stream<Path> all = Files.walk(classes)) {
            return all.filter(file -> file.toString().endsWith(".class")).toList();
        }
    }

    private static Set<String> underMonitors(byte[] type) {
        Set<String> found = new TreeSet<>();
        ClassReader reader = new ClassReader(type);
        String in = reader.getClassName().replace('/', '.');
        reader.accept(
                new ClassVisitor(Opcodes.ASM9) {
                    @Override
                    public MethodVisitor visitMethod(
                            int access,
                            String name,
                            String descriptor,
                            @Nullable String signature,
                            String @Nullable [] exceptions) {
                        return new Method(access, in + "." + name + ": ", found);
                    }
                },
                ClassReader.SKIP_FRAMES);
        return found;
    }

    /** Counts the monitors at each instruction, in the order of the code: the compiler writes no loop that begins with its end. */
    private static final class Method extends MethodVisitor {
        private final String where;
        private final Set<String> found;
        private final Map<Label, Integer> depths = new HashMap<>();
        private final Map<Label, List<Label>> handlers = new HashMap<>();
        private int depth;

        Method(int access, String where, Set<String> found) {
            super(Opcodes.ASM9);
            this.depth = (access & Opcodes.ACC_SYNCHRONIZED) != 0 ? 1 : 0;
            this.where = where;
            this.found = found;
        }

        @Override
        public void visitTryCatchBlock(Label start, Label end, Label handler, @Nullable String type) {
            handlers.merge(
                    start,
                    List.of(handler),
                    (a, b) -> Stream.concat(a.stream(), b.stream()).toList());
        }

        @Override
        public void visitLabel(Label label) {
            depth = depths.getOrDefault(label, depth);
            handlers.getOrDefault(label, List.of()).forEach(this::reaches);
        }

        private void reaches(Label label) {
            depths.putIfAbsent(label, depth);
        }

        @Override
        public void visitJumpInsn(int opcode, Label label) {
            reaches(label);
        }

        @Override
        public void visitTableSwitchInsn(int min, int max, Label other, Label... labels) {
            visitLookupSwitchInsn(other, new int[0], labels);
        }

        @Override
        public void visitLookupSwitchInsn(Label other, int[] keys, Label[] labels) {
            reaches(other);
            List.of(labels).forEach(this::reaches);
        }

        @Override
        public void visitInsn(int opcode) {
            if (opcode == Opcodes.MONITORENTER) {
                depth++;
            } else if (opcode == Opcodes.MONITOREXIT) {
                depth--;
            }
        }

        @Override
        public void visitMethodInsn(int opcode, String owner, String name, String descriptor, boolean isInterface) {
            String what = depth > 0 ? waits(owner, name, descriptor) : null;
            if (what != null) {
                found.add(where + what);
            }
        }
    }

    /** So that the test cannot pass because it sees nothing. */
    @SuppressWarnings("unused")
    private static final class Example {
        private final ReentrantLock lock = new ReentrantLock();
        private final SafeLog log = SafeLog.of("example");

        synchronized void whole(Executor executor) {
            executor.execute(() -> {});
        }

        int part(boolean early) {
            lock.lock();
            synchronized (this) {
                if (early) {
                    return 1;
                }
                for (int i = 0; i < 3; i++) {
                    if (i == 2) {
                        log.warn("under the monitor", null);
                    }
                }
            }
            LockSupport.parkNanos(1);
            return 0;
        }

        void afterwards(Executor executor) {
            try {
                synchronized (this) {
                    if (lock.isLocked()) {
                        throw new IllegalStateException();
                    }
                }
                executor.execute(() -> {});
            } catch (IllegalStateException locked) {
                lock.lock();
            }
        }
    }

    @Test
    void callsUnderAMonitorAreSeen() throws Exception {
        String file = Example.class.getName().replace('.', '/') + ".class";
        try (var code = Example.class.getClassLoader().getResourceAsStream(file)) {
            assertThat(underMonitors(Objects.requireNonNull(code).readAllBytes()))
                    .containsExactly(
                            Example.class.getName() + ".part: log.warn",
                            Example.class.getName() + ".whole: Executor.execute");
        }
    }
}
