/* SPDX-License-Identifier: Apache-2.0 */
/** Shared by the engine and the policies of all modules. Not an API: everything here may change with any version. */
@NullMarked
package dev.holdfast.internal;

import org.jspecify.annotations.NullMarked;
