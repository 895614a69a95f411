/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

/** The two ways into a pipeline. */
enum Way {
    CALL,
    CALL_ASYNC
}
