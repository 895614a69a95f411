/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.Passage;

/** What the {@linkplain Passage#rank ranks} of attempts mean to throttles. */
public final class Ranks {
    /** Of critical calls. */
    public static final int FIRST = 0;

    /** Of sheddable calls, and of retries of the usual ones. */
    public static final int LATE = 2;

    private Ranks() {}

    /** How long an attempt of this rank may wait where usual ones wait for so long; a critical one twice as long. */
    public static long longestWait(int rank, long usual) {
        return switch (rank) {
            case FIRST -> 2 * usual;
            case LATE -> usual / 2;
            case Passage.LAST_RANK -> 0;
            default -> usual;
        };
    }
}
