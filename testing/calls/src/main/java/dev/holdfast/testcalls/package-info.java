/* SPDX-License-Identifier: Apache-2.0 */
/** How a test makes calls on virtual time, in both ways, to a dependency that does as it is told. */
@NullMarked
package dev.holdfast.testcalls;

import org.jspecify.annotations.NullMarked;
