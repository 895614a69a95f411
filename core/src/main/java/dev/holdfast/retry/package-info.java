/* SPDX-License-Identifier: Apache-2.0 */
/** Tries a failed call again. */
@NullMarked
package dev.holdfast.retry;

import org.jspecify.annotations.NullMarked;
