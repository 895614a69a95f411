/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.chaos;

/** An error that chaos has injected, where it was not told which. Has no stack trace: where it was thrown says nothing. */
public final class ChaosException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ChaosException(String pipeline) {
        super("chaos of '" + pipeline + "' injected an error", null, false, false);
    }
}
