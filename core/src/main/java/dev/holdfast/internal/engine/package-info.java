/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What runs the calls of a pipeline. Nobody's API: everything here may change with any version.
 *
 * <ul>
 *   <li>{@code Plan}: the policies of a pipeline and what each hears. {@code Walk}: down through them and up again.
 *       {@code Endings}: how attempts begin and end.
 *   <li>{@code CallState} and what it extends: one call.
 *   <li>{@code BlockingDriver}, {@code AsyncDriver} with {@code AsyncAttempts}: who does what the walk says.
 *   <li>{@code Race}, {@code Hedge}: attempts beside one another. {@code LateEnd}, {@code Work}: what outlives its call.
 *   <li>{@code Watchdog}, {@code WatchQueue}, {@code Alarms}: limits that strike.
 *   <li>{@code Ambient}, {@code Bound}, {@code Surroundings}, {@code Carrier}: what holds on a thread.
 *   <li>{@code Engine}: all of them together, for one pipeline.
 * </ul>
 */
@NullMarked
package dev.holdfast.internal.engine;

import org.jspecify.annotations.NullMarked;
