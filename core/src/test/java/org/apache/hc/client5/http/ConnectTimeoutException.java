/* SPDX-License-Identifier: Apache-2.0 */
package org.apache.hc.client5.http;

/** Stands for the client's own, of which core knows the name alone. */
public class ConnectTimeoutException extends java.net.SocketTimeoutException {
    private static final long serialVersionUID = 1L;

    /** With this message. */
    public ConnectTimeoutException(String message) {
        super(message);
    }
}
