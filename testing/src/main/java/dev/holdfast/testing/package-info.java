/* SPDX-License-Identifier: Apache-2.0 */
/** The contract that every policy passes, and tools to test policies and pipelines with. */
@NullMarked
package dev.holdfast.testing;

import org.jspecify.annotations.NullMarked;
