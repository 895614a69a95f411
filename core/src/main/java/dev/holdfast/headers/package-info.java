/* SPDX-License-Identifier: Apache-2.0 */
/** HTTP and gRPC headers of a call: its deadline and attempt, and when it may be tried again. */
@NullMarked
package dev.holdfast.headers;

import org.jspecify.annotations.NullMarked;
