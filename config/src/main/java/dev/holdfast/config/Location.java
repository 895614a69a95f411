/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

/**
 * A position in a file.
 *
 * @param file as its path was given
 * @param line from 1; 0 if the file as a whole is meant
 * @param column from 1; 0 if the file as a whole is meant
 */
record Location(String file, int line, int column) {
    /** The file as a whole. */
    static Location whole(String file) {
        return new Location(file, 0, 0);
    }
}
