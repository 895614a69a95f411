/* SPDX-License-Identifier: Apache-2.0 */
package org.apache.http.conn;

/** Stands for the client's own, of which core knows the name alone. */
public class ConnectTimeoutException extends java.io.InterruptedIOException {
    private static final long serialVersionUID = 1L;

    /** With this message. */
    public ConnectTimeoutException(String message) {
        super(message);
    }
}
