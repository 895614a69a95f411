/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

/**
 * What the contract's own observers and policies throw: an Error, to find code that catches only exceptions. It has no stack trace,
 * because Holdfast logs it, and a passing test should not fill the log of a user's project.
 */
final class ThrownOnPurpose extends Error {
    private static final long serialVersionUID = 1;

    ThrownOnPurpose(String message) {
        super(message, null, false, false);
    }
}
