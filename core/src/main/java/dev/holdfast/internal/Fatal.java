/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import org.jspecify.annotations.Nullable;

/** Errors that say nothing about the dependency, and after which nothing is to be tried: those of the virtual machine, and of a test. */
public final class Fatal {
    private Fatal() {}

    /**
     * Whether it is a {@link VirtualMachineError}, the {@code ThreadDeath} by which {@code Thread.stop} ends a thread, or a {@link
     * TestMistake}.
     */
    public static boolean is(@Nullable Throwable error) {
        // By its name: the class is to be removed from the JDK.
        return error instanceof VirtualMachineError
                || error instanceof TestMistake
                || (error instanceof Error && error.getClass().getName().equals("java.lang.ThreadDeath"));
    }
}
