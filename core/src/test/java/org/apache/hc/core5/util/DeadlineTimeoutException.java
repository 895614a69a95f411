/* SPDX-License-Identifier: Apache-2.0 */
package org.apache.hc.core5.util;

import java.util.concurrent.TimeoutException;

/** Stands for the client's own, of which core knows the name alone. */
public class DeadlineTimeoutException extends TimeoutException {
    private static final long serialVersionUID = 1L;

    /** With this message. */
    public DeadlineTimeoutException(String message) {
        super(message);
    }
}
