/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

/** What becomes of an interrupt where its exception goes no further. */
public final class Interrupts {
    private Interrupts() {}

    /** Sets the interrupt flag again if this is an interrupt. For a policy, which may touch no thread itself. */
    public static void keep(Throwable caught) {
        if (caught instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
    }
}
