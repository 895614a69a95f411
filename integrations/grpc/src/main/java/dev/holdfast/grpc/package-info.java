/* SPDX-License-Identifier: Apache-2.0 */
/** gRPC with pipelines around a client's calls, and with the deadline of a server's. */
@NullMarked
package dev.holdfast.grpc;

import org.jspecify.annotations.NullMarked;
