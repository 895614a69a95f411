/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

/** Whether what the pipeline itself throws says where. That costs a rejection a hundred times as much as all else. */
final class StackTraces {
    static final boolean ON = Boolean.getBoolean("dev.holdfast.stack-traces");

    private StackTraces() {}
}
