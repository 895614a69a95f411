/* SPDX-License-Identifier: Apache-2.0 */
/** The contract that every policy passes, and tools for tests of policies and pipelines. */
@NullMarked
package dev.holdfast.testing;

import org.jspecify.annotations.NullMarked;
