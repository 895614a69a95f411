/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

/** A policy that has a state, and tells its pipelines of changes. */
public interface TellsState {
    /** The last state that a pipeline was told of. */
    String toldState();

    /** The state of such a policy that a pipeline does not have, or not yet. */
    String stateAtRest();
}
