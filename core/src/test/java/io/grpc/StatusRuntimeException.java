/* SPDX-License-Identifier: Apache-2.0 */
package io.grpc;

/** Stands in for gRPC's, which is looked for by its name and its message. */
public final class StatusRuntimeException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** With a status and what is said of it. */
    public StatusRuntimeException(String message) {
        super(message);
    }
}
