/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

/**
 * A position in the file.
 *
 * @param line from 1; 0 if the file as a whole is meant
 * @param column from 1; 0 if the file as a whole is meant
 */
record Location(int line, int column) {
    static final Location WHOLE_FILE = new Location(0, 0);
}
