/* SPDX-License-Identifier: Apache-2.0 */
/** The deadline of a request, in servlets. */
@NullMarked
package dev.holdfast.servlet;

import org.jspecify.annotations.NullMarked;
