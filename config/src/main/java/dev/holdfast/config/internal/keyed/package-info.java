/* SPDX-License-Identifier: Apache-2.0 */
/** The policy by which an instance of a pipeline with keys knows whether it is in use. */
@NullMarked
package dev.holdfast.config.internal.keyed;

import org.jspecify.annotations.NullMarked;
