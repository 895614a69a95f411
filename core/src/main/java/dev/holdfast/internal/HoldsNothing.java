/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

/** A policy with a lease that holds no permit: nobody is told that one was written off. */
public interface HoldsNothing {}
