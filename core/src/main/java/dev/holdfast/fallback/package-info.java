/* SPDX-License-Identifier: Apache-2.0 */
/** Answers instead of a call that failed. */
@NullMarked
package dev.holdfast.fallback;

import org.jspecify.annotations.NullMarked;
