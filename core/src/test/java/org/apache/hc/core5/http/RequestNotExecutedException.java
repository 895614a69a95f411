/* SPDX-License-Identifier: Apache-2.0 */
package org.apache.hc.core5.http;

/** Stands for the client's own, of which core knows the name alone. */
public class RequestNotExecutedException extends java.io.IOException {
    private static final long serialVersionUID = 1L;

    /** With this message. */
    public RequestNotExecutedException(String message) {
        super(message);
    }
}
