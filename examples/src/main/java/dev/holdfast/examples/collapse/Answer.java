/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

/** How a call ended for whoever made it. */
enum Answer {
    /** With what the dependency says now. */
    LIVE,
    /** With what it said some time ago. */
    STALE,
    /** With nothing. */
    NONE
}
