/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

/** The two ways into a pipeline. */
public enum Way {
    CALL,
    CALL_ASYNC
}
