/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * The caches that reloads have put in one place, one after the other. What is removed from one is removed from all: a load that
 * began with an earlier one may end later, somebody may hold an earlier one, and a reload that is refused puts it back. Holds
 * none of them in memory. Safe for any number of threads.
 */
final class Lineage {
    private volatile List<WeakReference<StaleCachePolicy>> members = List.of();

    /** Before it takes values over: so no removal is lost. */
    synchronized void add(StaleCachePolicy cache) {
        List<WeakReference<StaleCachePolicy>> all = new ArrayList<>(members);
        all.removeIf(member -> member.refersTo(null) || member.refersTo(cache));
        all.add(new WeakReference<>(cache));
        members = List.copyOf(all);
    }

    /**
     * Runs this for each. Twice if there are several: the first time may leave a value that is just being copied from a cache in
     * which it still was to one in which it was no longer.
     */
    void forEach(Consumer<StaleCachePolicy> removal) {
        living().forEach(removal);
        List<StaleCachePolicy> now = living();
        if (now.size() > 1) {
            now.forEach(removal);
        }
    }

    boolean hasSeveral() {
        return members.size() > 1;
    }

    private List<StaleCachePolicy> living() {
        return members.stream().map(WeakReference::get).filter(Objects::nonNull).toList();
    }
}
