/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import java.util.Optional;

/** Where a configuration comes from. */
interface Source {
    /** What messages call it. */
    String name();

    /** Whether it can be read more than once. */
    boolean isReadAgain();

    /** Its root; empty if there is none, which is then reported. */
    Optional<Node> read(Placeholders placeholders, Problems problems);

    /** What is in it now, whether or not it can be read. To see that it has changed. */
    byte[] contents();
}
