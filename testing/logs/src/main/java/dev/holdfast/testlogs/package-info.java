/* SPDX-License-Identifier: Apache-2.0 */
/** How a test says what it makes the library log. */
@NullMarked
package dev.holdfast.testlogs;

import org.jspecify.annotations.NullMarked;
