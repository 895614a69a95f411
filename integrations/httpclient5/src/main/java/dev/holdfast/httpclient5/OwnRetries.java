/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.internal.SafeLog;
import java.util.concurrent.atomic.AtomicBoolean;

/** Warns, once, of a client that repeats requests within the attempts of the pipeline. Safe for any number of threads. */
final class OwnRetries {
    private final SafeLog log;
    private final AtomicBoolean warned = new AtomicBoolean();

    OwnRetries(Class<?> handler) {
        log = SafeLog.of(handler.getName());
    }

    void noticed() {
        if (warned.compareAndSet(false, true)) {
            log.warn(
                    "the client repeats requests by itself, within the attempts of the pipeline: build it with addTo, or call"
                            + " disableAutomaticRetries()",
                    null);
        }
    }
}
