/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An event that a call can await. A policy completes it once on behalf of another call: a permit was handed over, a flight
 * landed. It carries no value: the waiting policy is asked again, and looks at its own state.
 *
 * <p>Safe for any number of threads. A waiter that gives up is removed, so that a completion that never comes holds nothing.
 */
public class Completion {

    /** A waiting call. Called at most once, on the completing thread; must not block and must not throw. */
    @FunctionalInterface
    public interface Waiter {
        /** The completion has come. */
        void completed();
    }

    /** One waiter in the line. */
    private static final class Place {
        private final Waiter waiter;
        private @Nullable Place before;
        private @Nullable Place after;

        Place(Waiter waiter, @Nullable Place before) {
            this.waiter = waiter;
            this.before = before;
        }
    }

    private boolean done;
    /** To find the place of a waiter that gives up. */
    private @Nullable Map<Waiter, Place> places;
    // A line of our own: to walk it allocates nothing. A waiter must be told also while the heap is full.
    private @Nullable Place first;
    private @Nullable Place last;

    /** A completion that has not come yet. */
    public Completion() {}

    /** Whether it has come. */
    public final synchronized boolean isDone() {
        return done;
    }

    /** Adds a waiter. Returns false, and does not keep the waiter, if the completion has come already. */
    public final synchronized boolean register(Waiter waiter) {
        if (done) {
            return false;
        }
        if (places == null) {
            places = new HashMap<>(2);
        }
        Place place = new Place(waiter, last);
        try {
            if (places.putIfAbsent(waiter, place) == null) {
                link(place.before, place);
                last = place;
            }
        } catch (OutOfMemoryError full) {
            // The map may have it already, and the line has not.
            places.remove(waiter);
            throw full;
        }
        return true;
    }

    /** Forgets a waiter that has given up. Does nothing if it is not there. */
    public final synchronized void remove(Waiter waiter) {
        Place place = places == null ? null : places.remove(waiter);
        if (place != null) {
            link(place.before, place.after);
            if (place.after == null) {
                last = place.before;
            } else {
                place.after.before = place.before;
            }
        }
    }

    private void link(@Nullable Place before, @Nullable Place next) {
        if (before == null) {
            first = next;
        } else {
            before.after = next;
        }
    }

    /** The number of waiters now. */
    public final synchronized int waiting() {
        return places == null ? 0 : places.size();
    }

    /**
     * Completes it: tells all waiters, in the order in which they came. Does nothing the second time. If a waiter throws, for
     * example because the completing thread's stack overflows, the others are told all the same. The first exception is
     * thrown at the end. It allocates nothing.
     */
    public final void complete() {
        Place next;
        synchronized (this) {
            if (done) {
                return;
            }
            done = true;
            next = first;
            places = null;
            first = null;
            last = null;
        }
        Throwable broken = null;
        for (; next != null; next = next.after) {
            try {
                next.waiter.completed();
            } catch (Throwable thrown) {
                broken = broken == null ? thrown : broken;
            }
        }
        rethrow(broken);
    }

    /** Completes all of them, also if a waiter throws, as {@link #complete()} does. Allocates nothing. */
    @SuppressWarnings("ForLoopReplaceableByForEach") // that makes an iterator
    public static void completeAll(List<? extends Completion> all) {
        Throwable broken = null;
        for (int i = 0; i < all.size(); i++) {
            try {
                all.get(i).complete();
            } catch (Throwable thrown) {
                broken = broken == null ? thrown : broken;
            }
        }
        rethrow(broken);
    }

    private static void rethrow(@Nullable Throwable broken) {
        if (broken != null) {
            throw Completion.<RuntimeException>asItIs(broken);
        }
    }

    /** Also a checked one: other languages declare none. */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <X extends Throwable> X asItIs(Throwable thrown) throws X {
        throw (X) thrown;
    }
}
