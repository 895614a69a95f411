/* SPDX-License-Identifier: Apache-2.0 */
package org.apache.hc.core5.http;

/** Stands for the client's own, of which core knows the name alone. */
public class ConnectionRequestTimeoutException extends java.io.InterruptedIOException {
    private static final long serialVersionUID = 1L;

    /** With this message. */
    public ConnectionRequestTimeoutException(String message) {
        super(message);
    }
}
