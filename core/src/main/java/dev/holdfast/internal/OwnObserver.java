/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

/** An observer of the library itself: it hears of a change of state before the observers of the user do. */
public interface OwnObserver {
    /**
     * One that only keeps what it hears: it hears of a change of state while the change gets its place. So no observer that waits
     * can hide the change from it.
     */
    interface Keeper extends OwnObserver {}
}
