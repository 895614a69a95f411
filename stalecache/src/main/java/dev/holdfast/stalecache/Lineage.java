/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The caches that reloads have put in one place, one after the other, also those in shadow. What is removed from one is removed
 * from all: a load that began with an earlier one may end later, and somebody may hold an earlier one, or
 * put it back. Holds none of them in memory. Safe for any number of threads.
 */
final class Lineage {
    private volatile List<WeakReference<CacheState>> members = List.of();
    /** The lineage that this one has become a part of; null if it has not. */
    private volatile @Nullable Lineage whole;

    /**
     * From now on the two caches are of one lineage. To be called before the later one takes values over: so no removal is
     * lost.
     */
    static void join(CacheState earlier, CacheState later) {
        synchronized (Lineage.class) {
            Lineage one = earlier.lineage;
            Lineage other = later.lineage;
            if (other != one) {
                for (CacheState member : living(other.members)) {
                    one.add(member);
                    member.lineage = one;
                }
                // After the members: a removal that has begun there goes on here.
                other.whole = one;
            }
            // Values go from caches further in front to the last one.
            one.add(later);
        }
    }

    synchronized void add(CacheState cache) {
        List<WeakReference<CacheState>> all = new ArrayList<>(members);
        all.removeIf(member -> member.refersTo(null) || member.refersTo(cache));
        all.add(new WeakReference<>(cache));
        members = List.copyOf(all);
    }

    /**
     * Runs this for each; again for all if one was added meanwhile: it may have a value from a cache that was not reached yet,
     * and another one may have it from there.
     */
    void forEach(Consumer<CacheState> removal) {
        List<WeakReference<CacheState>> reached;
        do {
            reached = members;
            living(reached).forEach(removal);
        } while (!members.equals(reached));
        Lineage joined = whole;
        if (joined != null) {
            joined.forEach(removal);
        }
    }

    boolean hasSeveral() {
        return members.size() > 1;
    }

    private static List<CacheState> living(List<WeakReference<CacheState>> members) {
        return members.stream().map(WeakReference::get).filter(Objects::nonNull).toList();
    }
}
