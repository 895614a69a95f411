/* SPDX-License-Identifier: Apache-2.0 */
/** A second attempt beside one that takes long; the first answer wins. */
@NullMarked
package dev.holdfast.hedge;

import org.jspecify.annotations.NullMarked;
