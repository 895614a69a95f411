/* SPDX-License-Identifier: Apache-2.0 */
/** The stale cache: the last good value, when there is no better answer. */
@NullMarked
package dev.holdfast.stalecache;

import org.jspecify.annotations.NullMarked;
