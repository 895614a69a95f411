/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

/** A setting with its whole name, and where it stands. */
record Written(String name, String value, Part part) {
    /** For a comment. */
    String shown() {
        return Text.shown(name) + " = " + Text.shown(value) + part.origin("");
    }
}
