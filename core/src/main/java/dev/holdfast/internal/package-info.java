/* SPDX-License-Identifier: Apache-2.0 */
/** What the engine and the policies of all modules share. Nobody's API: everything here may change with any version. */
@NullMarked
package dev.holdfast.internal;

import org.jspecify.annotations.NullMarked;
