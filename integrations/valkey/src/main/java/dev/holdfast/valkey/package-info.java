/* SPDX-License-Identifier: Apache-2.0 */
/** One throttle for all processes of a service: its permits lie in Valkey or Redis, and each process takes them in batches. */
@NullMarked
package dev.holdfast.valkey;

import org.jspecify.annotations.NullMarked;
