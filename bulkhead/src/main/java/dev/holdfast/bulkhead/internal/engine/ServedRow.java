/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

/**
 * Attempts that were served, with none lost between them, and not more of them late than usual: some are late each day. Not for
 * several threads at once.
 */
final class ServedRow {
    private int served;
    private int late;
    private long since;

    /** One that began then was served. */
    void add(long began, boolean isLate) {
        since = served == 0 ? began : since;
        served++;
        late += isLate ? 1 : 0;
        if (!UsualTime.isUsual(late, served)) {
            end();
        }
    }

    /** One was lost. */
    void end() {
        served = 0;
        late = 0;
    }

    /** For how long there has been nothing else; 0 if the last attempt was another one. */
    long nanos(long now) {
        return served == 0 ? 0 : now - since;
    }
}
