/* SPDX-License-Identifier: Apache-2.0 */
/** A log of the rare events of pipelines. */
@NullMarked
package dev.holdfast.log;

import org.jspecify.annotations.NullMarked;
