/* SPDX-License-Identifier: Apache-2.0 */
/** Simulates an ill dependency, for tests and staging. */
@NullMarked
package dev.holdfast.chaos;

import org.jspecify.annotations.NullMarked;
