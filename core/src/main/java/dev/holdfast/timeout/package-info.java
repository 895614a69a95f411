/* SPDX-License-Identifier: Apache-2.0 */
/** Limits the time of one attempt. */
@NullMarked
package dev.holdfast.timeout;

import org.jspecify.annotations.NullMarked;
