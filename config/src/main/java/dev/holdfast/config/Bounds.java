/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

/** The limits of a file, because a file may come from anyone. No honest file comes near them. */
final class Bounds {
    /** The size of the file. */
    static final int BYTES = 256 * 1024;

    /** Mappings and lists inside each other. */
    static final int DEPTH = 20;

    /** Keys and values, each counted as often as an alias or a merge repeats it. */
    static final int VALUES = 100_000;

    /** The length of a key. */
    static final int KEY = 128;

    /** The length of a text or a bound name. */
    static final int TEXT = 1_000;

    /** The length of a number, a time or a word. */
    static final int WORD = 64;

    /** The layers that an order may name. */
    static final int LAYERS = 1_000;

    /** The policies of a pipeline, which allows one more: the one that counts the calls of an instance with a key. */
    static final int OF_A_PIPELINE = 63;

    /** The policies of all pipelines of the files together: each is an object with its state. */
    static final int POLICIES = 10_000;

    /** The problems that are reported. */
    static final int PROBLEMS = 100;

    /** How often aliases may repeat a problem before the reading ends. */
    static final int REPEATED = 1_000;

    private Bounds() {}
}
