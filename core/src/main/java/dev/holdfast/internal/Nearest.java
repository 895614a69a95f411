/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/** Finds the known name that was probably meant: {@code maxAtempts} is near {@code max-attempts}. */
public final class Nearest {
    private static final int MOST_EDITS = 3;

    /** No name is as long. A comparison costs the product of the two lengths. */
    private static final int LONGEST = 64;

    /** Only so many are compared: a file may have any number. */
    private static final int MOST_NAMES = 200;

    private Nearest() {}

    /** The known name with the fewest edits, at most one for every three letters; the first of equals. */
    public static Optional<String> to(String given, Collection<String> known) {
        if (given.length() > LONGEST) {
            return Optional.empty();
        }
        String wanted = letters(given);
        int least = Math.min(MOST_EDITS, Math.max(1, wanted.length() / 3)) + 1;
        Optional<String> nearest = Optional.empty();
        int left = MOST_NAMES;
        for (String name : known) {
            if (left-- == 0) {
                break;
            }
            String letters = letters(name);
            int edits = Math.abs(letters.length() - wanted.length()) < least ? edits(wanted, letters) : least;
            if (edits < least) {
                least = edits;
                nearest = Optional.of(name);
            }
        }
        return nearest;
    }

    /** Removes case, hyphens, underscores, blanks and the ending of a plural, which do not change the meaning. */
    private static String letters(String name) {
        return name.toLowerCase(Locale.ROOT)
                .replaceAll("[-_\\s]", "")
                .replaceAll("ies$", "y")
                .replaceAll("(?<=.)s$", "");
    }

    /** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
    private static int edits(String a, String b) {
        int[][] cost = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                cost[i][j] = i == 0 || j == 0 ? i + j : cheapest(cost, a, b, i, j);
            }
        }
        return cost[a.length()][b.length()];
    }

    private static int cheapest(int[][] cost, String a, String b, int i, int j) {
        int replaced = cost[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        int least = Math.min(replaced, Math.min(cost[i - 1][j], cost[i][j - 1]) + 1);
        boolean swapped = i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
        return swapped ? Math.min(least, cost[i - 2][j - 2] + 1) : least;
    }
}
