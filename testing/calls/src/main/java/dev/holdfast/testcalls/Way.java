/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testcalls;

/** The two ways into a pipeline, which must end the same. */
public enum Way {
    /** On the caller's thread. */
    CALL,
    /** With a future. */
    CALL_ASYNC
}
