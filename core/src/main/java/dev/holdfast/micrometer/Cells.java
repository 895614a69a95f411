/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.internal.ShortLock;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One counter for each constant, made when it is first needed. So an event that never happens has no meter. */
final class Cells<E extends Enum<E>, T> {
    // Acquire and release: a thread that sees a counter without the lock must see all of it.
    private static final VarHandle MADE = MethodHandles.arrayElementVarHandle(Object[].class);

    private final @Nullable Object[] made;
    private final E[] constants;
    private final Function<E, T> maker;
    // Not a monitor: the registry waits for locks of others, and a virtual thread would keep its carrier.
    private final ShortLock making = new ShortLock();

    Cells(Class<E> constants, Function<E, T> maker) {
        this.constants = constants.getEnumConstants();
        this.made = new Object[this.constants.length];
        this.maker = maker;
    }

    @SuppressWarnings({"unchecked", "EnumOrdinal"}) // only made here; and an EnumMap is not safe for threads
    T of(E constant) {
        Object known = MADE.getAcquire(made, constant.ordinal());
        return known != null ? (T) known : make(constant.ordinal());
    }

    @SuppressWarnings("unchecked")
    private T make(int number) {
        making.lock();
        try {
            Object known = made[number];
            if (known == null) {
                known = maker.apply(constants[number]);
                MADE.setRelease(made, number, known);
            }
            return (T) known;
        } finally {
            making.unlock();
        }
    }
}
