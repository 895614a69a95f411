/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.Passage;

/** Two cache lines before the fields of a call: kept per thread, two unpadded calls would share a line and cost twice. */
@SuppressWarnings("unused")
abstract class CallPadding extends Passage {
    private long p00, p01, p02, p03, p04, p05, p06, p07, p08, p09, p10, p11, p12, p13, p14, p15;
}
