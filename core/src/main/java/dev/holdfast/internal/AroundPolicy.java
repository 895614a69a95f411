/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.Policy;

/** A policy around another one. What a pipeline knows of the other one, it knows of both. */
public interface AroundPolicy {
    Policy policy();
}
