/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot.other;

import dev.holdfast.springboot.Protected;

/** A class of another package, to be extended. */
public class Elsewhere {
    /** For classes below. */
    protected Elsewhere() {}

    @Protected("inventory")
    String stock() {
        return "unprotected";
    }
}
