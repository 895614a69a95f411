/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

import java.util.function.Predicate;

/** What a call meets on its way in, at the first layer that can be met with it. */
@SuppressWarnings("ImmutableEnumChecker") // predicates without state
enum Trouble {
    NONE(layer -> false),
    /** The breaker lets nothing through. */
    OPEN(layer -> layer == Layer.BREAKER),
    /** The breaker lets one probe through. */
    HALF_OPEN(layer -> layer == Layer.BREAKER),
    /** The only permit is another call's for 30 ms. */
    FULL(Layer::permits),
    /** The only permit is another call's for a second. */
    FULL_FOR_LONG(Layer::permits),
    /** Others have used the burst up: the next may start 100 ms later. */
    SLOWED(layer -> layer == Layer.THROTTLE),
    /** Others wait already: the next would have to wait for longer than it may. */
    THROTTLED(layer -> layer == Layer.THROTTLE),
    /** The cache has an old value of the key. */
    WARM(layer -> layer == Layer.CACHE),
    /** Another call of the same key is under way: it ends with a value, is given up, or fails. */
    LEADER(layer -> layer == Layer.CACHE),
    LEADER_GIVES_UP(layer -> layer == Layer.CACHE),
    LEADER_FAILS(layer -> layer == Layer.CACHE),
    LEADER_HANGS(layer -> layer == Layer.CACHE);

    static final long FULL_UNTIL = 30;
    static final long FULL_FOR_LONG_UNTIL = 1_000;
    static final long LEADS_UNTIL = 15;
    static final long LEADER_GIVES_UP_AT = 5;

    private final Predicate<Layer> where;

    Trouble(Predicate<Layer> where) {
        this.where = where;
    }

    boolean leads() {
        return compareTo(LEADER) >= 0;
    }

    boolean meets(Layer layer) {
        return where.test(layer);
    }
}
