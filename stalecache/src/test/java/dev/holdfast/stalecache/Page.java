/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.spi.Perishable;
import java.time.Duration;
import java.util.function.UnaryOperator;

/** A value that says itself how long it is good. The rig's classifier goes by its text. Equal only to itself. */
final class Page implements Perishable {
    private final String text;
    private final Freshness freshness;
    private volatile boolean inDoubt;

    private Page(String text, Freshness freshness) {
        this.text = text;
        this.freshness = freshness;
    }

    static Page of(String text, UnaryOperator<Freshness> said) {
        return new Page(text, said.apply(Freshness.usual()));
    }

    static Page fresh(String text, Duration time) {
        return of(text, usual -> usual.fresh(time));
    }

    /** For the call alone that has loaded it. */
    static Page own(String text) {
        return of(text, Freshness::notShared);
    }

    void doubt() {
        inDoubt = true;
    }

    @Override
    public boolean isInDoubt() {
        return inDoubt;
    }

    @Override
    public Freshness freshness() {
        return freshness;
    }

    @Override
    public String toString() {
        return text;
    }
}
