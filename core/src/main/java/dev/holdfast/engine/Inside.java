/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.engine;

/** What the calls inside the attempts of a call have come to, whichever threads they run on; told by them. */
final class Inside {
    private volatile boolean begun;
    private volatile boolean old;

    /** One of them has had an attempt with which its dependency may have begun. */
    void begun() {
        begun = true;
    }

    boolean hasBegun() {
        return begun;
    }

    /** One of them was answered with something old or made up. */
    void old() {
        old = true;
    }

    boolean isOld() {
        return old;
    }
}
