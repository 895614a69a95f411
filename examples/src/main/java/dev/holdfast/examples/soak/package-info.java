/* SPDX-License-Identifier: Apache-2.0 */
/** All policies under load and chaos for as long as wanted, and what must be whole after it. */
@NullMarked
package dev.holdfast.examples.soak;

import org.jspecify.annotations.NullMarked;
