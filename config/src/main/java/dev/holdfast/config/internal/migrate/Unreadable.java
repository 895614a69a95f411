/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

/** A file cannot be migrated. The message is one sentence for the user. */
final class Unreadable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Unreadable(String message) {
        super(message, null, false, false);
    }

    Unreadable(String file, String why) {
        this(Text.shown(file) + ": " + Text.shown(why.replaceAll("\\s+", " ")));
    }
}
