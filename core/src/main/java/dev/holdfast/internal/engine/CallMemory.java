/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.PassageOver;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What the layers of a call remember of their entries, and where the call stands among them. */
abstract class CallMemory extends CallWord {
    /** The layer that is asked just now. */
    int cursor;

    /** The outermost layer that the call has to do with. */
    int base;

    private long[] slots;
    private @Nullable Object[] objects;
    /** A bit for each layer that has something to remember. */
    private long usedSlots;

    /** A bit for each outer layer that has turned away the call in which this one began. */
    private long outside;

    /** Whether an object of an earlier call is there, which has forgotten that call. */
    private boolean keepsReusable;

    CallMemory(int layers) {
        slots = new long[layers];
        objects = new Object[layers];
    }

    void makeRoom(int layers) {
        if (slots.length < layers) {
            // Both or neither: there may be no memory for the second one.
            long[] more = new long[layers];
            objects = new Object[layers];
            slots = more;
        }
    }

    boolean remembersNothing() {
        return usedSlots == 0;
    }

    @Nullable
    Object[] objects() {
        return objects;
    }

    void clearSlotsFrom(int layer) {
        long used = usedSlots & ~Plan.below(layer);
        usedSlots ^= used;
        while (used != 0) {
            int i = Long.numberOfTrailingZeros(used);
            used &= used - 1;
            slots[i] = 0;
            Object known = objects[i];
            if (known instanceof PassageOver again && again.forget()) {
                keepsReusable = true;
            } else if (known != null) {
                objects[i] = null;
            }
        }
    }

    /** Layers mean something else from now on. */
    void forgetReusable() {
        if (keepsReusable) {
            keepsReusable = false;
            Arrays.fill(objects, null);
        }
    }

    void copySlot(CallMemory other, int layer) {
        slots[layer] = other.slots[layer];
        Object shared = other.objects[layer];
        objects[layer] = shared;
        if (shared instanceof PassageOver both) {
            both.share();
        }
    }

    /** Whether the layer has let the call in. One in shadow may have turned it away, and it has gone on. */
    boolean isLetInBy(int layer) {
        return (outside >>> layer & 1) == 0 && !(objects[layer] instanceof PassageOver entry && !entry.isInside());
    }

    /** Marks those of the outermost layers that have not let the parent in. */
    void copyOutside(CallMemory parent, int layers) {
        for (int i = 0; i < layers; i++) {
            if (!parent.isLetInBy(i)) {
                outside |= 1L << i;
            }
        }
    }

    /** For the watchdog, while the attempt runs. */
    long slotOf(int layer) {
        return slots[layer];
    }

    @Override
    public long slot() {
        return slots[cursor];
    }

    @Override
    public void slot(long newValue) {
        usedSlots |= 1L << cursor;
        slots[cursor] = newValue;
    }

    @Override
    public @Nullable Object object() {
        return objects[cursor];
    }

    @Override
    public void object(@Nullable Object newValue) {
        usedSlots |= 1L << cursor;
        if (objects[cursor] != newValue) {
            objects[cursor] = newValue;
        }
    }
}
