/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

/** What a policy has decided, as its passage tells the walk. To proceed, or to keep the outcome, is 0. */
final class Decision {
    static final int PAUSE = 1;
    static final int AWAIT = 2;
    static final int OUT = 3;
    static final int RETRY = 4;
    static final int FUNCTION = 5;
    static final int STAGE = 6;
    /** Beside {@link #OUT}: it is the only one that a layer may make which is asked whether it still admits. */
    static final int REJECT = 7;
    /** In place of a number that no policy has from its passage. */
    static final int UNKNOWN = -1;

    private Decision() {}
}
