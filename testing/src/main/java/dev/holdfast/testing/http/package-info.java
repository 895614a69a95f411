/* SPDX-License-Identifier: Apache-2.0 */
/** The contract that every adapter of an HTTP client passes, over real sockets. */
@NullMarked
package dev.holdfast.testing.http;

import org.jspecify.annotations.NullMarked;
