/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What runs the calls of a pipeline. Nobody's API: everything here may change with any version.
 * {@code docs/inside.md} tells which file does what.
 */
@NullMarked
package dev.holdfast.internal.engine;

import org.jspecify.annotations.NullMarked;
