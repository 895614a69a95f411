/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

/**
 * What the function of a fallback throws if it has no answer: then the call ends as it would without a fallback, also if the failure
 * was a value.
 */
public final class NotAnswered extends RuntimeException {
    private static final long serialVersionUID = 1;

    public NotAnswered() {
        super("the fallback has no answer for this", null, false, false);
    }
}
