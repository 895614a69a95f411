/* SPDX-License-Identifier: Apache-2.0 */
/** An incident over real HTTP, bare and with Holdfast side by side, and three short programs to begin with. */
@NullMarked
package dev.holdfast.examples;

import org.jspecify.annotations.NullMarked;
